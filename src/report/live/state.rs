//! What is going on, kept up to date from the records of the history as they are made.

use std::collections::{BTreeMap, VecDeque};

use crate::model::experiment::Restore;
use crate::model::history::{Effective, Entry, Phase, Record, Reverted};
use crate::model::observation::{Grade, Observation};
use crate::report::figure;
use crate::report::text::style::Tone;

/// The recent past is kept as the worst per quarter of a second.
const CELL_NS: u64 = 250_000_000;
const CELLS: usize = 240;
/// So many good slots in a row do not end an outage yet.
const MERGED_GOOD: usize = 3;

/// Everything that the lines are made of. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Debug, Clone, Default)]
pub struct LiveState {
    pub experiment: String,
    /// When the drill opened.
    pub opened_ns: u64,
    /// The latest moment that it knows of; the caller sets it before it draws.
    pub now_ns: u64,
    pub phase: Option<Phase>,
    pub probes: BTreeMap<String, ProbeNow>,
    pub in_force: Vec<InForce>,
    /// What comes next by the plan; the caller knows.
    pub next: Option<Next>,
    /// Who undoes each step of the plan.
    pub restores: Vec<Restore>,
}

/// One probe, counted since it began.
#[derive(Debug, Clone, Default)]
pub struct ProbeNow {
    pub good: u64,
    pub late: u64,
    pub bad: u64,
    pub invalid: u64,
    pub outage: Option<OpenOutage>,
    /// Length of the outage that ended last.
    pub last_outage_seconds: Option<f64>,
    /// The number of a quarter of a second, and the worst in it; oldest first.
    pub recent: VecDeque<(u64, Grade)>,
    last_good_ns: Option<u64>,
    /// Slots that were due before this are of the outage that is over.
    over_due_ns: u64,
}

/// A run of slots that are not good, as it looks now. Slots come in the order of completion, and
/// are held against each other by when they were due: a request that was waiting when the system
/// came back is of the outage that is over, and no second one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOutage {
    /// The last good answer before it, or the first slot where there was none.
    pub from_ns: u64,
    /// Nothing but late answers so far: that may turn out to be no outage.
    only_late: bool,
    /// When the last slot that was not good was due.
    last_due_ns: u64,
    /// Good slots that were due after it: when due, when done.
    good_again: Vec<(u64, u64)>,
}

/// An injection in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub id: String,
    pub what: String,
    pub since_ns: u64,
    /// Nobody can undo it; the system must repair it.
    pub relied: bool,
    /// It could not be undone.
    pub stuck: bool,
}

/// The next thing that the plan does, or the deadline of what goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    pub what: String,
    pub at_ns: u64,
}

/// Something that a person wants to hear of once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub at_ns: u64,
    pub tone: Tone,
    pub words: String,
}

impl LiveState {
    /// Takes one record in; what in it is worth a line comes back.
    pub fn take(&mut self, record: &Record) -> Vec<Event> {
        self.now_ns = self.now_ns.max(record.at_ns);
        let said = match &record.entry {
            Entry::Opened(opened) => {
                self.opened_ns = record.at_ns;
                self.experiment.clone_from(&opened.plan.experiment.name);
                let method = opened.plan.experiment.method.iter();
                self.restores = method.map(|step| step.facts.restore).collect();
                let words = format!("drill {} of {}", opened.drill, self.experiment);
                Some((Tone::Heading, words))
            }
            Entry::Phase(phase) => {
                self.phase = Some(*phase);
                Some((Tone::Heading, phase_words(*phase).to_owned()))
            }
            Entry::Slots { probe, slots } => return self.observed(probe, slots),
            Entry::Effective(effective) => Some(self.injected(effective)),
            Entry::Reverted(reverted) => Some((Tone::Good, self.reverted(reverted))),
            Entry::Void { injection, why } => {
                let (what, _) = self.ended(&injection.to_string());
                Some((Tone::Late, format!("{what} void: {why}")))
            }
            Entry::Stuck { injection, why } => Some(self.stuck(&injection.to_string(), why)),
            other => heard(other),
        };
        said.map(|(tone, words)| Event { at_ns: record.at_ns, tone, words }).into_iter().collect()
    }

    fn observed(&mut self, probe: &str, slots: &[Observation]) -> Vec<Event> {
        let now = self.probes.entry(probe.to_owned()).or_default();
        let mut events = Vec::new();
        for slot in slots {
            self.now_ns = self.now_ns.max(slot.done_ns);
            let said = now.take(slot).map(|(tone, words)| (tone, format!("{probe}: {words}")));
            events.extend(said.map(|(tone, words)| Event { at_ns: slot.done_ns, tone, words }));
        }
        events
    }

    fn injected(&mut self, effective: &Effective) -> (Tone, String) {
        let what = format!("{} {}", effective.kind, effective.instance);
        let words = format!("{what} in force: {}", effective.evidence);
        self.in_force.push(InForce {
            id: effective.injection.to_string(),
            what,
            since_ns: effective.effective_ns,
            relied: self.restores.get(effective.step) == Some(&Restore::None),
            stuck: false,
        });
        (Tone::Fault, words)
    }

    /// What nobody can undo is not gone when the time to watch it is over.
    fn reverted(&mut self, reverted: &Reverted) -> String {
        match self.ended(&reverted.injection.to_string()) {
            (what, true) => format!("the watch of {what} is over; there is nothing to undo"),
            (what, false) => format!("{what} gone, by {}: {}", reverted.by, reverted.evidence),
        }
    }

    /// What it was, and whether only the system can repair it.
    fn ended(&mut self, id: &str) -> (String, bool) {
        let place = self.in_force.iter().position(|injection| injection.id == id);
        let ended = place.map(|at| self.in_force.remove(at));
        ended.map_or_else(|| (id.to_owned(), false), |ended| (ended.what, ended.relied))
    }

    fn stuck(&mut self, id: &str, why: &str) -> (Tone, String) {
        let found = self.in_force.iter_mut().find(|injection| injection.id == id);
        let what = found.map_or_else(
            || id.to_owned(),
            |injection| {
                injection.stuck = true;
                injection.what.clone()
            },
        );
        (Tone::Stuck, format!("stuck: {what}: {why}"))
    }
}

impl ProbeNow {
    fn take(&mut self, slot: &Observation) -> Option<(Tone, String)> {
        *match slot.grade {
            Grade::Good => &mut self.good,
            Grade::Late => &mut self.late,
            Grade::Bad => &mut self.bad,
            Grade::Invalid => &mut self.invalid,
        } += 1;
        self.remember(slot.due_ns / CELL_NS, slot.grade);
        match slot.grade {
            Grade::Good => self.good(slot),
            Grade::Late | Grade::Bad => self.not_good(slot),
            // Our own fault says nothing about the system.
            Grade::Invalid => None,
        }
    }

    fn good(&mut self, slot: &Observation) -> Option<(Tone, String)> {
        let Some(outage) = &mut self.outage else {
            self.last_good_ns = self.last_good_ns.max(Some(slot.done_ns));
            return None;
        };
        if slot.due_ns > outage.last_due_ns {
            outage.good_again.push((slot.due_ns, slot.done_ns));
        }
        if outage.good_again.len() <= MERGED_GOOD {
            return None;
        }
        let outage = self.outage.take()?;
        let back_ns = outage.good_again.iter().map(|(_, done_ns)| *done_ns).min()?;
        self.over_due_ns = outage.good_again.iter().map(|(due_ns, _)| *due_ns).max()?;
        self.last_good_ns = Some(slot.done_ns);
        let seconds = seconds_between(outage.from_ns, back_ns);
        let length = figure::seconds(seconds);
        if outage.only_late {
            return Some((Tone::Good, format!("in time again, late for {length}")));
        }
        self.last_outage_seconds = Some(seconds);
        Some((Tone::Good, format!("good again, outage of {length}")))
    }

    fn not_good(&mut self, slot: &Observation) -> Option<(Tone, String)> {
        let late = slot.grade == Grade::Late;
        if let Some(outage) = &mut self.outage {
            outage.only_late &= late;
            outage.last_due_ns = outage.last_due_ns.max(slot.due_ns);
            let last_due_ns = outage.last_due_ns;
            outage.good_again.retain(|(due_ns, _)| *due_ns > last_due_ns);
            return None;
        }
        if slot.due_ns < self.over_due_ns {
            return None;
        }
        let from_ns = self.last_good_ns.unwrap_or(slot.due_ns);
        self.outage = Some(OpenOutage {
            from_ns,
            only_late: late,
            last_due_ns: slot.due_ns,
            good_again: Vec::new(),
        });
        let why = slot.error.map_or_else(|| "late".to_owned(), |error| error.words().to_owned());
        Some((Tone::Bad, format!("not good: {why}")))
    }

    /// Slots complete out of order, so an older cell may still get worse.
    fn remember(&mut self, number: u64, grade: Grade) {
        let place = self.recent.iter().rposition(|(cell, _)| *cell <= number);
        match place {
            Some(at) if self.recent[at].0 == number => {
                let seen = &mut self.recent[at].1;
                if severity(grade) > severity(*seen) {
                    *seen = grade;
                }
            }
            place => self.recent.insert(place.map_or(0, |at| at + 1), (number, grade)),
        }
        while self.recent.len() > CELLS {
            self.recent.pop_front();
        }
    }
}

/// From one moment to a later one.
#[must_use]
pub fn seconds_between(from_ns: u64, to_ns: u64) -> f64 {
    std::time::Duration::from_nanos(to_ns.saturating_sub(from_ns)).as_secs_f64()
}

/// The phase as it goes on.
#[must_use]
pub fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "preparing",
        Phase::Steady => "waiting for the steady state",
        Phase::Method => "breaking it",
        Phase::Revert => "undoing every fault",
        Phase::Recover => "watching the recovery",
        Phase::Settle => "reading back what is left",
    }
}

fn heard(entry: &Entry) -> Option<(Tone, String)> {
    let said = match entry {
        Entry::Bound { target, instances } => {
            let names: Vec<_> = instances.iter().map(ToString::to_string).collect();
            (Tone::Plain, format!("{target} is {}", names.join(", ")))
        }
        Entry::RoleSeen { instance, role: Some(role), .. } => {
            (Tone::Plain, format!("{instance} says it is {role}"))
        }
        Entry::RoleSeen { instance, role: None, .. } => {
            (Tone::Plain, format!("{instance} does not say what it is"))
        }
        Entry::ProcessSeen { instance, running: true } => {
            (Tone::Plain, format!("process of {instance} runs"))
        }
        Entry::ProcessSeen { instance, running: false } => {
            (Tone::Plain, format!("process of {instance} ended"))
        }
        Entry::Finding { finding, .. } => (Tone::Late, finding.to_string()),
        Entry::Disturbed { why, .. } => (Tone::Late, format!("disturbed: {why}")),
        Entry::PartLost { part, why } => (Tone::Aborted, format!("the {part} was lost: {why}")),
        Entry::Aborted(cause) => (Tone::Aborted, format!("aborted: {cause}")),
        Entry::Stopped { why, .. } => (Tone::Deviated, format!("stop condition: {why}")),
        Entry::Residue(left) if !left.is_empty() => {
            (Tone::Stuck, format!("still in the world: {}", left.join("; ")))
        }
        Entry::Unsteady { why } => {
            (Tone::Inconclusive, format!("no steady state: {why}; nothing was injected"))
        }
        Entry::Note(note) => (Tone::Dim, note.clone()),
        Entry::Ledger { probe, read } => {
            let words = match &read.error {
                Some(error) => format!("{probe}: read {} failed: {error}", read.round),
                None => format!("{probe}: read {} found {} entries", read.round, read.found.len()),
            };
            (Tone::Plain, words)
        }
        _ => return None,
    };
    Some(said)
}

fn severity(grade: Grade) -> u8 {
    match grade {
        Grade::Good => 0,
        Grade::Invalid => 1,
        Grade::Late => 2,
        Grade::Bad => 3,
    }
}

//! What is going on, kept up to date from the records of the history as they are made.

use std::collections::{BTreeMap, VecDeque};

use crate::model::history::{Effective, Entry, Phase, Record};
use crate::model::observation::{Grade, Observation};
use crate::report::figure;
use crate::report::text::style::Tone;

/// The recent past is kept as the worst per quarter of a second.
const CELL_NS: u64 = 250_000_000;
const CELLS: usize = 240;
/// So many good slots in a row do not end an outage yet.
const MERGED_GOOD: u64 = 3;

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
}

/// A run of slots that are not good, as it looks now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOutage {
    /// The last good answer before it, or the first slot where there was none.
    pub from_ns: u64,
    /// Good answers in a row since, and when the first of them came.
    good_again: u64,
    good_again_ns: u64,
}

/// An injection in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub id: String,
    pub what: String,
    pub since_ns: u64,
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
                let words = format!("drill {} of {}", opened.drill, self.experiment);
                Some((Tone::Heading, words))
            }
            Entry::Phase(phase) => {
                self.phase = Some(*phase);
                Some((Tone::Heading, phase_words(*phase).to_owned()))
            }
            Entry::Slots { probe, slots } => return self.observed(probe, slots),
            Entry::Effective(effective) => Some(self.injected(effective)),
            Entry::Reverted(reverted) => {
                let what = self.ended(&reverted.injection.to_string());
                Some((
                    Tone::Good,
                    format!("{what} gone, by {}: {}", reverted.by, reverted.evidence),
                ))
            }
            Entry::Void { injection, why } => {
                let what = self.ended(&injection.to_string());
                Some((Tone::Good, format!("{what} void: {why}")))
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
        let id = effective.injection.to_string();
        self.in_force.push(InForce { id, what, since_ns: effective.effective_ns, stuck: false });
        (Tone::Fault, words)
    }

    fn ended(&mut self, id: &str) -> String {
        let place = self.in_force.iter().position(|injection| injection.id == id);
        place.map_or_else(|| id.to_owned(), |at| self.in_force.remove(at).what)
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
            Grade::Good => self.good_at(slot.done_ns),
            Grade::Late | Grade::Bad => self.not_good(slot),
            // Our own fault says nothing about the system.
            Grade::Invalid => None,
        }
    }

    fn good_at(&mut self, done_ns: u64) -> Option<(Tone, String)> {
        let Some(outage) = &mut self.outage else {
            self.last_good_ns = Some(done_ns);
            return None;
        };
        if outage.good_again == 0 {
            outage.good_again_ns = done_ns;
        }
        outage.good_again += 1;
        if outage.good_again <= MERGED_GOOD {
            return None;
        }
        let seconds = seconds_between(outage.from_ns, outage.good_again_ns);
        self.last_outage_seconds = Some(seconds);
        self.last_good_ns = Some(done_ns);
        self.outage = None;
        Some((Tone::Good, format!("good again, outage of {}", figure::seconds(seconds))))
    }

    fn not_good(&mut self, slot: &Observation) -> Option<(Tone, String)> {
        if let Some(outage) = &mut self.outage {
            outage.good_again = 0;
            return None;
        }
        let from_ns = self.last_good_ns.unwrap_or(slot.due_ns);
        self.outage = Some(OpenOutage { from_ns, good_again: 0, good_again_ns: 0 });
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
        Entry::Disturbed { why, .. } => (Tone::Late, format!("disturbed: {why}")),
        Entry::PartLost { part, why } => (Tone::Aborted, format!("the {part} was lost: {why}")),
        Entry::Aborted(cause) => (Tone::Aborted, format!("aborted: {cause}")),
        Entry::Stopped { why, .. } => (Tone::Deviated, format!("stop condition: {why}")),
        Entry::Residue(left) if !left.is_empty() => {
            (Tone::Stuck, format!("still in the world: {}", left.join("; ")))
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

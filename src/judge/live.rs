//! The same outages while they happen, for stop conditions and progress.
//!
//! Silence counts: a slot that is past its deadline, and past the time that its observation may
//! take to reach us, cannot become good any more. It is taken as late until it is known better, so
//! that a hang is an outage after one more deadline, and a refusal at once. When the observation
//! comes after all (our own delivery was slow, or the slot is invalid), it replaces the silence.
//! Whoever asks says up to when the prober is known to have been awake: while nobody looked, nobody
//! was silent.
//! Runs and outages are told by the rules of `measure::run`, the same as in the verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use super::find;
use super::measure::axis::{count, length, whole};
use super::measure::run::{Graded, MERGED_GAP, Run, is_outage, runs};
use crate::model::experiment::{Claim, ProbeSpec};
use crate::model::observation::{Grade, Observation};
use crate::model::units::Span;

/// Watches one probe. It remembers the slots of an open outage, and else only the last few.
#[derive(Debug, Clone)]
pub struct OutageWatch {
    interval_ns: f64,
    deadline_ns: u64,
    /// How long a completed slot may take to reach us.
    delivery_ns: u64,
    /// Number and due time of one slot: fixes when every other is due.
    anchor: Option<(u64, u64)>,
    slots: BTreeMap<u64, Mark>,
    /// Slots before this are settled.
    next: u64,
    last_good_ns: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    slot: u64,
    due_ns: u64,
    done_ns: u64,
    grade: Grade,
}

impl Graded for Mark {
    fn due_ns(&self) -> u64 {
        self.due_ns
    }

    fn grade(&self) -> Grade {
        self.grade
    }
}

impl OutageWatch {
    /// `delivery`: how long a completed slot may take to be told to us.
    #[must_use]
    pub fn new(probe: &ProbeSpec, delivery: Span) -> OutageWatch {
        OutageWatch {
            interval_ns: probe.rate.interval_ns(),
            deadline_ns: probe.deadline.nanos(),
            delivery_ns: delivery.nanos(),
            anchor: None,
            slots: BTreeMap::new(),
            next: 0,
            last_good_ns: None,
        }
    }

    /// Takes what a slot saw; in any order.
    pub fn observe(&mut self, seen: &Observation) {
        if self.anchor.is_none() {
            self.anchor = Some((seen.slot, seen.due_ns));
            self.next = seen.slot;
        }
        if seen.slot >= self.next {
            let mark = Mark {
                slot: seen.slot,
                due_ns: seen.due_ns,
                done_ns: seen.done_ns,
                grade: seen.grade,
            };
            self.slots.insert(seen.slot, mark);
        }
    }

    /// How long the open outage has lasted, up to `now_ns` or to the last that was told of it;
    /// None while there is none.
    pub fn open_outage(&mut self, now_ns: u64) -> Option<Span> {
        let silent_to = self.silent_to(now_ns);
        let marks = self.marks(silent_to);
        let decided = marks.partition_point(|mark| Some(mark.slot) <= silent_to);
        let settled = open_run(&marks[..decided]).map_or(decided, |run| run.first);
        self.settle(&marks[..settled]);
        let run = open_run(&marks).filter(|run| is_outage(*run, &marks, self.deadline_ns))?;
        // What is left of the good slots before the run is not settled yet.
        let before = marks[settled..run.first.max(settled)].iter().filter_map(good_ns).max();
        let since_ns = self.last_good_ns.max(before).unwrap_or(marks[run.first].due_ns);
        // What was told is known, however long ago whoever told it was known to be awake.
        let told_ns = marks[run.first..].iter().map(|mark| mark.done_ns).max();
        let until_ns = told_ns.map_or(now_ns, |told_ns| told_ns.max(now_ns));
        Some(Span(Duration::from_nanos(until_ns.saturating_sub(since_ns))))
    }

    /// The last slot that can no longer be good unless we know it already.
    fn silent_to(&self, now_ns: u64) -> Option<u64> {
        let (number, due_ns) = self.anchor?;
        let past_ns = now_ns.checked_sub(self.deadline_ns + self.delivery_ns + due_ns)?;
        Some(number + whole(count(past_ns) / self.interval_ns))
    }

    /// Every slot from `next` on that is known, or has been silent for too long.
    fn marks(&self, silent_to: Option<u64>) -> Vec<Mark> {
        let Some((number, anchor_ns)) = self.anchor else { return Vec::new() };
        let known_to = self.slots.last_key_value().map(|(slot, _)| *slot);
        let silent = |slot: u64| {
            let due_ns = anchor_ns + whole(count(slot - number) * self.interval_ns);
            Mark { slot, due_ns, done_ns: due_ns, grade: Grade::Late }
        };
        let Some(last) = silent_to.max(known_to) else { return Vec::new() };
        (self.next..=last)
            .filter_map(|slot| {
                let known = self.slots.get(&slot).copied();
                known.or_else(|| (Some(slot) <= silent_to).then(|| silent(slot)))
            })
            .collect()
    }

    /// Forgets slots that can no longer be part of an open outage.
    fn settle(&mut self, marks: &[Mark]) {
        let Some(last) = marks.last() else { return };
        self.last_good_ns = self.last_good_ns.max(marks.iter().filter_map(good_ns).max());
        self.next = last.slot + 1;
        self.slots = self.slots.split_off(&self.next);
    }
}

fn good_ns(mark: &Mark) -> Option<u64> {
    (mark.grade == Grade::Good).then_some(mark.done_ns)
}

/// The last run, unless enough good slots have come after it.
fn open_run(marks: &[Mark]) -> Option<Run> {
    let run = runs(marks).pop()?;
    let good_since = marks[run.last..].iter().filter(|mark| mark.grade == Grade::Good).count();
    (length(good_since) <= MERGED_GAP).then_some(run)
}

/// All probes of a drill, and its stop conditions.
#[derive(Debug, Clone, Default)]
pub struct Live {
    watches: BTreeMap<String, OutageWatch>,
}

impl Live {
    /// `delivery`: how long a completed slot may take to be told to us.
    #[must_use]
    pub fn new(probes: &BTreeMap<String, ProbeSpec>, delivery: Span) -> Live {
        let watch = |spec| OutageWatch::new(spec, delivery);
        Live { watches: probes.iter().map(|(name, spec)| (name.clone(), watch(spec))).collect() }
    }

    /// Takes what a slot of that probe saw. A probe that is not of this drill is left out.
    pub fn observe(&mut self, probe: &str, seen: &Observation) {
        if let Some(watch) = self.watches.get_mut(probe) {
            watch.observe(seen);
        }
    }

    /// How long that probe has been out, while it is.
    pub fn open_outage(&mut self, probe: &str, now_ns: u64) -> Option<Span> {
        self.watches.get_mut(probe)?.open_outage(now_ns)
    }

    /// The first stop condition that is met, by index, and why.
    pub fn tripped(&mut self, conditions: &[Claim], now_ns: u64) -> Option<(usize, String)> {
        conditions.iter().enumerate().find_map(|(index, condition)| {
            let why = find(&condition.check)?.trips(&condition.params, self, now_ns)?;
            Some((index, why))
        })
    }
}

#[cfg(test)]
mod tests;

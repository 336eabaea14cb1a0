//! One probe's slots: those under way, those that wait for their grade, those that wait to be sent.

use std::rc::Rc;
use std::time::Duration;

use super::grade::{Limits, Stalls, Times, allowance_ns, grade};
use super::schedule::Due;
use crate::model::experiment::ProbeSpec;
use crate::model::observation::{ErrorClass, Observation};
use crate::probe::{Probe, Seen};

/// Slots are sent on when so many are complete,
const BATCH_SLOTS: usize = 256;
/// or when the oldest has waited this long.
const BATCH_WAITS_NS: u64 = 50_000_000;

/// How long a slot may wait: four deadlines, at least 2 s, so that a late answer is known as one.
#[must_use]
pub fn patience(deadline: Duration) -> Duration {
    (deadline * 4).max(Duration::from_secs(2))
}

/// A slot that is over.
pub struct Complete {
    pub due: Due,
    pub started_ns: u64,
    pub seen: Seen,
}

pub struct Lane {
    pub name: String,
    pub probe: Rc<dyn Probe>,
    /// Slots begun and not complete.
    pub under_way: usize,
    limits: Limits,
    ungraded: Vec<Complete>,
    ready: Vec<Observation>,
    oldest_ready_ns: u64,
}

impl Lane {
    pub fn new(name: String, spec: &ProbeSpec, probe: Box<dyn Probe>) -> Lane {
        let limits = Limits {
            deadline_ns: spec.deadline.nanos(),
            allowance_ns: allowance_ns(spec.rate.interval_ns(), spec.deadline.0),
        };
        Lane {
            name,
            probe: Rc::from(probe),
            under_way: 0,
            limits,
            ungraded: Vec::new(),
            ready: Vec::new(),
            oldest_ready_ns: 0,
        }
    }

    /// Its grade waits for the next beat.
    pub fn complete(&mut self, slot: Complete) {
        self.ungraded.push(slot);
    }

    /// There was no room to begin it: our own limit, not the system's.
    pub fn refuse(&mut self, due: Due) {
        let seen = Seen::now(Err(ErrorClass::Ours));
        self.complete(Complete { due, started_ns: seen.done_ns, seen });
    }

    /// Grades what was complete when the beat was sent; a stall up to then is known now.
    pub fn settle(&mut self, beat_ns: u64, stalls: &Stalls) {
        let known = self.ungraded.extract_if(.., |slot| slot.seen.done_ns <= beat_ns);
        for slot in known {
            if self.ready.is_empty() {
                self.oldest_ready_ns = beat_ns;
            }
            self.ready.push(observation(slot, self.limits, stalls));
        }
    }

    /// The slots to send now. `all`: without waiting for more.
    pub fn take(&mut self, now_ns: u64, all: bool) -> Option<Vec<Observation>> {
        let due = all
            || self.ready.len() >= BATCH_SLOTS
            || now_ns.saturating_sub(self.oldest_ready_ns) >= BATCH_WAITS_NS;
        (due && !self.ready.is_empty()).then(|| std::mem::take(&mut self.ready))
    }

    /// Nothing is under way and nothing waits.
    pub fn is_empty(&self) -> bool {
        self.under_way == 0 && self.ungraded.is_empty() && self.ready.is_empty()
    }
}

fn observation(slot: Complete, limits: Limits, stalls: &Stalls) -> Observation {
    let Complete { due, started_ns, seen } = slot;
    let times = Times { due: due.at_ns, started: started_ns, done: seen.done_ns };
    Observation {
        slot: due.slot,
        due_ns: due.at_ns,
        started_ns,
        done_ns: seen.done_ns,
        grade: grade(times, seen.answer, limits, stalls),
        error: seen.answer.err(),
        phases: seen.phases,
        write: seen.write,
        peer: seen.peer,
        age_ns: seen.age_ns,
    }
}

#[cfg(test)]
mod tests {
    use futures::future::LocalBoxFuture;

    use super::*;
    use crate::model::observation::Grade;

    struct Idle;

    impl Probe for Idle {
        fn observe(&self, _slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
            Box::pin(async { Seen::now(Ok(())) })
        }
    }

    const MS: u64 = 1_000_000;

    fn lane() -> Lane {
        let spec = serde_json::json!({"kind": "tcp", "params": {}, "rate": "200/s",
            "deadline": "250ms", "steady": true, "slo": null});
        Lane::new("p".to_owned(), &serde_json::from_value(spec).unwrap(), Box::new(Idle))
    }

    fn complete(slot: u64, done_ns: u64) -> Complete {
        let seen = Seen { done_ns, ..Seen::now(Ok(())) };
        Complete { due: Due { at_ns: done_ns, lane: 0, slot }, started_ns: done_ns, seen }
    }

    #[test]
    fn a_slot_waits_for_a_beat_that_was_sent_after_it() {
        let (mut lane, stalls) = (lane(), Stalls::new(0, Duration::from_secs(1)));
        lane.complete(complete(0, 10 * MS));
        lane.settle(10 * MS - 1, &stalls);
        assert!(lane.take(u64::MAX, true).is_none());
        assert!(!lane.is_empty());
        lane.settle(10 * MS, &stalls);
        assert_eq!(lane.take(0, true).unwrap().len(), 1);
        assert!(lane.is_empty());
    }

    #[test]
    fn a_batch_goes_when_it_is_full_or_old_and_keeps_the_order() {
        let (mut lane, stalls) = (lane(), Stalls::new(0, Duration::from_secs(1)));
        for slot in [2, 0, 1] {
            lane.complete(complete(slot, MS));
        }
        lane.settle(5 * MS, &stalls);
        assert!(lane.take(54 * MS, false).is_none());
        let slots: Vec<_> = lane.take(55 * MS, false).unwrap().iter().map(|s| s.slot).collect();
        assert_eq!(slots, [2, 0, 1]);
        (0..255).for_each(|slot| lane.complete(complete(slot, 56 * MS)));
        lane.settle(60 * MS, &stalls);
        assert!(lane.take(60 * MS, false).is_none());
        lane.complete(complete(255, 61 * MS));
        lane.settle(65 * MS, &stalls);
        assert_eq!(lane.take(65 * MS, false).unwrap().len(), 256);
    }

    #[test]
    fn a_slot_that_was_never_begun_is_ours() {
        let (mut lane, stalls) = (lane(), Stalls::new(0, Duration::from_secs(1)));
        lane.refuse(Due { at_ns: 0, lane: 0, slot: 0 });
        lane.settle(u64::MAX, &stalls);
        let slot = lane.take(0, true).unwrap().remove(0);
        assert_eq!((slot.grade, slot.error), (Grade::Invalid, Some(ErrorClass::Ours)));
    }

    #[test]
    fn patience_is_four_deadlines_and_at_least_two_seconds() {
        assert_eq!(patience(Duration::from_millis(250)), Duration::from_secs(2));
        assert_eq!(patience(Duration::from_secs(1)), Duration::from_secs(4));
    }
}

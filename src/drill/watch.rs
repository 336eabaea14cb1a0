//! Is it steady? For each probe: since when has every slot been good.

use std::collections::BTreeMap;

use crate::model::experiment::ProbeSpec;
use crate::model::observation::{Grade, Observation};

/// The goodness of every probe that belongs to the steady state.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    probes: BTreeMap<String, Goodness>,
}

#[derive(Debug, Clone, Default)]
struct Goodness {
    /// From one slot to the next, and the deadline, nanoseconds.
    interval_ns: u64,
    deadline_ns: u64,
    last_good_due: Option<u64>,
    last_good_done: u64,
    last_not_good_due: Option<u64>,
}

impl Watch {
    #[must_use]
    pub fn of(probes: &BTreeMap<String, ProbeSpec>) -> Watch {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is above 0 and at most 100000/s, so an interval fits"
        )]
        let goodness = |spec: &ProbeSpec| Goodness {
            interval_ns: spec.rate.interval_ns() as u64,
            deadline_ns: spec.deadline.nanos(),
            ..Goodness::default()
        };
        let steady = probes.iter().filter(|(_, spec)| spec.steady);
        Watch { probes: steady.map(|(name, spec)| (name.clone(), goodness(spec))).collect() }
    }

    pub fn take(&mut self, probe: &str, slots: &[Observation]) {
        let Some(goodness) = self.probes.get_mut(probe) else { return };
        for slot in slots {
            if slot.grade == Grade::Good {
                goodness.last_good_due = goodness.last_good_due.max(Some(slot.due_ns));
                goodness.last_good_done = goodness.last_good_done.max(slot.done_ns);
            } else {
                goodness.last_not_good_due = goodness.last_not_good_due.max(Some(slot.due_ns));
            }
        }
    }

    /// Has every probe been good for `length`, counted from `since` at the earliest? Silence is not
    /// good: a probe whose last answer is older than it may be does not count.
    #[must_use]
    pub fn steady_for(&self, length_ns: u64, since: u64, now: u64) -> bool {
        self.probes.values().all(|probe| probe.steady_for(length_ns, since, now))
    }

    /// The probes that are not, for the message.
    #[must_use]
    pub fn unsteady(&self, length_ns: u64, since: u64, now: u64) -> Vec<String> {
        let not = |(name, probe): (&String, &Goodness)| {
            (!probe.steady_for(length_ns, since, now)).then(|| name.clone())
        };
        self.probes.iter().filter_map(not).collect()
    }
}

impl Goodness {
    fn steady_for(&self, length_ns: u64, since: u64, now: u64) -> bool {
        let Some(good) = self.last_good_due else { return false };
        let from = self.last_not_good_due.map_or(since, |bad| bad.max(since));
        let fresh = now.saturating_sub(self.last_good_done)
            <= 2 * self.interval_ns + self.deadline_ns + BATCH_NS;
        let since_bad = self.last_not_good_due.is_none_or(|bad| good > bad) && good >= from;
        fresh && since_bad && good - from >= length_ns.saturating_sub(self.interval_ns)
    }
}

/// The prober sends its slots in batches: how old the newest may be for that reason alone.
const BATCH_NS: u64 = 200_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::{Rate, Span};

    fn watch() -> Watch {
        let spec = ProbeSpec {
            kind: "tcp".into(),
            params: serde_json::Value::Null,
            rate: Rate(100.0),
            deadline: Span::millis(50),
            steady: true,
            slo: None,
            from: None,
        };
        Watch::of(&BTreeMap::from([("a".to_owned(), spec)]))
    }

    fn slots(from_ms: u64, to_ms: u64, grade: Grade) -> Vec<Observation> {
        let slot = |ms: u64| Observation {
            slot: ms / 10,
            due_ns: ms * 1_000_000,
            started_ns: ms * 1_000_000,
            done_ns: (ms + 1) * 1_000_000,
            grade,
            error: None,
            phases: None,
            write: None,
            peer: None,
            age_ns: None,
        };
        (from_ms..to_ms).step_by(10).map(slot).collect()
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn good_for_long_enough_is_steady() {
        let mut watch = watch();
        assert!(!watch.steady_for(1000 * MS, 0, 10 * MS));
        watch.take("a", &slots(0, 1000, Grade::Good));
        assert!(watch.steady_for(1000 * MS, 0, 1000 * MS));
        assert!(!watch.steady_for(1100 * MS, 0, 1000 * MS));
        assert!(!watch.steady_for(500 * MS, 700 * MS, 1000 * MS));
    }

    #[test]
    fn a_bad_slot_starts_the_count_again_even_when_it_is_told_late() {
        let mut watch = watch();
        watch.take("a", &slots(0, 1000, Grade::Good));
        watch.take("a", &slots(500, 510, Grade::Bad));
        assert!(!watch.steady_for(1000 * MS, 0, 1000 * MS));
        assert!(watch.steady_for(450 * MS, 0, 1000 * MS));
        assert_eq!(watch.unsteady(1000 * MS, 0, 1000 * MS), vec!["a"]);
    }

    #[test]
    fn an_invalid_slot_is_not_good() {
        let mut watch = watch();
        watch.take("a", &slots(0, 1000, Grade::Good));
        watch.take("a", &slots(900, 910, Grade::Invalid));
        assert!(!watch.steady_for(1000 * MS, 0, 1000 * MS));
    }

    #[test]
    fn a_newest_slot_that_is_bad_is_never_steady_however_slow_the_probe() {
        let mut watch = watch();
        watch.take("a", &slots(0, 10, Grade::Good));
        watch.take("a", &slots(10, 20, Grade::Bad));
        // The time asked for is no longer than the interval: one good slot would do.
        assert!(!watch.steady_for(5 * MS, 0, 30 * MS));
        watch.take("a", &slots(20, 30, Grade::Good));
        assert!(watch.steady_for(5 * MS, 0, 30 * MS));
    }

    #[test]
    fn silence_is_not_good() {
        let mut watch = watch();
        watch.take("a", &slots(0, 1000, Grade::Good));
        assert!(!watch.steady_for(500 * MS, 0, 1400 * MS));
    }
}

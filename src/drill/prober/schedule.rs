//! When each slot of each probe is due. Pure: the next due time follows from the slot's number
//! alone, so no delay adds up and nothing drifts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::units::Rate;

/// A slot and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at_ns: u64,
    /// Index of the probe.
    pub lane: usize,
    pub slot: u64,
}

/// The slots of all probes in the order in which they are due.
#[derive(Debug)]
pub struct Schedule {
    start_ns: u64,
    intervals_ns: Vec<f64>,
    next: BinaryHeap<Reverse<Due>>,
}

impl Schedule {
    pub fn new(start_ns: u64, rates: &[Rate]) -> Schedule {
        let intervals_ns: Vec<f64> = rates.iter().map(|rate| rate.interval_ns()).collect();
        let first = |lane| Reverse(Due { at_ns: start_ns, lane, slot: 0 });
        let next = (0..rates.len()).map(first).collect();
        Schedule { start_ns, intervals_ns, next }
    }

    pub fn next_ns(&self) -> Option<u64> {
        self.next.peek().map(|Reverse(due)| due.at_ns)
    }

    /// The next slot, if it is due by now; the one after it takes its place.
    pub fn pop(&mut self, now_ns: u64) -> Option<Due> {
        let Reverse(due) = *self.next.peek().filter(|Reverse(due)| due.at_ns <= now_ns)?;
        self.next.pop();
        let slot = due.slot + 1;
        self.next.push(Reverse(Due { at_ns: self.due_ns(due.lane, slot), slot, ..due }));
        Some(due)
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "exact to the nanosecond for 100 days; neither factor is negative"
    )]
    fn due_ns(&self, lane: usize, slot: u64) -> u64 {
        self.start_ns + (slot as f64 * self.intervals_ns[lane]).round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_due_at_its_number_over_the_rate_however_late_it_is_taken() {
        let mut schedule = Schedule::new(1_000, &[Rate(3.0)]);
        // Taken in one go, long after.
        let taken: Vec<_> = (0..4).map(|_| schedule.pop(u64::MAX).unwrap().at_ns).collect();
        assert_eq!(taken, [1_000, 333_334_333, 666_667_667, 1_000_001_000]);
        for _ in 4..30_000 {
            schedule.pop(u64::MAX).unwrap();
        }
        assert_eq!(schedule.next_ns(), Some(10_000_000_001_000));
    }

    #[test]
    fn nothing_is_due_early_and_lanes_take_turns_by_time() {
        let mut schedule = Schedule::new(0, &[Rate(100.0), Rate(50.0)]);
        let order: Vec<_> =
            std::iter::from_fn(|| schedule.pop(20_000_000)).map(|d| (d.lane, d.slot)).collect();
        assert_eq!(order, [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1)]);
        assert_eq!(schedule.pop(29_999_999), None);
        assert_eq!(schedule.pop(30_000_000).unwrap().slot, 3);
    }
}

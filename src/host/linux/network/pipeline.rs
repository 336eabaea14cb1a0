//! The packets of one namespace on their way through the stages: who is lost, who is held until
//! when. Pure: time comes as an argument, verdicts go out as values.
//!
//! Loss comes before delay. Several delays add up, and within each one no packet overtakes an
//! earlier one. Removing a stage lets go at once, in order of arrival, what only that stage held;
//! every other packet leaves exactly when it would have left had that stage never been.

use std::collections::BTreeMap;

use super::queue::{Verdict, Waiting};
use super::stage::Stage;

/// Stages and held packets. A stage is known by its bit of the packet mark.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    stages: BTreeMap<u32, Lane>,
    /// By deadline, then by order of arrival.
    held: BTreeMap<(u64, u64), Held>,
    arrived: u64,
    /// Every bit that was ever a stage's: a packet goes on without it.
    known: u32,
}

/// A stage, and the latest deadline that it gave: the next may not be earlier.
#[derive(Debug)]
struct Lane {
    stage: Stage,
    latest: u64,
}

#[derive(Debug)]
struct Held {
    verdict: Verdict,
    arrived_ns: u64,
    /// Stage by stage, how long it holds this packet.
    shares: Vec<(u32, u64)>,
}

impl Pipeline {
    pub fn add(&mut self, bit: u32, stage: Stage) {
        self.known |= bit;
        self.stages.insert(bit, Lane { stage, latest: 0 });
    }

    /// Takes a stage out; what is due now because of it is released.
    pub fn remove(&mut self, bit: u32, now_ns: u64, released: &mut Vec<Verdict>) {
        if self.stages.remove(&bit).is_none() {
            return;
        }
        let mut by_arrival: Vec<(u64, Held)> =
            std::mem::take(&mut self.held).into_iter().map(|(key, held)| (key.1, held)).collect();
        by_arrival.sort_unstable_by_key(|(number, _)| *number);
        for lane in self.stages.values_mut() {
            lane.latest = 0;
        }
        for (number, mut held) in by_arrival {
            held.shares.retain(|(stage, _)| *stage != bit);
            let due = self.deadline(held.arrived_ns, &held.shares);
            self.held.insert((due, number), held);
        }
        self.release(now_ns, released);
    }

    /// Does any stage want every segment by itself?
    pub fn loses(&self) -> bool {
        self.stages.values().any(|lane| lane.stage.loses())
    }

    /// A packet came. Its verdict, or None while it is held.
    pub fn arrive(&mut self, packet: Waiting, now_ns: u64) -> Option<Verdict> {
        let mut shares = Vec::new();
        let mut lost = false;
        for (bit, lane) in self.stages.iter_mut().filter(|(bit, _)| packet.mark & **bit != 0) {
            lost = lost || lane.stage.takes();
            shares.extend(lane.stage.holds().map(|share| (*bit, share)));
        }
        if lost {
            return Some(Verdict { id: packet.id, mark: None });
        }
        let verdict = Verdict { id: packet.id, mark: Some(packet.mark & !self.known) };
        if shares.is_empty() {
            return Some(verdict);
        }
        let due = self.deadline(now_ns, &shares);
        self.held.insert((due, self.arrived), Held { verdict, arrived_ns: now_ns, shares });
        self.arrived += 1;
        None
    }

    /// Everything that is due by now, in order.
    pub fn release(&mut self, now_ns: u64, released: &mut Vec<Verdict>) {
        while let Some(entry) = self.held.first_entry() {
            if entry.key().0 > now_ns {
                break;
            }
            released.push(entry.remove().verdict);
        }
    }

    /// When the next packet is due.
    pub fn next_due(&self) -> Option<u64> {
        self.held.first_key_value().map(|(key, _)| key.0)
    }

    /// Passes a packet through its delays, one after the other.
    fn deadline(&mut self, arrived_ns: u64, shares: &[(u32, u64)]) -> u64 {
        let mut due = arrived_ns;
        for (bit, share) in shares {
            due = due.saturating_add(*share);
            if let Some(lane) = self.stages.get_mut(bit) {
                due = due.max(lane.latest);
                lane.latest = due;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::network::Effect;
    use crate::model::units::{Percent, Span};

    const A: u32 = 1 << 16;
    const B: u32 = 1 << 17;
    const MS: u64 = 1_000_000;

    fn delay(ms: u64, jitter: u64) -> Stage {
        let (delay, jitter) = (Span::millis(ms), Span::millis(jitter));
        Stage::new(&Effect::Delay { delay, jitter, seed: 3 }).unwrap()
    }

    fn ids(verdicts: &[Verdict]) -> Vec<u32> {
        verdicts.iter().map(|v| v.id).collect()
    }

    fn released(pipeline: &mut Pipeline, now: u64) -> Vec<u32> {
        let mut out = Vec::new();
        pipeline.release(now, &mut out);
        ids(&out)
    }

    #[test]
    fn a_mark_keeps_what_is_not_ours() {
        let mut pipeline = Pipeline::default();
        pipeline.add(A, delay(1, 0));
        let foreign = 0x77 | (1 << 30);
        let passed = pipeline.arrive(Waiting { id: 1, mark: foreign }, 0).unwrap();
        assert_eq!(passed.mark, Some(foreign));
        assert_eq!(pipeline.arrive(Waiting { id: 2, mark: foreign | A }, 0), None);
        let mut out = Vec::new();
        pipeline.release(MS, &mut out);
        assert_eq!(out, [Verdict { id: 2, mark: Some(foreign) }]);
    }

    #[test]
    fn jitter_never_reorders() {
        let mut pipeline = Pipeline::default();
        pipeline.add(A, delay(50, 40));
        for id in 0..500 {
            assert_eq!(pipeline.arrive(Waiting { id, mark: A }, u64::from(id) * MS), None);
        }
        assert_eq!(released(&mut pipeline, 9 * MS), [0_u32; 0]);
        assert_eq!(released(&mut pipeline, 1000 * MS), (0..500).collect::<Vec<_>>());
    }

    #[test]
    fn delays_add_up_and_loss_comes_first() {
        let mut pipeline = Pipeline::default();
        pipeline.add(A, delay(10, 0));
        pipeline.add(B, delay(20, 0));
        pipeline.arrive(Waiting { id: 1, mark: A | B }, 0);
        pipeline.arrive(Waiting { id: 2, mark: B }, 0);
        assert_eq!(pipeline.next_due(), Some(30 * MS));
        let all = Effect::Lose { percent: Percent(100.0), seed: 1 };
        pipeline.add(1 << 18, Stage::new(&all).unwrap());
        let lost = pipeline.arrive(Waiting { id: 3, mark: A | (1 << 18) }, 0);
        assert_eq!(lost, Some(Verdict { id: 3, mark: None }));
        assert!(pipeline.loses());
    }

    #[test]
    fn removal_lets_go_its_own_at_once_in_order_and_nothing_else() {
        let mut pipeline = Pipeline::default();
        pipeline.add(A, delay(100, 30));
        pipeline.add(B, delay(50, 0));
        for id in 0..100 {
            let mark = if id % 2 == 0 { A } else { B };
            pipeline.arrive(Waiting { id, mark }, u64::from(id) * MS / 10);
        }
        let mut out = Vec::new();
        pipeline.remove(A, 20 * MS, &mut out);
        assert_eq!(ids(&out), (0..100).step_by(2).collect::<Vec<_>>());
        assert_eq!(pipeline.next_due(), Some(50 * MS + MS / 10));
        assert_eq!(released(&mut pipeline, 100 * MS), (1..100).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn a_packet_of_two_delays_keeps_the_other() {
        let mut pipeline = Pipeline::default();
        pipeline.add(A, delay(100, 0));
        pipeline.add(B, delay(50, 0));
        pipeline.arrive(Waiting { id: 1, mark: A | B }, 0);
        // Behind packet 1 in stage B, so it waits for it there.
        pipeline.arrive(Waiting { id: 2, mark: B }, MS);
        assert_eq!(pipeline.next_due(), Some(150 * MS));
        let mut out = Vec::new();
        pipeline.remove(A, 2 * MS, &mut out);
        assert!(out.is_empty());
        assert_eq!(released(&mut pipeline, 50 * MS), [1]);
        assert_eq!(released(&mut pipeline, 51 * MS), [2]);
    }

    #[test]
    fn what_was_marked_for_a_stage_that_is_gone_passes() {
        let mut pipeline = Pipeline::default();
        pipeline.add(A, delay(100, 0));
        pipeline.remove(A, 0, &mut Vec::new());
        let passed = pipeline.arrive(Waiting { id: 9, mark: A | 5 }, 0);
        assert_eq!(passed, Some(Verdict { id: 9, mark: Some(5) }));
    }
}

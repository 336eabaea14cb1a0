//! The clockwork of a method: which step is due, which hold is over.

use std::collections::BTreeMap;

use crate::model::id::InjectionId;
use crate::model::plan::PlannedStep;

/// Steps not yet injected, and injections by when they are to be reverted.
#[derive(Debug, Default)]
pub struct Steps {
    /// Index of the plan's step and when it is due, the next one last.
    waiting: Vec<(usize, u64)>,
    in_force: BTreeMap<InjectionId, InForce>,
    /// A null drill holds without injecting: when its last hold would be over.
    null_until_ns: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InForce {
    hold_ns: u64,
    /// None: not yet seen in force.
    over_ns: Option<u64>,
    reverting: bool,
}

impl Steps {
    #[must_use]
    pub fn of(plan: &[PlannedStep], start_ns: u64, null: bool) -> Steps {
        let end = |step: &PlannedStep| start_ns + step.at.nanos() + step.hold.nanos();
        if null {
            let null_until_ns = plan.iter().map(end).max().unwrap_or(start_ns);
            return Steps { null_until_ns, ..Steps::default() };
        }
        let mut waiting: Vec<(usize, u64)> =
            plan.iter().enumerate().map(|(i, step)| (i, start_ns + step.at.nanos())).collect();
        waiting.sort_by_key(|(index, due)| std::cmp::Reverse((*due, *index)));
        Steps { waiting, in_force: BTreeMap::new(), null_until_ns: 0 }
    }

    /// The step that is due, if one is.
    pub fn due(&mut self, now: u64) -> Option<usize> {
        let due = self.waiting.last().is_some_and(|(_, at)| *at <= now);
        if due { self.waiting.pop().map(|(index, _)| index) } else { None }
    }

    pub fn ordered(&mut self, injection: InjectionId, hold_ns: u64) {
        self.in_force.insert(injection, InForce { hold_ns, over_ns: None, reverting: false });
    }

    /// It took hold: its hold counts from here.
    pub fn effective(&mut self, injection: &InjectionId, at_ns: u64) {
        if let Some(held) = self.in_force.get_mut(injection) {
            held.over_ns = Some(at_ns + held.hold_ns);
        }
    }

    /// The injections whose hold is over and that nobody was told to revert yet.
    pub fn over(&mut self, now: u64) -> Vec<InjectionId> {
        let mut over = Vec::new();
        for (id, held) in &mut self.in_force {
            if !held.reverting && held.over_ns.is_some_and(|at| at <= now) {
                held.reverting = true;
                over.push(id.clone());
            }
        }
        over
    }

    /// It ended, in whatever way.
    pub fn closed(&mut self, injection: &InjectionId) {
        self.in_force.remove(injection);
    }

    /// What nobody has said the end of.
    #[must_use]
    pub fn open(&self) -> Vec<InjectionId> {
        self.in_force.keys().cloned().collect()
    }

    #[must_use]
    pub fn done(&self, now: u64) -> bool {
        self.waiting.is_empty() && self.in_force.is_empty() && now >= self.null_until_ns
    }

    /// When something is due next.
    #[must_use]
    pub fn next_ns(&self) -> u64 {
        let step = self.waiting.last().map(|(_, at)| *at);
        let holds = self.in_force.values().filter(|h| !h.reverting).filter_map(|h| h.over_ns).min();
        let null = (self.null_until_ns > 0).then_some(self.null_until_ns);
        [step, holds, null].into_iter().flatten().min().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::experiment::Restore;
    use crate::model::id::DrillId;
    use crate::model::units::Span;

    fn step(at: u64, hold: u64) -> PlannedStep {
        PlannedStep {
            step: 0,
            at: Span::secs(at),
            hold: Span::secs(hold),
            deadline: Span::secs(hold + 5),
            kind: "processPause".into(),
            subjects: vec!["a".into()],
            restore: Restore::Undo,
            defence: String::new(),
            injections: 1,
        }
    }

    fn id(number: u16) -> InjectionId {
        InjectionId { drill: DrillId::from_bits(1), number }
    }

    const S: u64 = 1_000_000_000;

    #[test]
    fn steps_come_by_their_time_and_a_hold_counts_from_effective() {
        let mut steps = Steps::of(&[step(5, 2), step(0, 3)], 100 * S, false);
        assert_eq!(steps.next_ns(), 100 * S);
        assert_eq!(steps.due(100 * S), Some(1));
        assert_eq!(steps.due(100 * S), None);
        steps.ordered(id(1), 3 * S);
        assert!(steps.over(200 * S).is_empty(), "not effective yet");
        steps.effective(&id(1), 101 * S);
        assert_eq!(steps.next_ns(), 104 * S);
        assert!(steps.over(104 * S - 1).is_empty());
        assert_eq!(steps.over(104 * S), vec![id(1)]);
        assert!(steps.over(104 * S).is_empty(), "told once");
        assert_eq!(steps.next_ns(), 105 * S);
        steps.closed(&id(1));
        assert!(!steps.done(104 * S));
        assert_eq!(steps.due(105 * S), Some(0));
        assert!(steps.done(105 * S));
    }

    #[test]
    fn a_null_drill_holds_and_injects_nothing() {
        let mut steps = Steps::of(&[step(1, 2)], 100 * S, true);
        assert_eq!(steps.due(102 * S), None);
        assert!(!steps.done(103 * S - 1));
        assert_eq!(steps.next_ns(), 103 * S);
        assert!(steps.done(103 * S));
    }
}

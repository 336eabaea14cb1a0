//! The clockwork of a method: which step is due, which hold is over.

use std::collections::BTreeMap;

use crate::model::id::InjectionId;
use crate::model::plan::PlannedStep;
use crate::model::units::Span;

/// How long an order may stay without any answer. Whoever obeys it is silent meanwhile, and after a
/// lease of that the guardian replaces it: this is for what no heartbeat shows.
pub const ANSWERED_WITHIN: Span = Span::secs(10);

/// Steps not yet injected, and injections by when they are to be reverted.
#[derive(Debug, Default)]
pub struct Steps {
    /// Index of the plan's step and when it is due, the next one last.
    waiting: Vec<(usize, u64)>,
    in_force: BTreeMap<InjectionId, InForce>,
    /// When an order was answered last: they are obeyed one after the other.
    answered_ns: u64,
    /// How much longer an undo may take than another order.
    patience: Span,
    /// A null drill holds without injecting: when its last hold would be over.
    null_until_ns: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InForce {
    hold_ns: u64,
    /// None: not yet seen in force.
    over_ns: Option<u64>,
    reverting: bool,
    /// When it was ordered, or ordered to be reverted; None: that was answered.
    asked_ns: Option<u64>,
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
        Steps { waiting, ..Steps::default() }
    }

    /// As they are, but an undo may take that much longer.
    #[must_use]
    pub fn patient(self, patience: Span) -> Steps {
        Steps { patience, ..self }
    }

    /// The step that is due, if one is.
    pub fn due(&mut self, now: u64) -> Option<usize> {
        let due = self.waiting.last().is_some_and(|(_, at)| *at <= now);
        if due { self.waiting.pop().map(|(index, _)| index) } else { None }
    }

    pub fn ordered(&mut self, injection: InjectionId, hold_ns: u64, now: u64) {
        let ordered = InForce { hold_ns, over_ns: None, reverting: false, asked_ns: Some(now) };
        self.in_force.insert(injection, ordered);
    }

    /// It took hold: its hold counts from here.
    pub fn effective(&mut self, injection: &InjectionId, at_ns: u64) {
        self.answered_ns = self.answered_ns.max(at_ns);
        if let Some(held) = self.in_force.get_mut(injection) {
            held.over_ns = Some(at_ns + held.hold_ns);
            held.asked_ns = None;
        }
    }

    /// The injections whose hold is over and that nobody was told to revert yet.
    pub fn over(&mut self, now: u64) -> Vec<InjectionId> {
        let mut over = Vec::new();
        for (id, held) in &mut self.in_force {
            if !held.reverting && held.over_ns.is_some_and(|at| at <= now) {
                held.reverting = true;
                held.asked_ns = Some(now);
                over.push(id.clone());
            }
        }
        over
    }

    /// It ended, in whatever way.
    pub fn closed(&mut self, injection: &InjectionId, now: u64) {
        self.answered_ns = self.answered_ns.max(now);
        self.in_force.remove(injection);
    }

    /// An injection of which an order has stayed without an answer for too long.
    #[must_use]
    pub fn unanswered(&self, now: u64) -> Option<InjectionId> {
        let late = |held: &InForce| self.answer_due(held).is_some_and(|due| due <= now);
        self.in_force.iter().find(|(_, held)| late(held)).map(|(id, _)| id.clone())
    }

    fn answer_due(&self, held: &InForce) -> Option<u64> {
        let patience = if held.reverting { self.patience.nanos() } else { 0 };
        let within = ANSWERED_WITHIN.nanos() + patience;
        held.asked_ns.map(|asked| asked.max(self.answered_ns) + within)
    }

    /// When its hold is over; None: it is not in force yet, or no more.
    #[must_use]
    pub fn ends_ns(&self, injection: &InjectionId) -> Option<u64> {
        self.in_force.get(injection).filter(|held| !held.reverting)?.over_ns
    }

    /// Has nobody said its end?
    #[must_use]
    pub fn is_open(&self, injection: &InjectionId) -> bool {
        self.in_force.contains_key(injection)
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
        let answer = self.in_force.values().filter_map(|held| self.answer_due(held)).min();
        let null = (self.null_until_ns > 0).then_some(self.null_until_ns);
        [step, holds, answer, null].into_iter().flatten().min().unwrap_or(u64::MAX)
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
        steps.ordered(id(1), 3 * S, 100 * S);
        assert!(steps.over(200 * S).is_empty(), "not effective yet");
        steps.effective(&id(1), 101 * S);
        assert_eq!(steps.next_ns(), 104 * S);
        assert!(steps.over(104 * S - 1).is_empty());
        assert_eq!(steps.over(104 * S), vec![id(1)]);
        assert!(steps.over(104 * S).is_empty(), "told once");
        assert_eq!(steps.next_ns(), 105 * S);
        steps.closed(&id(1), 104 * S);
        assert!(!steps.done(104 * S));
        assert_eq!(steps.due(105 * S), Some(0));
        assert!(steps.done(105 * S));
    }

    #[test]
    fn an_order_is_answered_in_time_or_said_not_to_be() {
        let (mut steps, within) = (Steps::default(), ANSWERED_WITHIN.nanos());
        steps.ordered(id(1), 30 * S, 100 * S);
        steps.ordered(id(2), 30 * S, 100 * S);
        assert_eq!(steps.next_ns(), 100 * S + within, "nobody waits for ever");
        assert_eq!(steps.unanswered(100 * S + within - 1), None);
        assert_eq!(steps.unanswered(100 * S + within), Some(id(1)));
        // The second is obeyed after the first: its time counts from there.
        steps.effective(&id(1), 105 * S);
        assert_eq!(steps.unanswered(105 * S + within - 1), None);
        assert_eq!(steps.unanswered(105 * S + within), Some(id(2)));
        steps.closed(&id(2), 106 * S);
        assert_eq!(steps.unanswered(130 * S), None, "one that is held owes nothing");
        assert_eq!(steps.over(135 * S), vec![id(1)]);
        assert_eq!(steps.next_ns(), 135 * S + within, "the undo is waited for no longer either");
        assert_eq!(steps.unanswered(135 * S + within), Some(id(1)));
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

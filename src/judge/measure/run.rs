//! Runs: maximal stretches of slots that were not good, and which of them are outages.
//!
//! Slots come in the order of their due times. Gaps of up to [`MERGED_GAP`] good slots belong to
//! the run around them: a service that answers three times between two refusals is not back.
//! Invalid slots say nothing about the service: they neither lengthen a run, nor break one.
//!
//! **When is a run an outage?** One bad slot is enough. A run of nothing but late answers is one
//! only when its answers stay late for longer than the deadline itself. A silence no longer than
//! the deadline costs nobody an answer; TCP's retransmission, which doubles its timer, can stretch
//! it to twice that on a kept connection, and the slots that waited then stay late for up to one
//! deadline. So up to one deadline of lateness can come from a blackout shorter than the deadline,
//! which is `late`; beyond it the service was really away, or too slow to be of use, and by the
//! user's own deadline that is not service. A merged gap must not sum rare late answers to an
//! outage, so the lateness is counted without a good slot in between.

use crate::model::observation::{Grade, Observation};

/// Up to so many good slots between two that are not good do not end a run.
pub const MERGED_GAP: u64 = 3;

/// A slot as far as runs are concerned.
pub trait Graded {
    fn due_ns(&self) -> u64;
    fn grade(&self) -> Grade;
}

impl Graded for &Observation {
    fn due_ns(&self) -> u64 {
        self.due_ns
    }

    fn grade(&self) -> Grade {
        self.grade
    }
}

/// Indices of the first and the last slot of a run; neither of them is good or invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub first: usize,
    pub last: usize,
}

/// Every run of slots in the order of their due times.
#[must_use]
pub fn runs<S: Graded>(slots: &[S]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut good_since = 0;
    for (index, slot) in slots.iter().enumerate() {
        match slot.grade() {
            Grade::Invalid => {}
            Grade::Good => good_since += 1,
            Grade::Late | Grade::Bad => {
                match runs.last_mut() {
                    Some(run) if good_since <= MERGED_GAP => run.last = index,
                    _ => runs.push(Run { first: index, last: index }),
                }
                good_since = 0;
            }
        }
    }
    runs
}

/// See the module's rule.
#[must_use]
pub fn is_outage<S: Graded>(run: Run, slots: &[S], deadline_ns: u64) -> bool {
    let mut late_since: Option<u64> = None;
    for slot in &slots[run.first..=run.last] {
        match slot.grade() {
            Grade::Bad => return true,
            Grade::Good => late_since = None,
            Grade::Invalid => {}
            Grade::Late => {
                let since = *late_since.get_or_insert(slot.due_ns());
                if slot.due_ns() - since > deadline_ns {
                    return true;
                }
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mark(u64, Grade);

    impl Graded for Mark {
        fn due_ns(&self) -> u64 {
            self.0
        }

        fn grade(&self) -> Grade {
            self.1
        }
    }

    /// One letter a slot, 10 apart: good, late, bad, x for invalid.
    fn marks(text: &str) -> Vec<Mark> {
        let grade = |letter| match letter {
            'g' => Grade::Good,
            'l' => Grade::Late,
            'b' => Grade::Bad,
            _ => Grade::Invalid,
        };
        text.chars().zip(0..).map(|(letter, i)| Mark(i * 10, grade(letter))).collect()
    }

    fn spans(text: &str) -> Vec<(usize, usize)> {
        runs(&marks(text)).iter().map(|run| (run.first, run.last)).collect()
    }

    #[test]
    fn three_good_slots_merge_and_four_do_not() {
        assert_eq!(spans("gbbgggbg"), [(1, 6)]);
        assert_eq!(spans("gbbggggbg"), [(1, 2), (7, 7)]);
        assert_eq!(spans("gbg"), [(1, 1)]);
        assert_eq!(spans("gggg"), []);
        assert_eq!(spans("bgb"), [(0, 2)]);
    }

    #[test]
    fn invalid_slots_neither_lengthen_nor_break_a_run() {
        assert_eq!(spans("gxbxxxxxxbxg"), [(2, 9)]);
        assert_eq!(spans("gbgxgxgxbg"), [(1, 8)]);
        assert_eq!(spans("gbgxgxgxgbg"), [(1, 1), (9, 9)]);
        assert_eq!(spans("xxxx"), []);
    }

    fn outage(text: &str, deadline_ns: u64) -> bool {
        let marks = marks(text);
        is_outage(runs(&marks)[0], &marks, deadline_ns)
    }

    #[test]
    fn late_alone_is_an_outage_only_when_it_outlasts_the_deadline() {
        assert!(!outage("gllllg", 30));
        assert!(outage("gllllg", 29));
        assert!(outage("glllbg", 30));
        assert!(!outage("glglglglglglg", 30), "rare late answers do not add up");
        assert!(outage("glxxxxlg", 30), "an invalid slot is no good answer in between");
    }
}

//! Where a drill stands in the end: one outcome out of everything that speaks for another, and one
//! sentence that says why.
//!
//! Precedence: stuck, deviated, aborted, inconclusive, held. A stop condition that was met is a
//! deviated claim. Only people, faults that could not be put in force and the death of a part
//! abort; the death of the prober makes figures doubtful instead. Held needs every claim to hold,
//! at least one claim, every planned fault in force, every injection closed, the world read back
//! with nothing left in it, and a history that is whole.

use super::measure::Measured;
use super::measure::timeline::Timeline;
use super::words::counted;
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::model::verdict::ClaimReport;

/// Everything that speaks for an outcome other than held, in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    pub stuck: Vec<String>,
    pub deviated: Vec<String>,
    pub aborted: Option<String>,
    /// Of the drill as a whole.
    pub doubts: Vec<String>,
    pub inconclusive: Vec<String>,
    pub held: u64,
    pub null: bool,
}

impl Standing {
    #[must_use]
    pub fn of(timeline: &Timeline, measured: &Measured, claims: &[ClaimReport]) -> Standing {
        let of = |verdict: ClaimVerdict| claims.iter().filter(move |c| c.verdict == verdict);
        let told = |verdict| {
            of(verdict).map(|c| format!("{} {verdict}: {}", c.claim, c.finding)).collect()
        };
        Standing {
            stuck: stuck(timeline),
            deviated: told(ClaimVerdict::Deviated),
            aborted: timeline.cut_short(),
            doubts: doubts(timeline, measured, claims),
            inconclusive: told(ClaimVerdict::Inconclusive),
            held: of(ClaimVerdict::Held).map(|_| 1).sum(),
            null: measured.null,
        }
    }

    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if !self.stuck.is_empty() {
            Outcome::Stuck
        } else if !self.deviated.is_empty() {
            Outcome::Deviated
        } else if self.aborted.is_some() {
            Outcome::Aborted
        } else if !self.doubts.is_empty() || !self.inconclusive.is_empty() || self.held == 0 {
            Outcome::Inconclusive
        } else {
            Outcome::Held
        }
    }

    /// One sentence: why it is that outcome.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.outcome() {
            Outcome::Stuck => first_of(&self.stuck, "thing"),
            Outcome::Deviated => first_of(&self.deviated, "claim"),
            Outcome::Aborted | Outcome::Refused => self.aborted.clone().unwrap_or_default(),
            Outcome::Inconclusive if self.doubts.is_empty() => {
                first_of(&self.inconclusive, "claim")
            }
            Outcome::Inconclusive => first_of(&self.doubts, "doubt"),
            Outcome::Held => {
                let fault = if self.null { ", with no fault in force" } else { "" };
                let verb = if self.held == 1 { "claim held" } else { "claims held" };
                format!("{} {verb}{fault}", self.held)
            }
        }
    }
}

/// The first of them, and how many more there are.
fn first_of(all: &[String], noun: &str) -> String {
    let first = all.first().cloned().unwrap_or_default();
    match all.len() {
        0 | 1 => first,
        n => format!("{first} (and {} more)", counted(super::measure::axis::length(n - 1), noun)),
    }
}

fn stuck(timeline: &Timeline) -> Vec<String> {
    let injections = timeline.stuck.iter().map(|(id, why)| {
        let hit = timeline.effective.iter().find(|effective| effective.injection == **id);
        let what = hit.map_or_else(|| id.to_string(), |e| format!("{} on {}", e.kind, e.instance));
        format!("{what} could not be undone: {why}")
    });
    let residue = timeline.residue.unwrap_or_default().iter();
    injections.chain(residue.map(|left| format!("still in the world: {left}"))).collect()
}

fn doubts(timeline: &Timeline, measured: &Measured, claims: &[ClaimReport]) -> Vec<String> {
    let mut doubts: Vec<String> = measured.doubts.iter().map(|d| d.why.clone()).collect();
    if let Some(why) = timeline.prober_lost() {
        doubts.push(format!("the prober was lost: {why}"));
    }
    if claims.is_empty() {
        doubts.push("the experiment claims nothing".to_owned());
    }
    if !timeline.effective.is_empty() && timeline.residue.is_none() {
        doubts.push("the world was not read back after the drill".to_owned());
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of what can speak for an outcome.
    #[test]
    fn precedence_is_stuck_deviated_aborted_inconclusive_held() {
        for bits in 0..64_u32 {
            let bit = |n: u32| bits & (1 << n) != 0;
            let words = |on: bool| if on { vec!["why".to_owned()] } else { Vec::new() };
            let standing = Standing {
                stuck: words(bit(0)),
                deviated: words(bit(1)),
                aborted: bit(2).then(|| "why".to_owned()),
                doubts: words(bit(3)),
                inconclusive: words(bit(4)),
                held: u64::from(bit(5)),
                null: false,
            };
            let expected = match (bit(0), bit(1), bit(2), bit(3) || bit(4) || !bit(5)) {
                (true, _, _, _) => Outcome::Stuck,
                (false, true, _, _) => Outcome::Deviated,
                (false, false, true, _) => Outcome::Aborted,
                (false, false, false, true) => Outcome::Inconclusive,
                (false, false, false, false) => Outcome::Held,
            };
            assert_eq!(standing.outcome(), expected, "{bits:06b}");
            let silent = bits == 0;
            assert_eq!(standing.reason().is_empty(), silent, "{bits:06b}");
        }
    }

    #[test]
    fn a_reason_is_one_sentence_that_counts_the_rest() {
        let deviated = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let standing = Standing { deviated, ..Standing::default() };
        assert_eq!(standing.reason(), "a (and 2 claims more)");
        let held = Standing { held: 2, null: true, ..Standing::default() };
        assert_eq!(held.reason(), "2 claims held, with no fault in force");
    }
}

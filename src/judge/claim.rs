//! The one place where a figure meets its limit.
//!
//! The figure decides: at the limit or on its right side a claim held. When figure and limit lie
//! closer together than the figure's error, the finding says so, and the verdict stays: an operator
//! who wants a margin writes it into the limit. Doubts never let a claim hold; they let it deviate
//! only where the figure is wrong by more than its error. A figure that is only a bound (the outage
//! had not ended when the watch did) can deviate, and can never hold.

use super::doubt::{Doubt, Weight};
use crate::model::outcome::ClaimVerdict;
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// On which side of the limit the figure must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    AtMost,
    AtLeast,
}

/// What is claimed.
#[derive(Debug, Clone)]
pub struct Asked {
    pub check: &'static str,
    /// Empty where the check has no probe.
    pub probe: String,
    /// In words: `downtime of proxy at most 6s`.
    pub claim: String,
    pub limit: f64,
    pub unit: &'static str,
    pub side: Side,
}

/// What was measured, in the claim's unit.
#[derive(Debug, Clone)]
pub struct Figure {
    pub measured: f64,
    pub error: f64,
    /// In words: `2.31 s ± 0.02 s in 1 outage`.
    pub finding: String,
    /// Set where the figure is only a bound and the truth may be worse; says why.
    pub bound: Option<String>,
}

impl Asked {
    /// A length of time that may be at most so long.
    #[must_use]
    pub fn at_most(check: &'static str, probe: &str, (claim, limit): (String, Span)) -> Asked {
        Asked {
            check,
            probe: probe.to_owned(),
            claim,
            limit: limit.seconds(),
            unit: "seconds",
            side: Side::AtMost,
        }
    }

    /// Without a figure nothing is claimed to hold.
    #[must_use]
    pub fn unknown(self, why: impl Into<String>) -> ClaimReport {
        self.report(ClaimVerdict::Inconclusive, None, why.into())
    }

    #[must_use]
    pub fn weigh(self, figure: Figure, doubts: &[&Doubt]) -> ClaimReport {
        if let Some(void) = doubts.iter().find(|doubt| doubt.weight == Weight::Voids) {
            return self.unknown(void.why.clone());
        }
        let beyond = match self.side {
            Side::AtMost => figure.measured - self.limit,
            Side::AtLeast => self.limit - figure.measured,
        };
        let doubted = !doubts.is_empty();
        // Written so that a figure that is no number holds nothing.
        let verdict = if beyond > figure.error || (beyond > 0.0 && !doubted) {
            ClaimVerdict::Deviated
        } else if beyond <= 0.0 && !doubted && figure.bound.is_none() {
            ClaimVerdict::Held
        } else {
            ClaimVerdict::Inconclusive
        };
        let mut finding = figure.finding;
        if beyond.abs() < figure.error {
            finding.push_str("; the limit lies within the error");
        }
        if let Some(bound) = &figure.bound {
            finding.push_str("; ");
            finding.push_str(bound);
        }
        for doubt in doubts {
            finding.push_str("; ");
            finding.push_str(&doubt.why);
        }
        self.report(verdict, Some((figure.measured, figure.error)), finding)
    }

    fn report(
        self,
        verdict: ClaimVerdict,
        figure: Option<(f64, f64)>,
        finding: String,
    ) -> ClaimReport {
        ClaimReport {
            check: self.check.to_owned(),
            probe: self.probe,
            verdict,
            measured: figure.map(|(measured, _)| measured),
            error: figure.map(|(_, error)| error),
            limit: self.limit,
            unit: self.unit.to_owned(),
            claim: self.claim,
            finding,
            stop_condition: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(measured: f64, bound: bool, side: Side, doubts: &[&Doubt]) -> ClaimVerdict {
        let asked = Asked {
            check: "x",
            probe: String::new(),
            claim: String::new(),
            limit: 10.0,
            unit: "seconds",
            side,
        };
        let figure = Figure {
            measured,
            error: 1.0,
            finding: String::new(),
            bound: bound.then(|| "it went on".to_owned()),
        };
        asked.weigh(figure, doubts).verdict
    }

    #[test]
    fn the_figure_decides_and_doubts_only_weaken() {
        use ClaimVerdict::{Deviated, Held, Inconclusive};
        let weakens = Doubt::weakens("w");
        let voids = Doubt::voids("v");
        // measured, bound, no doubt, weakened, void
        let table = [
            (5.0, false, Held, Inconclusive, Inconclusive),
            (10.0, false, Held, Inconclusive, Inconclusive),
            (10.5, false, Deviated, Inconclusive, Inconclusive),
            (11.0, false, Deviated, Inconclusive, Inconclusive),
            (11.5, false, Deviated, Deviated, Inconclusive),
            (5.0, true, Inconclusive, Inconclusive, Inconclusive),
            (10.0, true, Inconclusive, Inconclusive, Inconclusive),
            (10.5, true, Deviated, Inconclusive, Inconclusive),
            (11.5, true, Deviated, Deviated, Inconclusive),
            (f64::NAN, false, Inconclusive, Inconclusive, Inconclusive),
        ];
        for (measured, bound, plain, weak, void) in table {
            let mirrored = 20.0 - measured;
            for (measured, side) in [(measured, Side::AtMost), (mirrored, Side::AtLeast)] {
                let all = [&weakens, &voids];
                assert_eq!(verdict(measured, bound, side, &[]), plain, "{measured} {side:?}");
                assert_eq!(verdict(measured, bound, side, &all[..1]), weak, "{measured} {side:?}");
                assert_eq!(verdict(measured, bound, side, &all), void, "{measured} {side:?}");
            }
        }
    }

    #[test]
    fn a_limit_within_the_error_is_said() {
        let weigh = |measured| {
            let asked = Asked {
                check: "x",
                probe: String::new(),
                claim: String::new(),
                limit: 10.0,
                unit: "seconds",
                side: Side::AtMost,
            };
            let finding = "found".to_owned();
            asked.weigh(Figure { measured, error: 1.0, finding, bound: None }, &[]).finding
        };
        assert!(weigh(9.5).contains("within the error"));
        assert!(weigh(10.5).contains("within the error"));
        assert_eq!(weigh(9.0), "found");
        assert_eq!(weigh(11.0), "found");
    }
}

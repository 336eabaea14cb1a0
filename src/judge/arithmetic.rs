//! Does what was measured fit the arithmetic of the plan? A figure that does not says that
//! something else is at work than what the timers tell, whether it is good or bad: nobody's claim
//! is judged
//! by it.

use crate::model::expectation::{Expectation, Milestone};
use crate::model::units::Span;

/// One milestone as it was seen, counted from the moment at which its step took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Reached {
    /// Index into the experiment's method.
    pub step: usize,
    pub milestone: Milestone,
    /// As the expectation names it: `node n1`, `deployment shop/web`.
    pub subject: String,
    pub seconds: f64,
    /// So much it may be off, either way.
    pub error: f64,
}

/// A sentence for each that was expected and seen.
#[must_use]
pub fn compared(expectations: &[Expectation], reached: &[Reached]) -> Vec<String> {
    let expected = |seen: &Reached| {
        expectations.iter().find(|expected| {
            expected.step == seen.step
                && expected.milestone == seen.milestone
                && expected.subjects.contains(&seen.subject)
        })
    };
    reached.iter().filter_map(|seen| Some(sentence(expected(seen)?, seen))).collect()
}

fn sentence(expected: &Expectation, seen: &Reached) -> String {
    let (earliest, latest) =
        (expected.earliest.seconds(), expected.latest.map_or(f64::INFINITY, Span::seconds));
    let fits = if seen.seconds + seen.error < earliest {
        format!("{:.1} s too early", earliest - seen.seconds)
    } else if seen.seconds - seen.error > latest {
        format!("{:.1} s too late", seen.seconds - latest)
    } else {
        "fits".to_owned()
    };
    format!(
        "step {}: {} of {} after {:.1} s, expected {} ({}): {fits}",
        seen.step + 1,
        seen.milestone.words(),
        seen.subject,
        seen.seconds,
        expected.range(),
        expected.because,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::Span;

    fn not_ready(earliest: u64, latest: u64) -> Expectation {
        Expectation {
            step: 0,
            milestone: Milestone::NodeNotReady,
            subjects: vec!["node n1".into()],
            earliest: Span::secs(earliest),
            latest: Some(Span::secs(latest)),
            because: "lease 4s renewed every 1s".into(),
            assumed: Vec::new(),
        }
    }

    fn told(seconds: f64, error: f64) -> String {
        let (milestone, subject) = (Milestone::NodeNotReady, "node n1".to_owned());
        let seen = Reached { step: 0, milestone, subject, seconds, error };
        compared(&[not_ready(7, 10)], &[seen]).pop().unwrap()
    }

    #[test]
    fn what_is_within_the_range_fits() {
        let words = "step 1: NotReady of node n1 after 8.4 s, expected 7s-10s (lease 4s renewed \
                     every 1s): fits";
        assert_eq!(told(8.4, 0.1), words);
        assert!(told(6.95, 0.1).ends_with("fits"), "within the error");
        assert!(told(10.05, 0.1).ends_with("fits"), "within the error");
        assert!(told(6.0, 0.1).ends_with("1.0 s too early"));
        assert!(told(12.5, 0.1).ends_with("2.5 s too late"));
    }

    #[test]
    fn only_what_was_expected_of_that_subject_is_compared() {
        let of = |step, milestone, subject: &str| {
            let subject = subject.to_owned();
            compared(
                &[not_ready(7, 10), Expectation { latest: None, ..not_ready(7, 10) }],
                &[Reached { step, milestone, subject, seconds: 99.0, error: 0.0 }],
            )
        };
        assert!(of(0, Milestone::NodeNotReady, "node n2").is_empty());
        assert!(of(1, Milestone::NodeNotReady, "node n1").is_empty());
        assert!(of(0, Milestone::PodEvicted, "node n1").is_empty());
        assert_eq!(of(0, Milestone::NodeNotReady, "node n1").len(), 1);
    }
}

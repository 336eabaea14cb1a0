//! Claims that the cluster's own arithmetic is against: what they ask for comes later than they ask
//! for it, or not while the fault is held.

use crate::model::expectation::{Expectation, Milestone};
use crate::model::experiment::{Claim, Experiment, Restore};
use crate::model::units::Span;

/// What each of these claims waits for. Names of checks, and nothing is asked of those that are not
/// here.
const AWAITS: [(&str, Milestone); 5] = [
    ("endpointsDropped", Milestone::EndpointDropped),
    ("rescheduled", Milestone::PodEvicted),
    ("podsReady", Milestone::PodEvicted),
    ("recovery", Milestone::EndpointDropped),
    ("rolloutCompletes", Milestone::RolloutComplete),
];

/// What is worth saying before a drill.
#[must_use]
pub fn warnings(experiment: &Experiment, expectations: &[Expectation]) -> Vec<String> {
    let mut told = Vec::new();
    for claim in &experiment.hypothesis {
        let Some(milestone) = awaited(&claim.check) else { continue };
        let Some(expected) = expectations.iter().find(|e| e.milestone == milestone) else {
            continue;
        };
        let words = format!(
            "{} of {} is expected {} after step {} took effect",
            milestone.words(),
            expected.subjects.join(" and "),
            expected.range(),
            expected.step + 1
        );
        let check = &claim.check;
        if let Some(within) = within(claim).filter(|within| *within < expected.earliest) {
            told.push(format!("`{check}` within {within} cannot hold: {words}"));
        } else if let Some(hold) = too_short(experiment, expected) {
            told.push(format!("a hold of {hold} is too short for `{check}`: {words}"));
        }
    }
    told
}

fn awaited(check: &str) -> Option<Milestone> {
    AWAITS.iter().find(|(name, _)| *name == check).map(|(_, milestone)| *milestone)
}

fn within(claim: &Claim) -> Option<Span> {
    claim.params.get("within")?.as_str()?.parse().ok()
}

/// What is undone by then does not bring it about. A kill is not undone.
fn too_short(experiment: &Experiment, expected: &Expectation) -> Option<Span> {
    let step = experiment.method.get(expected.step)?;
    let undone = step.facts.restore != Restore::None;
    (undone && step.hold < expected.latest.unwrap_or(expected.earliest)).then_some(step.hold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::{experiment, not_ready, step};
    use serde_json::json;

    fn told(check: &str, within: &str, hold: u64, restore: Restore) -> Vec<String> {
        let mut experiment = experiment(&[], vec![step(0, hold, "t", restore)]);
        experiment.hypothesis[0].check = check.into();
        experiment.hypothesis[0].params = json!({"within": within});
        let evicted = Expectation { milestone: Milestone::PodEvicted, ..not_ready(12, 16) };
        warnings(&experiment, &[evicted])
    }

    #[test]
    fn a_claim_that_comes_too_early_and_a_hold_that_is_too_short_are_said() {
        let early = told("rescheduled", "10s", 30, Restore::Kernel);
        let words = "eviction of node n1 is expected 12s-16s after step 1 took effect";
        assert_eq!(early, [format!("`rescheduled` within 10s cannot hold: {words}")]);
        let short = told("rescheduled", "30s", 15, Restore::Kernel);
        assert_eq!(short, [format!("a hold of 15s is too short for `rescheduled`: {words}")]);
        assert!(told("rescheduled", "12s", 16, Restore::Kernel).is_empty());
        assert!(told("rescheduled", "30s", 5, Restore::None).is_empty(), "nobody undoes it");
        assert!(told("downtime", "1s", 5, Restore::Kernel).is_empty());
    }
}

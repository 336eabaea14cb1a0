//! Things worth knowing before a drill that do not forbid it.

use crate::model::experiment::Restore;
use crate::model::plan::{BlastRadius, PlannedLab, PlannedStep};

use super::ground::Ground;

/// What the numbers of a plan say beside themselves.
#[must_use]
pub fn warnings(ground: &Ground, steps: &[PlannedStep], ceiling: &BlastRadius) -> Vec<String> {
    let mut found = Vec::new();
    for step in steps {
        found.extend(ground.lab.and_then(|lab| too_short(lab, step)));
    }
    for (service, (hit, of)) in &ceiling.services {
        if hit == of && *of > 1 {
            found.push(format!(
                "all {of} {service} may be hit at one moment: nothing is left to take over"
            ));
        }
    }
    if ground.experiment.hypothesis.is_empty() {
        found.push(
            "no hypothesis: the drill will break something and prove nothing; claim something \
             under `spec.hypothesis`"
                .to_owned(),
        );
    }
    found
}

/// A hold that ends before the mechanism's own timers can run out. Slow to notice is one thing, a
/// fault that was over before anybody could notice is a drill that shows nothing.
fn too_short(lab: &PlannedLab, step: &PlannedStep) -> Option<String> {
    let longer: Vec<String> = lab
        .timers
        .iter()
        .filter(|(_, timer)| step.restore != Restore::None && **timer > step.hold)
        .map(|(name, timer)| format!("{name} ({timer})"))
        .collect();
    (!longer.is_empty()).then(|| {
        format!(
            "step {} holds for {}, shorter than {}: the mechanism may not react in that time",
            step.step + 1,
            step.hold,
            longer.join(", ")
        )
    })
}

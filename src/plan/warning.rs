//! What the numbers of a plan say beside themselves. What the text of a file says is its reader's
//! to warn of, and comes in with the input.

use crate::model::plan::BlastRadius;

/// Things worth knowing before a drill that do not forbid it.
#[must_use]
pub fn warnings(ceiling: &BlastRadius) -> Vec<String> {
    let all = ceiling.services.iter().filter(|(_, (hit, of))| hit == of && *of > 1);
    all.map(|(service, (_, of))| {
        format!("all {of} {service} may be hit at one moment: nothing is left to take over")
    })
    .collect()
}

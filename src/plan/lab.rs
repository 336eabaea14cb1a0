//! The lab's share of a plan: who stands where, from the lab's document alone.

use crate::model::lab::LabSpec;
use crate::model::layout::Layout;
use crate::model::plan::PlannedLab;

/// Lays the lab out on paper. `sha256` is of the lab's text.
/// Errors: everything that is wrong with the layout, each in words.
pub fn lab(
    name: &str,
    path: &str,
    sha256: &str,
    spec: &LabSpec,
) -> Result<PlannedLab, Vec<String>> {
    let layout = Layout::of(spec)?;
    let mut candidates = layout.candidates;
    candidates.sort_by(|a, b| a.name.cmp(&b.name));
    // The nodes of a cluster are hosts, and have its zones.
    for candidate in &mut candidates {
        candidate.zone = layout.zones.get(&candidate.host.name).cloned();
    }
    Ok(PlannedLab {
        name: name.to_owned(),
        path: path.to_owned(),
        sha256: sha256.to_owned(),
        hosts: layout.hosts,
        candidates,
        timers: layout.timers,
    })
}

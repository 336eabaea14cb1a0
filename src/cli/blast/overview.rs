//! All drills of a map as one plan that a person reads: what is lost, how, and how long it takes.

use crate::model::blast::{BlastClaim, BlastMap};
use crate::model::plan::Plan;
use crate::model::units::Span;

/// `plans` are in the order of the map's services.
pub fn text(map: &BlastMap, plans: &[&Plan]) -> String {
    let mut lines = vec![map.title.clone(), String::new()];
    let mut row = |label: &str, words: &str| lines.push(format!("  {label:<9} {words}"));
    if let Some(plan) = plans.first() {
        let place = plan.lab.as_ref().map(|lab| format!("lab {}", lab.name));
        let clusters = plan.clusters.iter().map(|c| format!("cluster {}", c.cluster.context));
        let places: Vec<String> = place.into_iter().chain(clusters).collect();
        row("where", &places.join(", "));
    }
    let each = plans.iter().map(|plan| plan.blast_radius.longest_drill.0);
    let (count, most) = (plans.len(), Span(each.sum()));
    row("when", &format!("{count} drills, one after the other, {most} at most"));
    row("watched", &map.journeys.join(", "));
    row("hurt by", &format!("an outage longer than {}", map.hurt_by));
    for claim in &map.claims {
        let BlastClaim::Survives(survives) = claim;
        let losing = survives.losing.join(", ");
        row("holds if", &format!("{} survives the loss of {losing}", survives.journey));
    }
    lines.push(String::new());
    let widest = map.services.iter().map(String::len).max().unwrap_or(0);
    for (service, plan) in map.services.iter().zip(plans) {
        lines.push(format!("  {service:<widest$}  {}", done(plan)));
        lines.extend(plan.warnings.iter().map(|w| format!("  {:widest$}  warning: {w}", "")));
    }
    lines.join("\n")
}

/// `scale deployment shop/cart to 0 for 8s`.
fn done(plan: &Plan) -> String {
    let steps = plan.steps.iter().filter_map(|step| {
        let declared = plan.experiment.method.get(step.step)?;
        let names = step.subjects.iter().filter_map(|subject| plan.targets.get(subject));
        let hit: Vec<&str> =
            names.flat_map(|target| &target.candidates).map(|name| name.0.as_str()).collect();
        let what = declared.facts.summary.replace("{target}", &hit.join(", "));
        Some(format!("{what} for {}", step.hold))
    });
    steps.collect::<Vec<_>>().join("; ")
}

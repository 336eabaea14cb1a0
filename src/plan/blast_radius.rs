//! The most that a plan can touch at any moment, whatever roles turn out to be and whoever is
//! drawn.
//!
//! A step touches from its time until its deadline; one that cannot be undone, until the end of
//! the drill, since nobody promises that the system brings the instance back. A target whose role
//! binds at injection may be another instance at each step, and is counted so. The count may be
//! too high where faults of both footprints overlap; it is never too low.
//!
//! Counted are instances: those of a lab, and pods. A node is a host, and takes every pod on it; a
//! workload is its pods, and is none itself; a `ConfigMap` or a Secret is counted apart.

mod census;
mod harm;
mod heaviest;

use crate::model::experiment::{Experiment, Restore};
use crate::model::plan::{BlastRadius, PlannedStep};
use crate::model::units::Span;

use super::ground::Ground;
use super::step::GRACE;
use census::Census;
use harm::Harm;

/// Counts the worst case. Every subject of a step must be a target of the ground.
#[must_use]
pub fn blast_radius(ground: &Ground, steps: &[PlannedStep]) -> BlastRadius {
    let longest_hold = steps.iter().map(|s| s.hold).max().unwrap_or_default();
    let mut worst = BlastRadius {
        longest_hold,
        longest_drill: longest_drill(ground.experiment, steps),
        ..BlastRadius::default()
    };
    let census = Census::of(ground);
    for moment in steps.iter().map(|s| s.at) {
        let in_force: Vec<&PlannedStep> = steps.iter().filter(|s| touches(s, moment)).collect();
        let harm = Harm::of(ground, &census, &in_force);
        worst.instances = worst.instances.max(harm.instances());
        worst.hosts = worst.hosts.max(harm.hosts());
        worst.zones = worst.zones.max(harm.zones());
        worst.objects = worst.objects.max(harm.objects());
        for (service, of) in harm.services() {
            let hit = harm.hit(service).min(of);
            if hit > 0 {
                let share = worst.services.entry(service.to_owned()).or_insert((0, of));
                share.0 = share.0.max(hit);
            }
        }
    }
    worst
}

/// Steady state, method, the grace of the last revert, and the recovery watch; starting the lab
/// and the probes, and reading ledgers back, are not counted. What is not steady at once has all of
/// `within` to become so, and must then be steady for all of `for`: the two add up.
fn longest_drill(experiment: &Experiment, steps: &[PlannedStep]) -> Span {
    let method = steps.iter().map(|s| s.at.0.saturating_add(s.hold.0)).max().unwrap_or_default();
    let steady = experiment.steady_within.0.saturating_add(experiment.steady_for.0);
    Span(
        steady
            .saturating_add(method)
            .saturating_add(GRACE.0)
            .saturating_add(experiment.recovery_watch.0),
    )
}

fn touches(step: &PlannedStep, moment: Span) -> bool {
    let ended = step.at.0.saturating_add(step.deadline.0) <= moment.0;
    step.at <= moment && (step.restore == Restore::None || !ended)
}

#[cfg(test)]
mod tests;

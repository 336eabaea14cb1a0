//! The most that a plan can touch at any moment, whatever roles turn out to be and whoever is
//! drawn.
//!
//! A step touches from its time until its deadline; one that cannot be undone, until the end of
//! the drill, since nobody promises that the system brings the instance back. A target whose role
//! binds at injection may be another instance at each step, and is counted so. The count may be
//! too high where faults of both footprints overlap; it is never too low.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::experiment::{Bind, Experiment, Footprint, Restore};
use crate::model::plan::{BlastRadius, PlannedStep};
use crate::model::units::Span;

use super::ground::Ground;
use super::step::GRACE;

/// Counts the worst case. Every subject of a step must be a target of the ground.
#[must_use]
pub fn blast_radius(ground: &Ground, steps: &[PlannedStep]) -> BlastRadius {
    let longest_hold = steps.iter().map(|s| s.hold).max().unwrap_or_default();
    let mut worst = BlastRadius {
        longest_hold,
        longest_drill: longest_drill(ground.experiment, steps),
        ..BlastRadius::default()
    };
    for moment in steps.iter().map(|s| s.at) {
        let in_force: Vec<&PlannedStep> = steps.iter().filter(|s| touches(s, moment)).collect();
        let harm = Harm::of(ground, &in_force);
        worst.instances = worst.instances.max(harm.instances(ground));
        worst.hosts = worst.hosts.max(harm.hosts());
        for (service, of) in ground.services() {
            let hit = harm.hit(ground, service).min(of);
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

/// One instance in the count: its service and its host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spot<'a> {
    name: &'a str,
    service: &'a str,
    host: &'a str,
}

/// Any `count` of these; nobody knows yet which.
struct Draw<'a> {
    among: BTreeSet<Spot<'a>>,
    count: usize,
}

/// Draws in force at one moment, by footprint. The key says which draws are one: the target, and
/// the step where each step binds anew.
struct Harm<'a> {
    processes: BTreeMap<(&'a str, Option<usize>), Draw<'a>>,
    hosts: BTreeMap<(&'a str, Option<usize>), Draw<'a>>,
}

impl<'a> Ground<'a> {
    fn spots(&self) -> impl Iterator<Item = Spot<'a>> {
        self.candidates().map(|c| Spot { name: &c.name.0, service: &c.service, host: &c.host.name })
    }

    fn services(&self) -> BTreeMap<&'a str, usize> {
        let mut count = BTreeMap::new();
        for spot in self.spots() {
            *count.entry(spot.service).or_insert(0) += 1;
        }
        count
    }

    fn draw(&self, target: &str) -> Draw<'a> {
        let names = self.possible(target);
        let count = self.targets.get(target).map_or(0, |t| t.count);
        let meant = |spot: &Spot| names.iter().any(|n| n.0 == spot.name);
        Draw { among: self.spots().filter(meant).collect(), count }
    }
}

impl<'a> Harm<'a> {
    fn of(ground: &Ground<'a>, in_force: &[&PlannedStep]) -> Harm<'a> {
        let mut harm = Harm { processes: BTreeMap::new(), hosts: BTreeMap::new() };
        for step in in_force {
            let Some(declared) = ground.experiment.method.get(step.step) else { continue };
            for subject in &declared.facts.subjects {
                let Some((name, planned)) = ground.targets.get_key_value(subject) else { continue };
                let spec = ground.experiment.targets.get(subject);
                let anew = planned.chosen.is_none() && spec.is_none_or(|s| s.bind == Bind::Inject);
                let key = (name.as_str(), anew.then_some(step.step));
                match declared.facts.footprint {
                    Footprint::Process
                    | Footprint::Pod
                    | Footprint::Workload
                    | Footprint::Object => harm.processes.insert(key, ground.draw(name)),
                    Footprint::Host | Footprint::Node => harm.hosts.insert(key, ground.draw(name)),
                };
            }
        }
        harm.drop_covered();
        harm
    }

    /// A process on a host that is hit for certain is counted with its host.
    fn drop_covered(&mut self) {
        let certain = |draw: &&Draw<'a>| draw.count >= draw.among.len();
        let covered: BTreeSet<&str> =
            self.hosts.values().filter(certain).flat_map(|d| &d.among).map(|s| s.host).collect();
        let hosts = &self.hosts;
        self.processes.retain(|key, draw| {
            draw.among.retain(|spot| !covered.contains(spot.host));
            !hosts.contains_key(key)
        });
    }

    fn instances(&self, ground: &Ground) -> usize {
        let on = |host: &&str| ground.spots().filter(|s| s.host == *host).count();
        let worst = worst(&self.processes, &|s: &Spot<'a>| *s, &|_| 1)
            + worst(&self.hosts, &|s: &Spot<'a>| s.host, &on);
        worst.min(ground.spots().count())
    }

    fn hosts(&self) -> usize {
        // A draw of either footprint hits some host; together they may hit different ones.
        let mut all: BTreeMap<_, _> = BTreeMap::new();
        for (kind, draws) in [(0, &self.processes), (1, &self.hosts)] {
            all.extend(draws.iter().map(|(key, draw)| ((kind, *key), draw)));
        }
        let slots: Vec<(BTreeSet<&str>, usize)> =
            all.values().map(|d| (d.among.iter().map(|s| s.host).collect(), d.count)).collect();
        // What is on no host harms none.
        heaviest(&slots, &|host| usize::from(!host.is_empty()))
    }

    fn hit(&self, ground: &Ground, service: &str) -> usize {
        let on = |host: &&str| {
            ground.spots().filter(|s| s.host == *host && s.service == service).count()
        };
        worst(&self.processes, &|s: &Spot<'a>| *s, &|s| usize::from(s.service == service))
            + worst(&self.hosts, &|s: &Spot<'a>| s.host, &on)
    }
}

fn worst<'a, T: Ord + Copy>(
    draws: &BTreeMap<(&'a str, Option<usize>), Draw<'a>>,
    part: &dyn Fn(&Spot<'a>) -> T,
    weight: &dyn Fn(&T) -> usize,
) -> usize {
    let slots: Vec<(BTreeSet<T>, usize)> =
        draws.values().map(|d| (d.among.iter().map(part).collect(), d.count)).collect();
    heaviest(&slots, weight)
}

/// The heaviest set of distinct things that the draws can make up together. Sets that draws can
/// make up are the independent sets of a transversal matroid, so taking the heaviest first, as
/// long as the draws can still be matched, is exact.
fn heaviest<T: Ord + Copy>(draws: &[(BTreeSet<T>, usize)], weight: &dyn Fn(&T) -> usize) -> usize {
    let slots: Vec<&BTreeSet<T>> =
        draws.iter().flat_map(|(among, count)| std::iter::repeat_n(among, *count)).collect();
    let mut things: Vec<T> = draws.iter().flat_map(|(among, _)| among).copied().collect();
    things.sort();
    things.dedup();
    things.sort_by_key(|thing| std::cmp::Reverse(weight(thing)));
    let mut held: Vec<Option<T>> = vec![None; slots.len()];
    things
        .iter()
        .filter(|thing| {
            let mut tried = vec![false; slots.len()];
            weight(thing) > 0 && settle(**thing, &slots, &mut held, &mut tried)
        })
        .map(weight)
        .sum()
}

/// Finds a slot for the thing, moving others to other slots where that helps.
fn settle<T: Ord + Copy>(
    thing: T,
    slots: &[&BTreeSet<T>],
    held: &mut [Option<T>],
    tried: &mut [bool],
) -> bool {
    for slot in 0..slots.len() {
        if tried[slot] || !slots[slot].contains(&thing) {
            continue;
        }
        tried[slot] = true;
        let free = match held[slot] {
            None => true,
            Some(other) => settle(other, slots, held, tried),
        };
        if free {
            held[slot] = Some(thing);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;

//! What is in force at one moment, and the worst that it can make of it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ground::Ground;
use super::census::{Census, Spot};
use super::heaviest::heaviest;
use crate::model::experiment::{Bind, Footprint};
use crate::model::plan::PlannedStep;

/// Any `count` of these; nobody knows yet which.
pub struct Draw<'a> {
    among: BTreeSet<Spot<'a>>,
    count: usize,
}

/// Which draws are one: those of one target, and where each step binds anew, of one step.
type Key<'a> = (&'a str, Option<usize>);

/// Draws in force at one moment, by what falls.
pub struct Harm<'a, 'c> {
    census: &'c Census<'a>,
    instances: BTreeMap<Key<'a>, Draw<'a>>,
    hosts: BTreeMap<Key<'a>, Draw<'a>>,
    objects: BTreeMap<Key<'a>, Draw<'a>>,
}

impl<'a, 'c> Harm<'a, 'c> {
    pub fn of(
        ground: &Ground<'a>,
        census: &'c Census<'a>,
        in_force: &[&PlannedStep],
    ) -> Harm<'a, 'c> {
        let (instances, hosts, objects) = Default::default();
        let mut harm = Harm { census, instances, hosts, objects };
        for step in in_force {
            let Some(declared) = ground.experiment.method.get(step.step) else { continue };
            for subject in &declared.facts.subjects {
                let Some((name, planned)) = ground.targets.get_key_value(subject) else { continue };
                let spec = ground.experiment.targets.get(subject);
                let anew = planned.chosen.is_none() && spec.is_none_or(|s| s.bind == Bind::Inject);
                let key = (name.as_str(), anew.then_some(step.step));
                let among = ground.reach(name).into_iter().map(Spot::of).collect();
                let draw = Draw { among, count: planned.count };
                match declared.facts.footprint {
                    Footprint::Process | Footprint::Pod => harm.instances.insert(key, draw),
                    Footprint::Workload => harm.instances.insert(key, draw.of_workloads(census)),
                    Footprint::Object => harm.objects.insert(key, draw),
                    Footprint::Host | Footprint::Node => harm.hosts.insert(key, draw),
                };
            }
        }
        harm.drop_covered();
        harm
    }

    /// An instance on a host that is hit for certain is counted with its host.
    fn drop_covered(&mut self) {
        let certain = |draw: &&Draw<'a>| draw.count >= draw.among.len();
        let covered: BTreeSet<&str> =
            self.hosts.values().filter(certain).flat_map(|d| &d.among).map(|s| s.host).collect();
        let hosts = &self.hosts;
        self.instances.retain(|key, draw| {
            draw.among.retain(|spot| !covered.contains(spot.host));
            !hosts.contains_key(key)
        });
    }

    /// Services of which something may be hit, and how many instances each has.
    pub fn services(&self) -> BTreeMap<&'a str, usize> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for draw in self.instances.values() {
            names.extend(draw.among.iter().map(|spot| spot.service));
        }
        for spot in self.hosts.values().flat_map(|draw| &draw.among) {
            names.extend(self.census.on(spot.host).iter().flat_map(|host| host.services.keys()));
        }
        let counted = |name| Some((name, *self.census.services.get(name)?));
        names.into_iter().filter_map(counted).collect()
    }

    pub fn instances(&self) -> usize {
        let on = |host: &&str| self.census.on(host).map_or(0, |host| host.instances);
        let worst = worst(&self.instances, &|s: &Spot<'a>| *s, &|_| 1)
            + worst(&self.hosts, &|s: &Spot<'a>| s.host, &on);
        worst.min(self.census.instances)
    }

    pub fn hosts(&self) -> usize {
        // What is on no host harms none.
        self.places(&|spot| Some(spot.host).filter(|host| !host.is_empty()))
    }

    pub fn zones(&self) -> usize {
        self.places(&|spot| spot.zone)
    }

    pub fn objects(&self) -> usize {
        worst(&self.objects, &|s: &Spot<'a>| *s, &|_| 1)
    }

    /// Instances of one service.
    pub fn hit(&self, service: &str) -> usize {
        let on = |host: &&str| {
            let host = self.census.on(host);
            host.and_then(|host| host.services.get(service)).copied().unwrap_or_default()
        };
        worst(&self.instances, &|s: &Spot<'a>| *s, &|s| usize::from(s.service == service))
            + worst(&self.hosts, &|s: &Spot<'a>| s.host, &on)
    }

    /// A draw of instances hits some place as a draw of hosts does; together they may hit different
    /// ones.
    fn places(&self, part: &dyn Fn(&Spot<'a>) -> Option<&'a str>) -> usize {
        let draws = self.instances.values().chain(self.hosts.values());
        let of = |draw: &Draw<'a>| (draw.among.iter().filter_map(part).collect(), draw.count);
        heaviest(&draws.map(of).collect::<Vec<_>>(), &|_| 1)
    }
}

impl<'a> Draw<'a> {
    /// A workload is all its pods.
    fn of_workloads(self, census: &Census<'a>) -> Draw<'a> {
        let services: BTreeSet<&str> = self.among.iter().map(|spot| spot.service).collect();
        let pods = services.into_iter().flat_map(|service| census.of_service(service));
        let among: BTreeSet<Spot<'a>> = pods.copied().collect();
        Draw { count: among.len(), among }
    }
}

fn worst<'a, T: Ord + Copy>(
    draws: &BTreeMap<Key<'a>, Draw<'a>>,
    part: &dyn Fn(&Spot<'a>) -> T,
    weight: &dyn Fn(&T) -> usize,
) -> usize {
    let slots: Vec<(BTreeSet<T>, usize)> =
        draws.values().map(|d| (d.among.iter().map(part).collect(), d.count)).collect();
    heaviest(&slots, weight)
}

//! Who is where, counted once, so that a plan over ten thousand pods asks for it and does not
//! search.

use std::collections::BTreeMap;

use super::super::ground::Ground;
use crate::model::cluster::Resource;
use crate::model::inventory::Candidate;

/// One thing in the count, told apart by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot<'a> {
    pub name: &'a str,
    pub service: &'a str,
    pub host: &'a str,
    pub zone: Option<&'a str>,
}

#[derive(Default)]
pub struct Census<'a> {
    /// How many instances each service has, and how many nodes there are.
    pub services: BTreeMap<&'a str, usize>,
    /// All instances.
    pub instances: usize,
    on: BTreeMap<&'a str, Host<'a>>,
    /// The instances of each service.
    of: BTreeMap<&'a str, Vec<Spot<'a>>>,
}

#[derive(Default)]
pub struct Host<'a> {
    pub instances: usize,
    pub services: BTreeMap<&'a str, usize>,
}

impl<'a> Spot<'a> {
    pub fn of(candidate: &'a Candidate) -> Spot<'a> {
        Spot {
            name: &candidate.name.0,
            service: &candidate.service,
            host: &candidate.host.name,
            zone: candidate.zone.as_deref(),
        }
    }
}

impl<'a> Census<'a> {
    pub fn of(ground: &Ground<'a>) -> Census<'a> {
        let mut census = Census::default();
        for candidate in ground.candidates() {
            let spot = Spot::of(candidate);
            let host = census.on.entry(spot.host).or_default();
            if candidate.is_instance() {
                census.instances += 1;
                host.instances += 1;
                census.of.entry(spot.service).or_default().push(spot);
            } else if candidate.resource() != Some(Resource::Node) {
                continue;
            }
            *census.services.entry(spot.service).or_insert(0) += 1;
            *host.services.entry(spot.service).or_insert(0) += 1;
        }
        census
    }

    /// What is on a host, and falls with it.
    pub fn on(&self, host: &str) -> Option<&Host<'a>> {
        self.on.get(host).filter(|_| !host.is_empty())
    }

    /// The instances of a service.
    pub fn of_service(&self, service: &str) -> &[Spot<'a>] {
        self.of.get(service).map_or(&[], |spots| spots)
    }
}

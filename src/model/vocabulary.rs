//! What the templates of a lab may speak of: one table for who fills them and for who checks them.
//!
//! Known: `host.{name,ipv4,ipv6}`, `index`, `service.{name,port}`, `dir`, `instances` (this
//! service's, each `{name, host, ipv4, ipv6, port, index}`) and `services.NAME` (the same list for
//! any service).

use std::collections::BTreeMap;

use serde::Serialize;

use super::inventory::{Candidate, Host};
use super::layout::Layout;

/// Every service with its instances.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    services: BTreeMap<String, Vec<Peer>>,
}

/// One instance as templates see it.
#[derive(Debug, Clone, Serialize)]
struct Peer {
    name: String,
    host: String,
    ipv4: String,
    ipv6: String,
    port: Option<u16>,
    index: usize,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    name: &'a str,
    port: Option<u16>,
}

/// What is known where the templates of one instance are filled.
#[derive(Debug, Serialize)]
pub struct Words<'a> {
    host: &'a Host,
    index: usize,
    service: Named<'a>,
    instances: &'a [Peer],
    services: &'a BTreeMap<String, Vec<Peer>>,
    dir: &'a str,
}

impl Vocabulary {
    #[must_use]
    pub fn of(layout: &Layout) -> Vocabulary {
        let mut services: BTreeMap<String, Vec<Peer>> = BTreeMap::new();
        for candidate in &layout.candidates {
            let peers = services.entry(candidate.service.clone()).or_default();
            peers.push(Peer {
                name: candidate.name.to_string(),
                host: candidate.host.name.clone(),
                ipv4: candidate.host.ipv4.to_string(),
                ipv6: candidate.host.ipv6.to_string(),
                port: candidate.port,
                index: peers.len(),
            });
        }
        Vocabulary { services }
    }

    /// `dir`: the folder of the instance.
    #[must_use]
    pub fn words<'a>(&'a self, of: &'a Candidate, dir: &'a str) -> Words<'a> {
        let instances = self.services.get(&of.service).map_or(&[][..], Vec::as_slice);
        Words {
            host: &of.host,
            index: instances.iter().position(|p| p.host == of.host.name).unwrap_or_default(),
            service: Named { name: &of.service, port: of.port },
            instances,
            services: &self.services,
            dir,
        }
    }
}

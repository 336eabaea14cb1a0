//! Fills in the templates of a lab's document (Jinja; an unknown variable is an error).
//!
//! Known: `host.{name,ipv4,ipv6}`, `index`, `service.{name,port}`, `dir`, `instances` (this
//! service's, each `{name, host, ipv4, ipv6, port, index}`) and `services.NAME` (the same list for
//! any service).

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::model::inventory::Candidate;
use crate::model::layout::Layout;

/// All that templates of one lab may speak of.
pub struct Templates {
    engine: Environment<'static>,
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

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    port: Option<u16>,
}

#[derive(Serialize)]
struct Context<'a> {
    host: &'a crate::model::inventory::Host,
    index: usize,
    service: Named<'a>,
    instances: &'a [Peer],
    services: &'a BTreeMap<String, Vec<Peer>>,
    dir: &'a str,
}

impl Templates {
    pub fn of(layout: &Layout) -> Templates {
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
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        engine.set_keep_trailing_newline(true);
        Templates { engine, services }
    }

    /// Errors: what is wrong with the template, in words, with its line.
    pub fn fill(&self, text: &str, of: &Candidate, dir: &str) -> Result<String, String> {
        let instances = self.services.get(&of.service).map_or(&[][..], Vec::as_slice);
        let context = Context {
            host: &of.host,
            index: instances.iter().position(|p| p.host == of.host.name).unwrap_or_default(),
            service: Named { name: &of.service, port: of.port },
            instances,
            services: &self.services,
            dir,
        };
        self.engine.render_str(text, context).map_err(|e| {
            let line = e.line().map(|l| format!(" in line {l} of it")).unwrap_or_default();
            let detail = e.detail().map(|d| format!(": {d}")).unwrap_or_default();
            format!("{}{detail}{line}", e.kind())
        })
    }
}

//! A lab ready to be built: every template filled in, every program found, every name legal. All
//! that can be known to be wrong is known here, before anything is started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::cluster::{self, Outfit, Secrets};
use super::error::{LabError, MissingProgram};
use super::template::Templates;
use crate::model::inventory::{Candidate, Host, InstanceName};
use crate::model::lab::{Check, LabSpec, Restart, Service};
use crate::model::layout::Layout;
use crate::model::units::Span;

/// Every instance has its own folder below this one, inside the lab.
const FOLDER: &str = "/run/lab";

/// What the init is told to build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Blueprint {
    pub name: String,
    pub hosts: Vec<Host>,
    pub ipv4_prefix: u8,
    pub ipv6_prefix: u8,
    /// The bridge's own addresses.
    pub gateway: [std::net::IpAddr; 2],
    pub instances: Vec<Instance>,
    /// What a Kubernetes cluster needs beside its instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Outfit>,
}

/// One process to be started and watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instance {
    pub name: InstanceName,
    pub service: String,
    pub host: Host,
    pub port: Option<u16>,
    /// The first word is the program's path.
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub folder: String,
    pub files: BTreeMap<String, String>,
    /// Files that only root reads, made for one raising.
    #[serde(default)]
    pub secrets: Secrets,
    pub ready: Vec<Check>,
    pub ready_within: Span,
    pub restart: Restart,
    pub after: Vec<String>,
}

impl Blueprint {
    /// Errors: `Wrong` with every reason, or `Missing` with every program.
    pub fn of(name: &str, spec: &LabSpec, layout: &Layout) -> Result<Blueprint, LabError> {
        let mut wrong = Vec::new();
        if !is_name(name) {
            wrong.push(unfit("lab", name));
        }
        for (service, declared) in &spec.services {
            check_service(service, declared, spec, &mut wrong);
        }
        wrong.extend(circle(spec));
        if !wrong.is_empty() {
            return Err(LabError::Wrong(wrong));
        }
        let templates = Templates::of(layout);
        let mut instances = Vec::new();
        for candidate in &layout.candidates {
            if let Some(service) = spec.services.get(&candidate.service) {
                instances.extend(instance(&templates, candidate, service, &mut wrong));
            }
        }
        if !wrong.is_empty() {
            return Err(LabError::Wrong(wrong));
        }
        let mut missing = find_programs(&mut instances, spec);
        let cluster = spec.kubernetes.as_ref();
        let cluster = cluster.map(|k| Outfit::of(k, layout, &mut instances, &mut missing));
        if !missing.is_empty() {
            return Err(LabError::Missing(missing));
        }
        Ok(Blueprint {
            name: name.to_owned(),
            hosts: layout.hosts.clone(),
            ipv4_prefix: layout.ipv4_prefix,
            ipv6_prefix: layout.ipv6_prefix,
            gateway: [layout.gateway.0.into(), layout.gateway.1.into()],
            instances,
            cluster: cluster.transpose()?,
        })
    }
}

/// Names become names of files, devices and hosts.
pub fn is_name(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&text.len()) && text.chars().all(legal) && !text.starts_with('-')
}

fn unfit(what: &str, name: &str) -> String {
    let name: String = name.chars().take(60).flat_map(char::escape_default).collect();
    format!("`{name}` is no name for a {what}; use at most 40 of a-z, 0-9 and -")
}

fn check_service(name: &str, service: &Service, spec: &LabSpec, wrong: &mut Vec<String>) {
    if !is_name(name) {
        wrong.push(unfit("service", name));
    }
    if service.hosts.is_empty() {
        wrong.push(format!("service `{name}` has no hosts"));
    }
    if service.command.is_empty() {
        wrong.push(format!("service `{name}` has no command"));
    }
    let mut seen = BTreeSet::new();
    for host in &service.hosts {
        if !is_name(host) {
            wrong.push(unfit("host", host));
        }
        if !seen.insert(host) {
            wrong.push(format!("service `{name}` names host `{host}` twice"));
        }
    }
    for other in &service.after {
        if !spec.services.contains_key(other) {
            wrong.push(format!("service `{name}` waits for `{other}`, which is not declared"));
        }
    }
    for file in service.files.keys() {
        let parts: Vec<Component<'_>> = Path::new(file).components().collect();
        if !matches!(parts[..], [Component::Normal(_)]) || file.contains(['/', '\0']) {
            wrong.push(format!("service `{name}` has a file `{file}`, which is no plain name"));
        }
    }
    for check in &service.ready {
        wrong.extend(check_wrong(name, service, check));
    }
}

fn check_wrong(name: &str, service: &Service, check: &Check) -> Option<String> {
    let (port, expect) = match check {
        Check::Tcp(tcp) => (tcp.port, &tcp.expect),
        Check::Http(http) => (http.port, &http.expect),
    };
    if port.or(service.port).is_none() {
        return Some(format!("a readiness check of service `{name}` has no port"));
    }
    let pattern = expect.as_deref()?;
    let error = regex::Regex::new(pattern).err()?;
    Some(format!("`{pattern}` of service `{name}` is no regular expression: {error}"))
}

/// Services that wait for each other in a circle.
fn circle(spec: &LabSpec) -> Option<String> {
    let mut waiting: BTreeMap<&str, &[String]> =
        spec.services.iter().map(|(n, s)| (n.as_str(), s.after.as_slice())).collect();
    loop {
        let free: Vec<&str> = waiting
            .iter()
            .filter(|(_, after)| after.iter().all(|a| !waiting.contains_key(a.as_str())))
            .map(|(name, _)| *name)
            .collect();
        if free.is_empty() {
            break;
        }
        waiting.retain(|name, _| !free.contains(name));
    }
    let names: Vec<&str> = waiting.into_keys().collect();
    (!names.is_empty()).then(|| format!("services wait for each other: {}", names.join(", ")))
}

fn instance(
    templates: &Templates,
    candidate: &Candidate,
    service: &Service,
    wrong: &mut Vec<String>,
) -> Option<Instance> {
    let folder = format!("{FOLDER}/{}/{}", candidate.host.name, candidate.service);
    let before = wrong.len();
    let mut fill = |text: &str, place: &str| {
        templates.fill(text, candidate, &folder).unwrap_or_else(|why| {
            wrong.push(format!("{place} of {}: {why}", candidate.name));
            String::new()
        })
    };
    let argv = service.command.iter().map(|word| fill(word, "the command")).collect();
    let env = service.env.iter().map(|(n, v)| (n.clone(), fill(v, n))).collect();
    let files = service.files.iter().map(|(n, v)| (n.clone(), fill(v, n))).collect();
    (wrong.len() == before).then(|| Instance {
        name: candidate.name.clone(),
        service: candidate.service.clone(),
        host: candidate.host.clone(),
        port: candidate.port,
        argv,
        env,
        folder,
        files,
        secrets: Secrets::default(),
        ready: service.ready.clone(),
        ready_within: service.ready_within,
        restart: service.restart.clone(),
        after: service.after.clone(),
    })
}

/// Puts a path in the place of each program's name; those that are missing.
fn find_programs(instances: &mut [Instance], spec: &LabSpec) -> Vec<MissingProgram> {
    let mut missing: BTreeMap<String, MissingProgram> = BTreeMap::new();
    for instance in instances {
        let Some(word) = instance.argv.first_mut() else { continue };
        let folders = cluster::folders(&instance.service, spec);
        if let Some(path) = cluster::search(folders, word) {
            *word = path.display().to_string();
            continue;
        }
        let entry = missing.entry(word.clone()).or_insert_with(|| MissingProgram {
            program: word.clone(),
            package: spec.services.get(&instance.service).and_then(|s| s.package.clone()),
            services: Vec::new(),
            searched: folders.to_vec(),
        });
        if !entry.services.contains(&instance.service) {
            entry.services.push(instance.service.clone());
        }
    }
    missing.into_values().collect()
}

#[cfg(test)]
mod tests;

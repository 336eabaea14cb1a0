//! Everything in a lab but its processes: mounts, wires, folders, files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use super::life::{Life, Place};
use crate::host::HostError;
use crate::host::linux::link::{Wiring, wire};
use crate::host::linux::namespace;
use crate::lab::blueprint::{Blueprint, Instance};
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::Host;

/// A lab in which nothing runs yet.
pub struct Site {
    pub hosts: Vec<(Host, NetnsIdentity)>,
    pub lives: Vec<Life>,
}

/// Builds it in the namespaces that we were born in. `logs` are in the order of the instances.
pub fn build(
    blueprint: &Blueprint,
    logs: Vec<OwnedFd>,
    reports: &UnixDatagram,
) -> Result<Site, HostError> {
    namespace::furnish()?;
    namespace::name_ourselves(&blueprint.name)?;
    let hosts = wire(&Wiring {
        hosts: blueprint.hosts.clone(),
        gateway: blueprint.gateway,
        ipv4_prefix: blueprint.ipv4_prefix,
        ipv6_prefix: blueprint.ipv6_prefix,
    })?;
    let spaces: BTreeMap<&str, &NetnsIdentity> =
        hosts.iter().map(|(host, ns)| (host.name.as_str(), ns)).collect();
    let mut lives = Vec::new();
    for (number, (plan, log)) in blueprint.instances.iter().zip(logs).enumerate() {
        write_files(plan)?;
        let host = &plan.host.name;
        let netns = spaces
            .get(host.as_str())
            .map(|ns| (*ns).clone())
            .ok_or_else(|| HostError::Gone(format!("network namespace of host {host}")))?;
        let reports = reports.try_clone().map_err(|e| HostError::io("copy a socket", e))?;
        let place = Place { number, netns, log: File::from(log), reports };
        lives.push(Life::new(plan.clone(), place));
    }
    Ok(Site { hosts, lives })
}

fn write_files(plan: &Instance) -> Result<(), HostError> {
    let folder = &plan.folder;
    fs::create_dir_all(folder).map_err(|e| HostError::io(format!("make {folder}"), e))?;
    for (name, text) in &plan.files {
        let path = format!("{folder}/{name}");
        fs::write(&path, text).map_err(|e| HostError::io(format!("write {path}"), e))?;
    }
    Ok(())
}

//! Everything in a lab but its processes: mounts, wires, folders, files.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;

use super::duty::{self, Duty};
use super::life::{Life, Place};
use crate::host::HostError;
use crate::host::linux::link::{Wiring, wire};
use crate::host::linux::{mounts, namespace, netns, route};
use crate::lab::blueprint::{Blueprint, Instance};
use crate::lab::cluster::{COVERED, Outfit, PRETENDED, serve};
use crate::model::identity::NetnsIdentity;
use crate::model::inventory::Host;

/// A lab in which nothing runs yet.
pub struct Site {
    pub hosts: Vec<(Host, NetnsIdentity)>,
    pub lives: Vec<Life>,
    pub duties: Vec<Duty>,
}

/// Network namespaces by the names of their hosts.
type Spaces<'a> = BTreeMap<&'a str, &'a NetnsIdentity>;

/// Builds it in the namespaces that we were born in. `fds` are the logs of the instances in their
/// order; for a cluster the log of its errands and the listener of its door follow.
pub fn build(
    blueprint: &Blueprint,
    fds: Vec<OwnedFd>,
    reports: &UnixDatagram,
) -> Result<Site, HostError> {
    let outfit = blueprint.cluster.as_ref();
    let held = mounts::hold(outfit.map_or(&[], |outfit| &outfit.binds))?;
    namespace::furnish()?;
    if outfit.is_some() {
        mounts::cover(COVERED)?;
        mounts::pretend(PRETENDED)?;
        mounts::place(&held)?;
    }
    namespace::name_ourselves(&blueprint.name)?;
    let hosts = wire(&Wiring {
        hosts: blueprint.hosts.clone(),
        gateway: blueprint.gateway,
        ipv4_prefix: blueprint.ipv4_prefix,
        ipv6_prefix: blueprint.ipv6_prefix,
    })?;
    let spaces: Spaces<'_> = hosts.iter().map(|(host, ns)| (host.name.as_str(), ns)).collect();
    let mut fds = fds.into_iter();
    let mut lives = Vec::new();
    for (number, plan) in blueprint.instances.iter().enumerate() {
        let Some(log) = fds.next() else { return Err(handed_too_little()) };
        write_files(plan)?;
        let netns = space(&spaces, &plan.host.name)?;
        let reports = reports.try_clone().map_err(|e| HostError::io("copy a socket", e))?;
        let place = Place { number, netns, log: File::from(log), reports };
        lives.push(Life::new(plan.clone(), place));
    }
    let mut duties = Vec::new();
    if let Some(outfit) = outfit {
        let (Some(log), Some(door)) = (fds.next(), fds.next()) else {
            return Err(handed_too_little());
        };
        lead(outfit, &spaces)?;
        serve(TcpListener::from(door), outfit.api)?;
        duties = duty::all(&outfit.errands, &File::from(log), |host| space(&spaces, host))?;
    }
    Ok(Site { hosts, lives, duties })
}

fn handed_too_little() -> HostError {
    HostError::io("build a lab", std::io::Error::other("a log was not handed down"))
}

fn space(spaces: &Spaces<'_>, host: &str) -> Result<NetnsIdentity, HostError> {
    let found = spaces.get(host).map(|ns| (*ns).clone());
    found.ok_or_else(|| HostError::Gone(format!("network namespace of host {host}")))
}

/// Makes the hosts of a cluster know the ways to its pods.
fn lead(outfit: &Outfit, spaces: &Spaces<'_>) -> Result<(), HostError> {
    let of = |host: Option<&str>| -> Vec<route::Route> {
        let own = outfit.ways.iter().filter(|way| way.host.as_deref() == host);
        own.map(crate::lab::cluster::Way::route).collect()
    };
    route::add(&of(None))?;
    for (host, ns) in spaces {
        let routes = of(Some(host));
        let passes = outfit.forwarding.iter().any(|name| name == host);
        netns::inside(ns, || {
            if passes {
                route::forward()?;
            }
            route::add(&routes)
        })?;
    }
    Ok(())
}

fn write_files(plan: &Instance) -> Result<(), HostError> {
    let folder = &plan.folder;
    fs::create_dir_all(folder).map_err(|e| HostError::io(format!("make {folder}"), e))?;
    let files = plan.files.iter().map(|(name, text)| (name, text, 0o644));
    let secrets = plan.secrets.0.iter().map(|(name, text)| (name, text, 0o600));
    for (name, text, mode) in files.chain(secrets) {
        let path = format!("{folder}/{name}");
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(mode);
        let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|e| HostError::io(format!("write {path}"), e))?;
    }
    Ok(())
}

//! What a lab with a Kubernetes cluster has beyond its services: the machine's files that it sees,
//! routes for pods, errands that make the cluster ready, keys, control groups, and a door to the
//! API server.
//!
//! [`Outfit`] is known before anything is started and told to the init; [`Rising`] is made for one
//! raising and stays with who raised it.

mod errands;
mod files;
mod forward;
mod keys;
mod kubeconfig;
mod tools;
mod ways;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Instance};
use super::error::{LabError, MissingProgram};
use crate::host::HostError;
use crate::host::linux::cgroup::{self, Groups};
use crate::host::linux::mounts::Bind;
use crate::host::linux::process::LinuxProcesses;
use crate::host::linux::watches;
use crate::host::process::Processes;
use crate::model::cluster::LabCluster;
use crate::model::inventory::InstanceName;
use crate::model::kubernetes::{API_PORT, CONTROL_PLANE, Component, KubernetesSpec, service_names};
use crate::model::lab::LabSpec;
use crate::model::layout::Layout;

pub use errands::{ADMIN, Errand, Stage};
pub use forward::serve;
pub use keys::Secrets;
pub use tools::search;
pub use ways::Way;

/// Folders of the machine that Kubernetes writes to, whatever it is told: a lab has its own.
pub const COVERED: &[&str] = &["/var/lib", "/var/log"];

/// What a kubelet insists on and would set for the whole machine.
pub const PRETENDED: &[(&str, &str)] = &[
    ("vm.overcommit_memory", "1"),
    ("vm.panic_on_oom", "0"),
    ("kernel.panic", "10"),
    ("kernel.panic_on_oops", "1"),
    ("kernel.keys.root_maxkeys", "1000000"),
    ("kernel.keys.root_maxbytes", "25000000"),
];

/// Inotify instances of the control plane, and of a node: as counted, and one more.
const WATCHES: usize = 9;
const WATCHES_OF_NODE: usize = 8;

/// Where the programs of a cluster are inside its lab.
const PROGRAMS: &str = "/run/kube/bin";

/// What the init is told of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outfit {
    pub binds: Vec<Bind>,
    /// Hosts that pass packets on.
    pub forwarding: Vec<String>,
    pub ways: Vec<Way>,
    pub errands: Vec<Errand>,
    /// Where its door leads.
    pub api: SocketAddr,
}

impl Outfit {
    /// Finds everything that the cluster needs on this machine. What is missing of its tools is
    /// added to `missing`; the outfit counts only when that stays empty. Errors: `Wrong`, where
    /// images or manifests are not what they should be.
    pub fn of(
        spec: &KubernetesSpec,
        layout: &Layout,
        instances: &mut [Instance],
        missing: &mut Vec<MissingProgram>,
    ) -> Result<Outfit, LabError> {
        let mut binds = tools::find(spec, missing);
        for instance in instances.iter_mut() {
            binds.extend(move_program(instance));
        }
        let images = files::images(spec).map_err(LabError::Wrong)?;
        let manifests = files::manifests(spec).map_err(LabError::Wrong)?;
        let errands = errands::of(spec, &images, &manifests);
        binds.extend(images.into_iter().chain(manifests).map(|file| file.bind));
        // A program of every node is one file.
        binds.sort_by(|a, b| a.to.cmp(&b.to));
        binds.dedup();
        let api = layout.host(CONTROL_PLANE).map(|host| SocketAddr::new(host.ipv4, API_PORT));
        let api = api.ok_or_else(|| LabError::Wrong(vec!["the cluster has no host".to_owned()]))?;
        Ok(Outfit {
            binds,
            forwarding: spec.nodes.iter().map(|node| node.name.clone()).collect(),
            ways: ways::of(spec, layout),
            errands,
            api,
        })
    }
}

/// One raising of a cluster, as its raiser holds it. Dropping it removes its control groups, so the
/// lab must be gone before.
#[derive(Debug)]
pub struct Rising {
    pub groups: Groups,
    pub cluster: LabCluster,
    /// Listens on the machine's loopback; for the init, which leads what comes to the API server.
    pub door: OwnedFd,
}

impl Rising {
    /// Makes keys, control groups and the door, and puts into the blueprint what its instances need
    /// of them.
    pub fn of(spec: &KubernetesSpec, blueprint: &mut Blueprint) -> Result<Rising, LabError> {
        cgroup::sweep();
        watches::room_for(WATCHES + WATCHES_OF_NODE * spec.nodes.len())?;
        let listen = |e| HostError::io("listen on the machine's loopback", e);
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(listen)?;
        let outside = door.local_addr().map_err(listen)?;
        let inside = blueprint.cluster.as_ref().map_or(outside, |outfit| outfit.api);
        let keys = keys::Keys::make(inside.ip()).map_err(|why| LabError::Died(why.to_string()))?;
        let admin = keys.admin().map_err(|why| LabError::Died(why.to_string()))?;
        let config = |server: SocketAddr| kubeconfig::write(&blueprint.name, server, &admin);
        let cluster = LabCluster {
            kubeconfig_outside: config(outside),
            kubeconfig_inside: config(inside),
            zones: spec.zones(),
        };
        let owner = i32::try_from(std::process::id()).unwrap_or(0);
        let owner = LinuxProcesses::new()?.identify(owner)?;
        let nodes: Vec<&str> = spec.nodes.iter().map(|node| node.name.as_str()).collect();
        let groups = Groups::make(&owner, &blueprint.name, &nodes)?;
        let name = blueprint.name.clone();
        for instance in &mut blueprint.instances {
            let secrets = keys.of(instance, &name, inside);
            instance.secrets = secrets.map_err(|why| LabError::Died(why.to_string()))?;
            if instance.service == Component::Kubelet.service() {
                instance.argv.push(format!("--cgroup-root={}", groups.path(&instance.host.name)));
            }
        }
        Ok(Rising { groups, cluster, door: OwnedFd::from(door) })
    }
}

/// Errors: `NotRoot`. Asked before all else: nothing that is missing matters to who may not.
pub fn admit(name: &str, spec: &LabSpec) -> Result<(), LabError> {
    if spec.kubernetes.is_some() && !geteuid().is_root() {
        return Err(LabError::NotRoot { name: name.to_owned() });
    }
    Ok(())
}

/// Programs of the cluster are started from a place that every lab sees.
fn move_program(instance: &mut Instance) -> Option<Bind> {
    let component = Component::ALL.into_iter().find(|c| c.service() == instance.service)?;
    let word = instance.argv.first_mut()?;
    let to = format!("{PROGRAMS}/{}", component.program());
    let from = std::mem::replace(word, to.clone());
    // What containerd starts is looked for where the cluster's programs are.
    let path = format!("{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    instance.env.entry("PATH".to_owned()).or_insert(path);
    Some(Bind { from, to })
}

/// The folders that a service's program is looked for in before all others.
pub fn folders<'a>(service: &str, spec: &'a LabSpec) -> &'a [String] {
    let own = spec.kubernetes.as_ref().filter(|_| service_names().any(|name| name == service));
    own.map_or(&[], |kubernetes| &kubernetes.programs)
}

/// What errands are called where an instance would be: in logs, and when one fails.
#[must_use]
pub fn errands() -> InstanceName {
    InstanceName("errands".to_owned())
}

/// The first address of a block of IPv4.
fn v4(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

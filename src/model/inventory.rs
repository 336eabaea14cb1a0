//! What could be hit: the instances of a lab's services, and later pods and processes.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cluster::{ObjectIdentity, Resource};
use super::identity::{NetnsIdentity, ProcessIdentity};

/// The name of one instance of one service on one host: `redis@r1`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct InstanceName(pub String);

/// What a target is *now*, read from the system itself: `primary`, `replica`, `leader`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Role(pub String);

/// A host as planned: known from the lab's document alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    pub name: String,
    pub ipv4: IpAddr,
    pub ipv6: IpAddr,
}

/// One instance as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Candidate {
    pub name: InstanceName,
    pub service: String,
    pub host: Host,
    /// The service's port, where it has one.
    pub port: Option<u16>,
    /// How the system repairs a killed process, in words: `redis is restarted after 1s`,
    /// `redis is never restarted`.
    pub repair: String,
    /// Of a pod or node: its zone, where its node tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Of an object of a cluster: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectIdentity>,
    /// Of an object of a cluster: when it was created, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Has its owner agreed to have it hit?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opted_in: bool,
}

/// An instance as found running, with everything an injector needs to be sure of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    pub name: InstanceName,
    pub service: String,
    pub host: Host,
    pub port: Option<u16>,
    /// None while the process is not running.
    pub process: Option<ProcessIdentity>,
    /// None: it is an object of a cluster, and its namespace is not ours to enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub netns: Option<NetnsIdentity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectIdentity>,
}

impl Candidate {
    /// Of a cluster: what kind of object it is. None: an instance of a lab.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        self.object.as_ref().map(|object| object.resource)
    }

    #[must_use]
    pub fn is_pod(&self) -> bool {
        self.resource() == Some(Resource::Pod)
    }

    /// Of a lab: does its process stay away once it has ended?
    #[must_use]
    pub fn stays_down(&self) -> bool {
        self.repair == never_restarted(&self.service)
    }

    /// Does it do work that others notice: an instance of a lab, or a pod?
    #[must_use]
    pub fn is_instance(&self) -> bool {
        self.object.is_none() || self.is_pod()
    }
}

impl Host {
    /// For what is on no host: a workload, a `ConfigMap`.
    #[must_use]
    pub fn nowhere() -> Host {
        let unspecified = std::net::Ipv4Addr::UNSPECIFIED;
        Host {
            name: String::new(),
            ipv4: IpAddr::V4(unspecified),
            ipv6: IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        }
    }
}

/// How a service is repaired that nobody starts again, in words.
#[must_use]
pub fn never_restarted(service: &str) -> String {
    format!("{service} is never restarted")
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! What could be hit: the instances of a lab's services, and later pods and processes.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cluster::ObjectIdentity;
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

//! What could be hit: the instances of a lab's services, and later pods and processes.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    pub netns: NetnsIdentity,
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

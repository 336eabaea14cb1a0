//! A lab as declared: hosts, and the services that run on them. See `docs/reference/lab.md`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kubernetes::KubernetesSpec;
use super::units::Span;

/// `spec` of a document of `kind: Lab`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabSpec {
    /// One sentence: what stands here.
    pub title: String,
    #[serde(default)]
    pub network: LabNetwork,
    /// The services by name, started in the order of their `after`.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
    /// A Kubernetes cluster beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesSpec>,
}

/// The addresses that the lab's hosts get, in the order in which services name them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabNetwork {
    /// An IPv4 block of at most /20 and at least /28; hosts count from `.11`.
    pub ipv4: String,
    /// An IPv6 block of /64; hosts count from `::11`.
    pub ipv6: String,
}

/// One service: the same program on each of its hosts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// The hosts that each run one instance. Services may share a host.
    pub hosts: Vec<String>,
    /// The argument vector, no shell. The first word is looked up in PATH and the sbin folders.
    /// Each word is a template.
    pub command: Vec<String>,
    /// The Debian package that has the program, for the message when it is missing.
    #[serde(default)]
    pub package: Option<String>,
    /// Environment of the process, on top of a minimal one. Values are templates.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Files written into the instance's own folder before it starts; contents are templates
    /// (Jinja: `{{host.ipv4}}`, `{% for peer in instances %}`).
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The port that clients use: makes `{{lab.SERVICE}}` and canary packets possible.
    #[serde(default)]
    pub port: Option<u16>,
    /// When an instance counts as up: every check must pass.
    #[serde(default)]
    pub ready: Vec<Check>,
    /// How long it may take to become ready.
    #[serde(default = "default_ready_within")]
    pub ready_within: Span,
    /// How an instance tells what it is now.
    #[serde(default)]
    pub role: Option<RoleReader>,
    /// What happens when the process ends by itself or is killed.
    #[serde(default)]
    pub restart: Restart,
    /// Services that must be ready first.
    #[serde(default)]
    pub after: Vec<String>,
    /// The mechanism's own timers, by name, for the plan's arithmetic and its warnings:
    /// `downAfter: 1s`.
    #[serde(default)]
    pub timers: BTreeMap<String, Span>,
}

/// What follows the end of a process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Restart {
    /// It stays dead: the failover has to do without it.
    #[default]
    Never,
    /// A supervisor starts it again after the delay.
    Always { after: Span },
}

/// One look at an instance over its own loopback-free address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Check {
    /// Connect, send, and match what comes back.
    Tcp(TcpExchange),
    /// One HTTP request.
    Http(HttpExchange),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TcpExchange {
    /// Defaults to the service's port.
    #[serde(default)]
    pub port: Option<u16>,
    /// Sent as it is, after YAML's own escapes (`"PING\r\n"`).
    #[serde(default)]
    pub send: Option<String>,
    /// A regular expression that the reply must contain. Without it a connection is enough.
    #[serde(default)]
    pub expect: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpExchange {
    #[serde(default)]
    pub port: Option<u16>,
    #[serde(default = "default_method")]
    pub method: String,
    pub path: String,
    #[serde(default)]
    pub body: Option<String>,
    /// The status that counts; 200 unless told.
    #[serde(default = "default_status")]
    pub status: u16,
    /// A regular expression that the body must contain.
    #[serde(default)]
    pub expect: Option<String>,
}

/// Asks an instance what it is. The first rule that fits names the role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleReader {
    pub ask: Check,
    pub roles: Vec<RoleRule>,
    /// How often it is asked during a drill; the resolution of every figure taken from it.
    #[serde(default = "default_every")]
    pub every: Span,
}

/// `{role: primary, matches: "role:master"}` or `{role: leader, equal: [/leader, /header/member_id]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRule {
    pub role: String,
    /// A regular expression that the reply must contain.
    #[serde(default)]
    pub matches: Option<String>,
    /// Two JSON pointers into the reply whose values must be equal and not empty.
    #[serde(default)]
    pub equal: Option<[String; 2]>,
}

impl Default for LabNetwork {
    fn default() -> LabNetwork {
        LabNetwork { ipv4: "10.66.0.0/24".to_owned(), ipv6: "fd66::/64".to_owned() }
    }
}

fn default_ready_within() -> Span {
    Span::secs(20)
}

fn default_every() -> Span {
    Span::millis(20)
}

fn default_method() -> String {
    "GET".to_owned()
}

fn default_status() -> u16 {
    200
}

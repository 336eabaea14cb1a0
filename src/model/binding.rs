//! What an injector is told to do: one fault, one target, by a deadline.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::InjectionId;
use super::inventory::Target;
use super::network::Cidr;
use super::units::Span;

/// One injection as ordered by the conductor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    pub injection: InjectionId,
    pub step: usize,
    pub kind: String,
    pub params: Value,
    pub target: Target,
    pub peers: PeerSet,
    /// Seeds whatever the fault draws by chance.
    pub seed: u64,
    /// Hold plus grace, counted from injection; the kernel and the guardian end it by then.
    pub deadline: Span,
}

/// The far ends of a network fault, as addresses, and as places to send canaries from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeerSet {
    /// Empty: everyone.
    pub blocks: Vec<Cidr>,
    /// Hosts of the lab among them, whose namespaces can be entered.
    pub hosts: Vec<PeerHost>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PeerHost {
    pub host: super::inventory::Host,
    pub netns: super::identity::NetnsIdentity,
}

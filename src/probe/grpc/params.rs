//! What a `grpc` probe is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::wire::endpoint::Endpoint;
use crate::probe::wire::tls::TlsParams;

/// One health check a slot. `SERVING` is the right answer; `NOT_SERVING` is an error of its own
/// (`not serving`), told from a server that has no health service or does not know the name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// `HOST:PORT`, `[fd66::11]:2379`, or `{{lab.SERVICE}}`.
    pub address: String,
    /// The service whose health is asked for; the server's as a whole unless given.
    #[serde(default)]
    pub service: Option<String>,
    /// A new connection for every slot, or a kept one.
    #[serde(default)]
    pub connection: Connections,
    /// Given (`{}` is enough): TLS, with `h2` negotiated. Left out: plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsParams>,
}

/// How connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Connections {
    /// Opened for each slot: sees what a new client sees.
    #[default]
    New,
    /// One for all slots, as gRPC clients have it. The next slot opens another once a call on it
    /// failed or was given up, or the server said that it is going away.
    Kept,
}

impl Params {
    /// What is wrong beyond the types. An address that still holds a template is left for later.
    #[must_use]
    pub fn faults_of(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.address.contains("{{")
            && let Err(fault) = Endpoint::parse(&self.address)
        {
            faults.push(fault);
        }
        faults.extend(self.tls.iter().flat_map(TlsParams::faults_of));
        faults
    }
}

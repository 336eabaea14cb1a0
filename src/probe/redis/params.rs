//! What a `redis` probe is told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::SecretRef;
use crate::probe::wire::endpoint::Endpoint;
use crate::probe::wire::tls::TlsParams;

/// Writes a value of its own each slot and reads it again; with `ledger`, appends to a list that is
/// read back after recovery; with `read`, only reads. Give `sentinel` or `address`.
///
/// One connection carries all slots. After an error or a missed deadline it is left to the slots
/// that still wait on it, and a new one is opened: through Sentinel by asking which the primary is,
/// and checking with `ROLE` that it agrees. Nothing is ever sent twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// The name under which Sentinels know the primary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinel: Option<String>,
    /// The Sentinels, `HOST:PORT` with commas between. They are asked without a password.
    /// In a lab: every instance of its service `sentinel`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentinels: Option<String>,
    /// A fixed address in place of Sentinels: `HOST:PORT` or `{{lab.SERVICE}}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Every slot appends to the list `squall:ledger:SESSION`; it is read back twice at the end,
    /// and expires an hour after that.
    #[serde(default)]
    pub ledger: bool,
    /// Only reads a key, which need not exist.
    #[serde(default)]
    pub read: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// TLS, to the Sentinels as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsParams>,
}

/// What a slot asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Appends its number to the ledger.
    Ledger,
    /// Sets a key of its own and gets it.
    Write,
    /// Gets a key that need not exist.
    Read,
}

impl Question {
    pub fn of(params: &Params) -> Question {
        match (params.ledger, params.read) {
            (true, _) => Question::Ledger,
            (false, true) => Question::Read,
            (false, false) => Question::Write,
        }
    }
}

impl Params {
    /// What is wrong beyond the types. Addresses that still hold a template are left for later.
    pub fn faults_of(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match (&self.sentinel, &self.address) {
            (None, None) => faults.push("give `sentinel` or `address`".to_owned()),
            (Some(_), Some(_)) => {
                faults.push("`sentinel` and `address` are two roads; make them two probes".into());
            }
            (None, Some(address)) => faults.extend(fault_of_address(address)),
            (Some(_), None) => {
                faults.extend(
                    self.sentinels.iter().flat_map(|s| s.split(',')).filter_map(fault_of_address),
                );
            }
        }
        if self.ledger && self.read {
            faults.push("`ledger` writes and `read` does not; give one of them".to_owned());
        }
        if self.username.is_some() && self.password.is_none() {
            faults.push("`username` is given without `password`".to_owned());
        }
        faults.extend(self.tls.iter().flat_map(TlsParams::faults_of));
        faults
    }
}

fn fault_of_address(text: &str) -> Option<String> {
    if text.contains("{{") { None } else { Endpoint::parse(text.trim()).err() }
}

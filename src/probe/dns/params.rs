//! What a `dns` probe is told.

use hickory_proto::rr::{Name, RecordType};
use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::wire::endpoint::Endpoint;

/// One question a slot, with recursion asked for. Records of the asked type count; a chain of
/// aliases that leads to them may stand before them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// The name server: `HOST:PORT`, `[fd66::11]:53`, or `{{lab.SERVICE}}`.
    pub server: String,
    /// The whole name; no search list is applied, and a dot at its end changes nothing.
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: RecordKind,
    /// A regular expression that a record must contain to count: an address, a target, a text as
    /// in a zone file. Every record counts unless given.
    #[serde(default)]
    pub expect: Option<String>,
    /// So many records that count make a right answer.
    #[serde(default = "default_at_least")]
    pub at_least: usize,
    /// Over UDP an answer that was cut short is judged by what is in it.
    #[serde(default)]
    pub transport: Transport,
}

/// The records that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    #[default]
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Ptr,
    Soa,
    Srv,
    Txt,
}

/// How the question travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    #[default]
    Udp,
    /// A new connection for every slot, ended with a reset.
    Tcp,
}

impl Params {
    /// What is wrong beyond the types. A server that still holds a template is left for later.
    #[must_use]
    pub fn faults_of(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.server.contains("{{")
            && let Err(fault) = Endpoint::parse(&self.server)
        {
            faults.push(fault);
        }
        if !self.name.contains("{{") {
            faults.extend(self.question_name().err());
        }
        if let Some(Err(e)) = self.expect.as_deref().map(Regex::new) {
            faults.push(format!("`expect` is not a regular expression: {e}"));
        }
        if self.at_least == 0 {
            faults.push("`atLeast: 0` is met by an empty answer; give 1 or more".to_owned());
        }
        faults
    }

    /// Errors: it is no name, in words.
    pub fn question_name(&self) -> Result<Name, String> {
        let wrong = || format!("`{}` is not a name; write it like `shop.example.com`", self.name);
        let mut name = Name::from_utf8(&self.name).map_err(|_| wrong())?;
        if self.name.is_empty() {
            return Err(wrong());
        }
        name.set_fqdn(true);
        Ok(name)
    }
}

impl RecordKind {
    #[must_use]
    pub fn record_type(self) -> RecordType {
        match self {
            RecordKind::A => RecordType::A,
            RecordKind::Aaaa => RecordType::AAAA,
            RecordKind::Cname => RecordType::CNAME,
            RecordKind::Mx => RecordType::MX,
            RecordKind::Ns => RecordType::NS,
            RecordKind::Ptr => RecordType::PTR,
            RecordKind::Soa => RecordType::SOA,
            RecordKind::Srv => RecordType::SRV,
            RecordKind::Txt => RecordType::TXT,
        }
    }
}

fn default_at_least() -> usize {
    1
}

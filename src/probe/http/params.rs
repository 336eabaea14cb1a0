//! What an `http` probe is told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use regex::bytes::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::probe::SecretRef;
use crate::probe::wire::tls::TlsParams;
use crate::probe::wire::url::target_of;

/// One request a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// `http://HOST:PORT/PATH` or `https://…`; `{{lab.SERVICE}}` is a host with its port.
    pub url: String,
    #[serde(default = "default_method")]
    pub method: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers whose values stand elsewhere: `{Authorization: {env: TOKEN}}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_headers: BTreeMap<String, SecretRef>,
    #[serde(default)]
    pub body: Option<String>,
    /// One status or a list of them; 200 unless told.
    #[serde(default)]
    pub status: Statuses,
    /// A regular expression that the first MiB of the body must contain.
    #[serde(default)]
    pub expect: Option<String>,
    /// A new connection for every slot, or kept ones.
    #[serde(default)]
    pub connection: Connection,
    /// For `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsParams>,
}

/// How connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Connection {
    /// Opened for each slot, and told to close: sees what a new client sees.
    #[default]
    New,
    /// One request at a time on each; more are opened while slots overlap. Replaced after an error
    /// only, so that an outage has TCP's retransmission timer in it.
    Kept,
}

/// The statuses that are right answers: `200` or `[200, 204]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(pub Vec<u16>);

impl Params {
    /// What is wrong beyond the types. A URL that still holds a template is left for later.
    #[must_use]
    pub fn faults_of(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if !self.url.contains("{{")
            && let Err(fault) = target_of(&self.url)
        {
            faults.push(fault);
        }
        if self.method.parse::<Method>().is_err() {
            faults.push(format!("`{}` is not a method", self.method));
        }
        for name in self.headers.keys().chain(self.secret_headers.keys()) {
            if name.parse::<HeaderName>().is_err() {
                faults.push(format!("`{name}` is not the name of a header"));
            }
        }
        for (name, value) in &self.headers {
            if HeaderValue::from_str(value).is_err() {
                faults.push(format!("the value of header `{name}` has control characters"));
            }
        }
        if let Some(Err(e)) = self.expect.as_deref().map(Regex::new) {
            faults.push(format!("`expect` is not a regular expression: {e}"));
        }
        if self.tls.is_some() && self.url.starts_with("http:") {
            faults.push("`tls` is given for an `http:` URL; write `https:`".to_owned());
        }
        faults.extend(self.tls.iter().flat_map(TlsParams::faults_of));
        faults
    }
}

fn default_method() -> String {
    "GET".to_owned()
}

impl Default for Statuses {
    fn default() -> Statuses {
        Statuses(vec![200])
    }
}

impl Serialize for Statuses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Statuses, D::Error> {
        deserializer.deserialize_any(StatusesVisitor)
    }
}

struct StatusesVisitor;

impl<'de> Visitor<'de> for StatusesVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a status like 200, or a list like [200, 204]")
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Statuses, E> {
        let status = u16::try_from(value).ok().filter(|s| (100..600).contains(s));
        let wrong = || E::custom(format!("{value} is not a status; it is from 100 to 599"));
        Ok(Statuses(vec![status.ok_or_else(wrong)?]))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Statuses, E> {
        self.visit_u64(u64::try_from(value).unwrap_or(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Statuses, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = sequence.next_element::<u64>()? {
            all.append(&mut self::StatusesVisitor.visit_u64::<A::Error>(value)?.0);
        }
        if all.is_empty() {
            return Err(A::Error::custom("the list of statuses is empty; nothing would be right"));
        }
        Ok(Statuses(all))
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({"type": "integer", "minimum": 100, "maximum": 599});
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

//! What a `prometheus` probe is told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::query;
use crate::model::units::Span;
use crate::probe::SecretRef;
use crate::probe::wire::tls::TlsParams;
use crate::probe::wire::url::target_of;

/// One instant query a slot. A rate of one or two a second is enough: an answer changes with each
/// scrape. Every figure has the age of its samples as its error, and the ranges of the query too;
/// no sample, `NaN`, an old sample, a warning, an error or silence of Prometheus is `invalid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Prometheus itself: `http://HOST:PORT`, and the path before `/api` where it has one.
    pub url: String,
    /// A query that gives a vector. Write the comparison into `expect`: one in the query leaves out
    /// what does not fit, and nothing is no data.
    pub query: String,
    /// What every series of the answer must be.
    pub expect: Expectation,
    /// What the query reads, as a plain selector: its oldest sample is the age of the answer. The
    /// query itself unless given; needed where that is more than a selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_by: Option<String>,
    /// An older sample is no data. Two scrape intervals are a good value, here of 15 s.
    #[serde(default = "default_fresh_within")]
    pub fresh_within: Span,
    /// A token that stands elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<SecretRef>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers whose values stand elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_headers: BTreeMap<String, SecretRef>,
    /// For `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsParams>,
}

/// `{atLeast: 1}`, `{atMost: 0.5}`, or both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

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
        if self.tls.is_some() && self.url.starts_with("http:") {
            faults.push("`tls` is given for an `http:` URL; write `https:`".to_owned());
        }
        faults.extend(self.expect.fault());
        match &self.fresh_by {
            Some(selector) if !query::is_selector(selector) => faults.push(format!(
                "`freshBy: {selector}` is not a plain selector; write it like `up{{job=\"shop\"}}`"
            )),
            None if !query::is_selector(&self.query) => faults.push(
                "the query is more than a selector, so the age of its samples is not to be seen; \
                 give `freshBy` a selector of what it reads, like `up{job=\"shop\"}`"
                    .to_owned(),
            ),
            _ => {}
        }
        if self.fresh_within.0.is_zero() {
            faults.push("`freshWithin: 0s` is met by no sample; give two scrape intervals".into());
        }
        faults.extend(self.tls.iter().flat_map(TlsParams::faults_of));
        faults
    }
}

impl Expectation {
    #[must_use]
    pub fn is_met_by(self, value: f64) -> bool {
        self.at_least.is_none_or(|least| value >= least)
            && self.at_most.is_none_or(|most| value <= most)
    }

    fn fault(self) -> Option<String> {
        match (self.at_least, self.at_most) {
            (None, None) => {
                Some("`expect` is empty; give it `atLeast`, `atMost` or both".to_owned())
            }
            (Some(least), Some(most)) if least > most => {
                Some(format!("nothing is at least {least} and at most {most}; swap them"))
            }
            _ => None,
        }
    }
}

fn default_fresh_within() -> Span {
    Span::secs(30)
}

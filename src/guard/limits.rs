//! `limits`: the most that a plan may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RuleKind;
use crate::model::units::Span;

/// `limits: {maxHold: 30s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// The longest hold of a step.
    #[serde(default)]
    pub max_hold: Option<Span>,
}

pub struct Limits;

impl RuleKind for Limits {
    type Params = Params;

    const KIND: &'static str = "limits";
    const SUMMARY: &'static str = "the most that a plan may do";
    const EXAMPLE: &'static str = "limits: {maxHold: 30s}";
}

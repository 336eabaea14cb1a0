//! The catalogue of rules. A new rule is one file and one line in [`catalogue!`].
//!
//! Rules admit or refuse a plan, given facts. A refusal lists *every* reason; a fact that is
//! missing refuses. Only this folder can make a [`Clearance`].

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::plan::Plan;

pub mod admission;
pub mod clearance;
pub mod default_policy;
pub mod facts;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod properties;

pub use admission::{Refusal, Refused, admit};
pub use clearance::{Clearance, NotCleared};
pub use default_policy::in_force;
pub use facts::{ApprovalRecord, Facts, Marker, Running};

/// Why a rule does not admit a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The caller did not find it out; what nobody knows admits nothing.
    #[error("fact missing: {0}")]
    Missing(&'static str),
    /// In words: what is, what may be.
    #[error("{0}")]
    Breaks(String),
}

/// One rule, typed. Each file of this folder has one.
pub trait RuleKind: Sync {
    type Params: Serialize + DeserializeOwned + JsonSchema;

    const KIND: &'static str;
    const SUMMARY: &'static str;
    /// As it would stand under `rules:`.
    const EXAMPLE: &'static str;

    /// What is wrong with the parameters beyond their types, in words.
    fn faults_of(_params: &Self::Params) -> Vec<String> {
        Vec::new()
    }

    /// Every reason why this plan may not run; none admits it.
    fn check(params: &Self::Params, plan: &Plan, facts: &Facts) -> Vec<Reason>;

    /// The last moment at which a plan that was admitted may begin, where the rule sets one.
    fn until(_params: &Self::Params, _plan: &Plan, _facts: &Facts) -> Option<Timestamp> {
        None
    }
}

/// The same rule for those who know no kind.
pub trait RuleEntry: Sync {
    fn kind(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn example(&self) -> &'static str;
    /// Every reason; parameters that are not this rule's are one.
    fn check(&self, params: &Value, plan: &Plan, facts: &Facts) -> Vec<Reason>;
    fn until(&self, params: &Value, plan: &Plan, facts: &Facts) -> Option<Timestamp>;
}

impl<R: RuleKind> RuleEntry for R {
    fn kind(&self) -> &'static str {
        R::KIND
    }

    fn summary(&self) -> &'static str {
        R::SUMMARY
    }

    fn example(&self) -> &'static str {
        R::EXAMPLE
    }

    fn check(&self, params: &Value, plan: &Plan, facts: &Facts) -> Vec<Reason> {
        match R::Params::deserialize(params) {
            Ok(params) => {
                let faults = R::faults_of(&params).into_iter().map(Reason::Breaks);
                faults.chain(R::check(&params, plan, facts)).collect()
            }
            Err(error) => vec![Reason::Breaks(format!("its parameters cannot be read: {error}"))],
        }
    }

    fn until(&self, params: &Value, plan: &Plan, facts: &Facts) -> Option<Timestamp> {
        R::until(&R::Params::deserialize(params).ok()?, plan, facts)
    }
}

/// Declares the modules, the tagged enum that YAML is read into, and the slice.
macro_rules! catalogue {
    ($($module:ident::$entry:ident,)*) => {
        $(pub mod $module;)*

        /// A rule with its parameters, as it stands under `rules:`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub enum RuleParams {
            $($entry(<$module::$entry as RuleKind>::Params),)*
        }

        /// Every rule there is, in the order of the reference page.
        pub const CATALOGUE: &[&dyn RuleEntry] = &[$(&$module::$entry,)*];

        impl RuleParams {
            /// Kind and canonical JSON, as the model keeps a rule.
            #[must_use]
            pub fn canonical(&self) -> (&'static str, Value) {
                match self {
                    $(RuleParams::$entry(params) => (
                        <$module::$entry as RuleKind>::KIND,
                        serde_json::to_value(params).unwrap_or(Value::Null),
                    ),)*
                }
            }

            /// What is wrong beyond the types, in words.
            #[must_use]
            pub fn faults_of(&self) -> Vec<String> {
                match self {
                    $(RuleParams::$entry(params) => <$module::$entry as RuleKind>::faults_of(params),)*
                }
            }
        }
    };
}

catalogue! {
    environment::Environment,
    limits::Limits,
    strict::Strict,
    window::Window,
    concurrency::Concurrency,
    min_healthy::MinHealthy,
    opt_in::OptIn,
    ownership::Ownership,
    approval::Approval,
}

/// The entry of that kind, if there is one.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn RuleEntry> {
    CATALOGUE.iter().copied().find(|rule| rule.kind() == kind)
}

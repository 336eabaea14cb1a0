//! The catalogue of checks. A new check is one file and one line in [`catalogue!`].
//!
//! A check judges and never looks: it is a pure function of a plan and a finished history, and can
//! be asked again years later. No data is never a pass.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

pub mod arithmetic;
mod bitmap;
pub mod blast;
mod claim;
mod doubt;
pub mod ledger;
pub mod live;
pub mod measure;
#[cfg(test)]
pub(crate) mod scripted;
mod standing;
#[cfg(test)]
mod tests;
mod verdict;
mod words;

pub use claim::{Asked, Figure, Side};
pub use doubt::{Doubt, Weight};
pub use live::Live;
pub use measure::Measured;
pub use verdict::judge;

/// What one drill does not show: said beside every figure of a report.
pub const SINGLE_DRILL: &str = "n=1: bounds no RTO";

/// Why a history cannot be judged at all.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    #[error("the history does not begin with its opening; its first line is lost")]
    NoOpening,
    #[error("the history has two openings; it is of more than one drill")]
    TwoOpenings,
    #[error(
        "the history is of version {found}, and this squall reads up to {known}; use a newer one"
    )]
    Newer { found: u32, known: u32 },
    #[error("no check is called `{0}`; the plan is of another version of squall")]
    UnknownCheck(String),
    #[error("cannot read the parameters of `{check}`: {why}")]
    Params { check: String, why: String },
    #[error("the history says that stop condition {0} was met, and the plan has no such one")]
    UnknownCondition(usize),
    #[error("make a histogram: {0:?}")]
    Histogram(hdrhistogram::CreationError),
}

impl From<hdrhistogram::CreationError> for JudgeError {
    fn from(error: hdrhistogram::CreationError) -> JudgeError {
        JudgeError::Histogram(error)
    }
}

/// One check, typed. Each file of this folder has one.
pub trait CheckKind: Sync {
    type Params: Serialize + DeserializeOwned + JsonSchema;

    const KIND: &'static str;
    const SUMMARY: &'static str;
    /// As it would stand under `hypothesis:`.
    const EXAMPLE: &'static str;

    /// Name of the probe it is about.
    fn probe(_params: &Self::Params) -> Option<&str> {
        None
    }

    /// Name of the target it is about.
    fn target(_params: &Self::Params) -> Option<&str> {
        None
    }

    /// Can it end a hold early? Then it is also asked while the drill runs.
    const STOPS: bool = false;

    /// Does it presume that only one instance has the role of its target?
    const ONE_HOLDER: bool = false;

    /// Is it about what a cluster says of its target?
    const IN_CLUSTER: bool = false;

    /// While the drill runs: why the hold must end now. Asked only of checks that stop.
    fn trips(_params: &Self::Params, _live: &mut Live, _now_ns: u64) -> Option<String> {
        None
    }

    /// How long something must last before this ends a hold. Asked only of checks that stop.
    fn patience(_params: &Self::Params) -> Option<Span> {
        None
    }

    fn judge(params: &Self::Params, measured: &Measured) -> ClaimReport;
}

/// The same check for those who know no kind.
pub trait CheckEntry: Sync {
    fn kind(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn example(&self) -> &'static str;
    fn stops(&self) -> bool;
    /// Does it presume that only one instance has the role of its target?
    fn one_holder(&self) -> bool;
    /// Why the hold must end now, if it must; parameters that are not this check's never trip.
    fn trips(&self, params: &Value, live: &mut Live, now_ns: u64) -> Option<String>;
    /// Errors: parameters that are not this check's.
    fn judge(&self, params: &Value, measured: &Measured) -> Result<ClaimReport, String>;
}

impl<C: CheckKind> CheckEntry for C {
    fn kind(&self) -> &'static str {
        C::KIND
    }

    fn summary(&self) -> &'static str {
        C::SUMMARY
    }

    fn example(&self) -> &'static str {
        C::EXAMPLE
    }

    fn stops(&self) -> bool {
        C::STOPS
    }

    fn one_holder(&self) -> bool {
        C::ONE_HOLDER
    }

    fn trips(&self, params: &Value, live: &mut Live, now_ns: u64) -> Option<String> {
        C::trips(&C::Params::deserialize(params).ok()?, live, now_ns)
    }

    fn judge(&self, params: &Value, measured: &Measured) -> Result<ClaimReport, String> {
        C::Params::deserialize(params).map(|p| C::judge(&p, measured)).map_err(|e| e.to_string())
    }
}

/// Declares the modules, the tagged enum that YAML is read into, and the slice.
macro_rules! catalogue {
    ($($module:ident::$entry:ident,)*) => {
        $(pub mod $module;)*

        /// A claim with its parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub enum CheckParams {
            $($entry(<$module::$entry as CheckKind>::Params),)*
        }

        /// Every check there is, in the order of the reference page.
        pub const CATALOGUE: &[&dyn CheckEntry] = &[$(&$module::$entry,)*];

        impl CheckParams {
            /// Kind and canonical JSON, as the model keeps a claim.
            #[must_use]
            pub fn canonical(&self) -> (&'static str, Value) {
                match self {
                    $(CheckParams::$entry(params) => (
                        <$module::$entry as CheckKind>::KIND,
                        serde_json::to_value(params).unwrap_or(Value::Null),
                    ),)*
                }
            }

            #[must_use]
            pub fn probe(&self) -> Option<&str> {
                match self {
                    $(CheckParams::$entry(params) => <$module::$entry as CheckKind>::probe(params),)*
                }
            }

            #[must_use]
            pub fn target(&self) -> Option<&str> {
                match self {
                    $(CheckParams::$entry(params) => <$module::$entry as CheckKind>::target(params),)*
                }
            }

            /// How long something must last before this ends a hold.
            #[must_use]
            pub fn patience(&self) -> Option<Span> {
                match self {
                    $(CheckParams::$entry(params) => {
                        <$module::$entry as CheckKind>::patience(params)
                    })*
                }
            }

            /// Is it about what a cluster says of its target?
            #[must_use]
            pub fn in_cluster(&self) -> bool {
                match self {
                    $(CheckParams::$entry(_) => <$module::$entry as CheckKind>::IN_CLUSTER,)*
                }
            }

            #[must_use]
            pub fn stops(&self) -> bool {
                match self {
                    $(CheckParams::$entry(_) => <$module::$entry as CheckKind>::STOPS,)*
                }
            }
        }
    };
}

catalogue! {
    downtime::Downtime,
    longest_outage::LongestOutage,
    availability::Availability,
    recovery::Recovery,
    role_moved::RoleMoved,
    data_loss::DataLoss,
    latency::Latency,
    not_affected::NotAffected,
    error_budget::ErrorBudget,
    outage::Outage,
    pods_ready::PodsReady,
    rescheduled::Rescheduled,
    endpoints_dropped::EndpointsDropped,
    rollout_completes::RolloutCompletes,
    budget_respected::BudgetRespected,
    leader_moved::LeaderMoved,
    restarts_at_most::RestartsAtMost,
}

/// The entry of that kind, if there is one.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn CheckEntry> {
    CATALOGUE.iter().copied().find(|check| check.kind() == kind)
}

//! The catalogue of checks. A new check is one file and one line in [`catalogue!`].
//!
//! A check judges and never looks: it is a pure function of a plan and a finished history, and can
//! be asked again years later. No data is never a pass.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::verdict::ClaimReport;

pub mod measure;

use measure::Measured;

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

    fn judge(params: &Self::Params, measured: &Measured) -> ClaimReport;
}

/// The same check for those who know no kind.
pub trait CheckEntry: Sync {
    fn kind(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn example(&self) -> &'static str;
    fn stops(&self) -> bool;
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
}

/// The entry of that kind, if there is one.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn CheckEntry> {
    CATALOGUE.iter().copied().find(|check| check.kind() == kind)
}

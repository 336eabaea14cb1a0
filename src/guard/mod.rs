//! The catalogue of rules. A new rule is one file and one line in [`catalogue!`].
//!
//! Rules admit or refuse a plan, given facts. A refusal lists *every* reason; a fact that is
//! missing refuses. Only this folder can make a [`Clearance`].

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One rule, typed. Each file of this folder has one.
pub trait RuleKind: Sync {
    type Params: Serialize + DeserializeOwned + JsonSchema;

    const KIND: &'static str;
    const SUMMARY: &'static str;
    /// As it would stand under `rules:`.
    const EXAMPLE: &'static str;
}

/// The same rule for those who know no kind.
pub trait RuleEntry: Sync {
    fn kind(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn example(&self) -> &'static str;
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
}

/// Declares the modules, the tagged enum that YAML is read into, and the slice.
macro_rules! catalogue {
    ($($module:ident::$entry:ident,)*) => {
        $(pub mod $module;)*

        /// A rule with its parameters.
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
        }
    };
}

catalogue! {
    limits::Limits,
}

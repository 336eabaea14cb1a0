//! What is in force when nobody gives a policy: labs only.
//!
//! The text is `policies/default.yaml`, embedded for its digest; the rules are written here, since
//! nothing but `spec` reads YAML, and a test holds the two together.

use std::borrow::Cow;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::model::policy::{Policy, RuleSpec};

use super::RuleKind;
use super::environment::{Environment, LAB};

/// The file's text.
pub const TEXT: &str = include_str!("../../policies/default.yaml");

/// The built-in policy.
#[must_use]
pub fn default_policy() -> Policy {
    Policy {
        name: "default".to_owned(),
        title: "Labs only".to_owned(),
        rules: vec![RuleSpec {
            kind: Environment::KIND.to_owned(),
            params: json!({"allow": [LAB]}),
        }],
        sha256: sha256(TEXT.as_bytes()),
    }
}

/// The policies given, or the default where there are none.
#[must_use]
pub fn in_force(given: &[Policy]) -> Cow<'_, [Policy]> {
    if given.is_empty() { Cow::Owned(vec![default_policy()]) } else { Cow::Borrowed(given) }
}

/// In hexadecimal. `plan` has the same function, and `guard` may not look there.
fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

//! How a drill can end, and the exit code that says so.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The judgement of one claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClaimVerdict {
    Held,
    Deviated,
    Inconclusive,
}

/// The end of a drill. The order of precedence is stuck, deviated, aborted, inconclusive, held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Held,
    Deviated,
    Inconclusive,
    Refused,
    Aborted,
    Stuck,
}

/// Who or what ended a drill early. A stop condition is not among them: it is a deviated claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AbortCause {
    /// Ctrl-C, SIGTERM, a closed terminal.
    Signal(String),
    /// Injector, guardian, prober or lab died or hung.
    Part { part: String, why: String },
    /// A fault could not be injected, or was not seen to be in force.
    Injection(String),
}

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    Held = 0,
    Internal = 1,
    Usage = 2,
    Refused = 3,
    Deviated = 4,
    Inconclusive = 5,
    Aborted = 6,
    Stuck = 7,
}

impl Outcome {
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Outcome::Held => ExitCode::Held,
            Outcome::Deviated => ExitCode::Deviated,
            Outcome::Inconclusive => ExitCode::Inconclusive,
            Outcome::Refused => ExitCode::Refused,
            Outcome::Aborted => ExitCode::Aborted,
            Outcome::Stuck => ExitCode::Stuck,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Held => "held",
            Outcome::Deviated => "deviated",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Refused => "refused",
            Outcome::Aborted => "aborted",
            Outcome::Stuck => "stuck",
        })
    }
}

impl fmt::Display for ClaimVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClaimVerdict::Held => "held",
            ClaimVerdict::Deviated => "deviated",
            ClaimVerdict::Inconclusive => "inconclusive",
        })
    }
}

impl fmt::Display for AbortCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AbortCause::Signal(name) => write!(f, "{name} from the operator"),
            AbortCause::Part { part, why } => write!(f, "the {part} was lost: {why}"),
            AbortCause::Injection(why) => write!(f, "a fault could not be put in force: {why}"),
        }
    }
}

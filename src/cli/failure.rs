//! Why a subcommand ends early: what to say on standard error, and with which code to exit.

use crate::model::outcome::ExitCode;

/// One or more lines for a person, and the code.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    pub code: ExitCode,
    pub text: String,
}

impl Failure {
    /// The user can mend it: a bad argument, a bad file.
    pub fn usage(text: impl Into<String>) -> Failure {
        Failure { code: ExitCode::Usage, text: text.into() }
    }

    /// The machine, or squall itself.
    pub fn internal(text: impl Into<String>) -> Failure {
        Failure { code: ExitCode::Internal, text: text.into() }
    }

    pub fn refused(text: impl Into<String>) -> Failure {
        Failure { code: ExitCode::Refused, text: text.into() }
    }
}

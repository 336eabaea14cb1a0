//! Why a command failed, in words, with the exit code that says what kind of failure it was.

use std::io;

use crate::drill::DrillError;
use crate::host::HostError;
use crate::injection::journal::JournalError;
use crate::lab::LabError;
use crate::model::outcome::ExitCode;
use crate::report::RenderError;

use super::state::StateError;

/// Printed as `squall: WHY`.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    pub why: String,
    pub code: u8,
}

impl Failure {
    #[must_use]
    pub fn new(code: ExitCode, why: impl Into<String>) -> Failure {
        Failure { why: why.into(), code: code as u8 }
    }

    #[must_use]
    pub fn usage(why: impl Into<String>) -> Failure {
        Failure::new(ExitCode::Usage, why)
    }

    #[must_use]
    pub fn internal(why: impl Into<String>) -> Failure {
        Failure::new(ExitCode::Internal, why)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::internal(format!("failed to write: {error}"))
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Failure {
        Failure::internal(error.to_string())
    }
}

impl From<LabError> for Failure {
    fn from(error: LabError) -> Failure {
        let code = match error {
            LabError::Wrong(_) | LabError::Missing(_) | LabError::Unknown { .. } => ExitCode::Usage,
            LabError::Busy { .. }
            | LabError::Taken { .. }
            | LabError::Degraded { .. }
            | LabError::NotRoot { .. } => ExitCode::Refused,
            _ => ExitCode::Internal,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        let code = match error {
            JournalError::Newer { .. } => ExitCode::Usage,
            JournalError::Live { .. } => ExitCode::Refused,
            _ => ExitCode::Internal,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Failure {
        let code = match error {
            StateError::Homeless | StateError::Version { .. } => ExitCode::Usage,
            StateError::Io { .. } => ExitCode::Internal,
        };
        Failure::new(code, error.to_string())
    }
}

impl From<DrillError> for Failure {
    fn from(error: DrillError) -> Failure {
        let code = match error {
            DrillError::NotCleared(_) => ExitCode::Refused,
            DrillError::Aborted(_) => ExitCode::Aborted,
            // It says so itself.
            DrillError::Unwritten(why) => return Failure::internal(why),
            _ => ExitCode::Internal,
        };
        Failure::new(code, format!("nothing was injected: {error}"))
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Failure {
        Failure::internal(format!("failed to {error}"))
    }
}

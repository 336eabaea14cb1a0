//! What can go wrong at the door to the kernel.

use std::io;

/// A failed request to the kernel. `Gone` and `Denied` tell the caller what to do.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The process or namespace is not there any more, or another one wears its number.
    #[error("{0} is gone")]
    Gone(String),
    /// The kernel refused; the text says what to change.
    #[error("{what} was refused: {remedy}")]
    Denied { what: String, remedy: String },
    /// The kernel lacks it; the text says what to install.
    #[error("this kernel lacks {what}: {remedy}")]
    Lacking { what: String, remedy: String },
    /// A server understood and will not; `budget`: for the sake of a `PodDisruptionBudget`.
    #[error("{why}")]
    Refused { why: String, budget: bool },
    #[error("failed to {what}: {source}")]
    Io { what: String, source: io::Error },
}

impl HostError {
    /// Wraps a system error with what was being done: `HostError::io("open /proc/7/stat", e)`.
    pub fn io(what: impl Into<String>, source: impl Into<io::Error>) -> HostError {
        HostError::Io { what: what.into(), source: source.into() }
    }

    /// The same once more, for another who met it too.
    #[must_use]
    pub fn again(&self) -> HostError {
        match self {
            HostError::Gone(what) => HostError::Gone(what.clone()),
            HostError::Denied { what, remedy } => {
                HostError::Denied { what: what.clone(), remedy: remedy.clone() }
            }
            HostError::Lacking { what, remedy } => {
                HostError::Lacking { what: what.clone(), remedy: remedy.clone() }
            }
            HostError::Refused { why, budget } => {
                HostError::Refused { why: why.clone(), budget: *budget }
            }
            HostError::Io { what, source } => {
                let source = match source.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => io::Error::new(source.kind(), source.to_string()),
                };
                HostError::Io { what: what.clone(), source }
            }
        }
    }
}

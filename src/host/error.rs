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
    #[error("failed to {what}: {source}")]
    Io { what: String, source: io::Error },
}

impl HostError {
    /// Wraps a system error with what was being done: `HostError::io("open /proc/7/stat", e)`.
    pub fn io(what: impl Into<String>, source: impl Into<io::Error>) -> HostError {
        HostError::Io { what: what.into(), source: source.into() }
    }
}

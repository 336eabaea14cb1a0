//! The language from outside: bad documents and what is said of them, good ones and what comes out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod abuse;
mod bad;
mod commands;
mod reference;
mod shipped;

use std::path::PathBuf;

use squall::spec::{AnyDocument, Findings, Surroundings};

/// A folder beside this file.
fn folder(name: &str) -> PathBuf {
    PathBuf::from("tests/spec").join(name)
}

/// No variable is set.
fn unset(_: &str) -> Option<String> {
    None
}

fn read(path: &std::path::Path) -> Result<AnyDocument, Findings> {
    squall::spec::any(path, &Surroundings { lab: None, env: &unset })
}

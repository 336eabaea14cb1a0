//! Values that stand in no document: a parameter only says where they are.
//!
//! The conductor reads them and hands them to the prober; they are in no output, log, error or
//! argument vector. [`Secrets`] prints its keys only.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value that must not be written into a document: a variable's name or a file's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum SecretRef {
    /// Name of an environment variable of `squall run`.
    Env(String),
    /// A file, relative to the experiment's; one trailing newline is left out.
    File(PathBuf),
}

/// Values by the key of their reference: `env:NAME`, `file:PATH`.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<String, String>);

impl SecretRef {
    /// The key under which its value travels.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            SecretRef::Env(name) => format!("env:{name}"),
            SecretRef::File(path) => format!("file:{}", path.display()),
        }
    }
}

impl Secrets {
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Secrets {
        Secrets(values)
    }

    /// Errors: it was not handed over; the text names the reference, never a value.
    pub fn value(&self, of: &SecretRef) -> Result<&str, String> {
        let key = of.key();
        match self.0.get(&key) {
            Some(value) => Ok(value),
            None => Err(format!("the secret {key} was not handed to the prober")),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

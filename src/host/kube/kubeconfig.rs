//! Which file has a context. The current context of a kubeconfig is never used: who is meant is
//! always named.

use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;

use super::ApiError;

/// The files of `KUBECONFIG`, or else `~/.kube/config`.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    match std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(list) => std::env::split_paths(&list).filter(|p| !p.as_os_str().is_empty()).collect(),
        None => std::env::var_os("HOME")
            .map(|home| Path::new(&home).join(".kube").join("config"))
            .into_iter()
            .collect(),
    }
}

/// The file that has the context, of those given. Errors: none has; the text names all that were
/// looked into and the contexts that they have.
pub fn find(context: &str, files: &[PathBuf]) -> Result<PathBuf, ApiError> {
    let mut known = Vec::new();
    for file in files {
        if !file.exists() {
            continue;
        }
        let read = read(file)?;
        if read.contexts.iter().any(|named| named.name == context) {
            return std::path::absolute(file)
                .map_err(|e| ApiError::Kubeconfig(format!("locate {}: {e}", file.display())));
        }
        known.extend(read.contexts.into_iter().map(|named| named.name));
    }
    let looked: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let looked = if looked.is_empty() { "nowhere".to_owned() } else { looked.join(", ") };
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(ApiError::Kubeconfig(format!(
        "find context `{context}`: looked into {looked}, which has {known}; \
         name a file with --kubeconfig"
    )))
}

/// Errors: it cannot be read, or is no kubeconfig.
pub(super) fn read(file: &Path) -> Result<Kubeconfig, ApiError> {
    Kubeconfig::read_from(file).map_err(|error| {
        ApiError::Kubeconfig(format!("read the kubeconfig {}: {error}", file.display()))
    })
}

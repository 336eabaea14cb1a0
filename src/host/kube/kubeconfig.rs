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
    let (mut known, mut missing) = (Vec::new(), Vec::new());
    for file in files {
        if !file.exists() {
            missing.push(file.display().to_string());
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
    let there: Vec<String> = looked.into_iter().filter(|file| !missing.contains(file)).collect();
    let mut words = Vec::new();
    if !there.is_empty() {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        words.push(format!("{} has {known}", there.join(" with ")));
    }
    words.extend(missing.iter().map(|file| format!("{file} is not there")));
    if words.is_empty() {
        words.push("there is no kubeconfig to look into".to_owned());
    }
    Err(ApiError::Kubeconfig(format!(
        "find context `{context}`: {}; name a file with --kubeconfig, or another context",
        words.join("; ")
    )))
}

/// Errors: it cannot be read, or is no kubeconfig.
pub(super) fn read(file: &Path) -> Result<Kubeconfig, ApiError> {
    Kubeconfig::read_from(file).map_err(|error| {
        ApiError::Kubeconfig(format!("read the kubeconfig {}: {error}", file.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_no_file_has_is_told_with_those_there_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let text = "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts:\n\
                    - {name: staging, context: {cluster: a, user: b}}\n\
                    - {name: dev, context: {cluster: a, user: b}}\n";
        std::fs::write(&file, text).unwrap();
        let missing = folder.path().join("other");
        assert_eq!(find("dev", &[missing.clone(), file.clone()]).unwrap(), file);
        let why = find("prod", &[missing.clone(), file.clone()]).unwrap_err().to_string();
        let shown = |path: &Path| path.display().to_string();
        for words in [
            "find context `prod`: ".to_owned(),
            format!("{} has staging, dev", shown(&file)),
            format!("{} is not there", shown(&missing)),
        ] {
            assert!(why.contains(&words), "{words}: {why}");
        }
        let why = find("prod", &[missing]).unwrap_err().to_string();
        assert!(why.contains("other is not there;") && !why.contains(" has "), "{why}");
        assert!(find("prod", &[]).unwrap_err().to_string().contains("no kubeconfig to look into"));
        std::fs::write(&file, "contexts: 7\n").unwrap();
        let why = find("prod", std::slice::from_ref(&file)).unwrap_err().to_string();
        assert!(why.starts_with(&format!("read the kubeconfig {}", shown(&file))), "{why}");
    }
}

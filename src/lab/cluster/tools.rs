//! The programs of a cluster: where they are looked for, and what is missing in which words.

use std::path::{Path, PathBuf};

use super::PROGRAMS;
use crate::host::linux::mounts::Bind;
use crate::host::linux::program;
use crate::lab::error::MissingProgram;
use crate::model::kubernetes::{KubernetesSpec, PLUGINS};

/// What is started beside the services, with its Debian package.
const TOOLS: &[(&str, Option<&str>)] = &[
    ("kubectl", None),
    ("ctr", Some("containerd")),
    ("containerd-shim-runc-v2", Some("containerd")),
    ("runc", Some("runc")),
];

/// The network plug-ins that pods are wired with, and where they lie.
const PLUGINS_NEEDED: &[&str] = &["ptp", "host-local", "loopback"];
const PLUGIN_FOLDERS: &[&str] = &["/usr/lib/cni", "/opt/cni/bin"];

/// The file of a program: in the section's folders first, then where programs are on this machine.
pub fn search(folders: &[String], name: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| program::is_program(path);
    let own = folders.iter().map(|folder| Path::new(folder).join(name)).find(runs);
    let own = own.and_then(|path| std::fs::canonicalize(path).ok());
    own.or_else(|| program::find(name))
}

/// A program that is nowhere, in the words of its remedy.
pub fn missing(folders: &[String], name: &str, package: Option<&str>) -> MissingProgram {
    MissingProgram {
        program: name.to_owned(),
        package: package.map(str::to_owned),
        services: vec!["the cluster".to_owned()],
        searched: folders.to_vec(),
    }
}

/// Every tool, in its place in the lab.
pub fn find(spec: &KubernetesSpec, lacking: &mut Vec<MissingProgram>) -> Vec<Bind> {
    let mut found = Vec::new();
    for (name, package) in TOOLS {
        match search(&spec.programs, name) {
            Some(path) => found
                .push(Bind { from: path.display().to_string(), to: format!("{PROGRAMS}/{name}") }),
            None => lacking.push(missing(&spec.programs, name, *package)),
        }
    }
    let whole = |folder: &&str| {
        PLUGINS_NEEDED.iter().all(|name| program::is_program(&Path::new(folder).join(name)))
    };
    let folders = spec.programs.iter().map(String::as_str).chain(PLUGIN_FOLDERS.iter().copied());
    if let Some(folder) = folders.clone().find(whole) {
        found.push(Bind { from: folder.to_owned(), to: PLUGINS.to_owned() });
        return found;
    }
    let searched: Vec<String> = folders.map(str::to_owned).collect();
    let package = Some("containernetworking-plugins");
    lacking.extend(PLUGINS_NEEDED.iter().map(|name| missing(&searched, name, package)));
    found
}

//! The `kubernetes` section of a lab's document: its paths made whole, its services written out,
//! and what its types cannot say checked, each finding at its place.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::finding::Code;
use super::lab::check_template;
use super::name;
use super::sheet::Sheet;
use super::source::hex;
use super::suggest;
use super::tree::{Entry, Node};
use crate::model::kubernetes::{self, CONTROL_PLANE, KubernetesSpec, NODES_MAX};
use crate::model::lab::LabSpec;
use crate::model::layout::CLIENT;

/// The longest value of a label, and of a node's name that is one too.
const LABEL_MAX: usize = 63;

/// Makes of the section what everybody else knows: paths that hold wherever we stand, and services.
pub(super) fn write_out(lab: &mut LabSpec, document: &Path) {
    let Some(section) = &mut lab.kubernetes else { return };
    let folder = document.parent().unwrap_or(Path::new(""));
    for path in [&mut section.programs, &mut section.images, &mut section.manifests] {
        for word in path {
            *word = folder.join(word.as_str()).display().to_string();
        }
    }
    kubernetes::expand(lab);
}

/// What the lab is, by the text of its document and of its manifests: a plan that was made for it
/// is for no other. One that cannot be read is told when the lab is raised.
pub(super) fn digest(lab: &LabSpec, document: &str) -> String {
    let manifests = lab.kubernetes.as_ref().map_or(&[][..], |section| &section.manifests);
    if manifests.is_empty() {
        return document.to_owned();
    }
    let mut whole = Sha256::new_with_prefix(document);
    for path in manifests.iter().flat_map(|word| files(Path::new(word))) {
        whole.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        whole.update(Sha256::digest(std::fs::read(&path).unwrap_or_default()));
    }
    hex(&whole.finalize())
}

/// A file is itself; of a folder every file, by name.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

/// `lab` is written out; `root` is the document as it stands there.
pub(super) fn check(root: &Node, lab: &LabSpec, sheet: &mut Sheet) {
    let Some(node) = root.at(&["spec", "kubernetes"]) else { return };
    let Some(section) = &lab.kubernetes else { return };
    check_services(root, sheet);
    check_nodes(node, sheet);
    check_images(node, sheet);
    check_manifests(node, section, sheet);
    for entry in node.get("components").map_or(&[][..], Node::entries) {
        check_component(entry, sheet);
    }
}

fn check_services(root: &Node, sheet: &mut Sheet) {
    let services = root.at(&["spec", "services"]).map_or(&[][..], Node::entries);
    let taken = |entry: &&Entry| kubernetes::service_names().any(|name| name == entry.key.text);
    for entry in services.iter().filter(taken) {
        let message = format!("the service `{}` is one of the cluster's own", entry.key.text);
        sheet
            .error(Code::DuplicateKey, entry.key.span.clone(), message)
            .help("give it another name; `kubernetes.components` changes the cluster's own");
    }
}

fn check_nodes(section: &Node, sheet: &mut Sheet) {
    let Some(list) = section.get("nodes") else { return };
    if list.items().is_empty() {
        let span = section.entry("nodes").map_or(list.span.clone(), |entry| entry.key.span.clone());
        sheet
            .error(Code::MissingKey, span, "the cluster has no nodes")
            .help("name at least one: `nodes: [{name: n1, zone: z1}]`");
    }
    if list.items().len() > NODES_MAX {
        let message = format!("{} nodes are more than {NODES_MAX}", list.items().len());
        sheet.error(Code::BadValue, list.span.clone(), message).help("take some of them out");
    }
    let mut seen: Vec<&str> = Vec::new();
    for node in list.items() {
        let Some(named) = node.get("name") else { continue };
        name::check_value("a node", named, sheet);
        let text = named.text().unwrap_or_default();
        if [CONTROL_PLANE, CLIENT].contains(&text) {
            let message = format!("no node can have the name `{text}`, which is a host's already");
            sheet.error(Code::DuplicateKey, named.span.clone(), message).help("write `n1`");
        }
        if seen.contains(&text) {
            let message = format!("the node `{text}` is here twice");
            sheet
                .error(Code::DuplicateKey, named.span.clone(), message)
                .help("each node is a host of its own");
        }
        seen.push(text);
        if let Some(zone) = node.get("zone").filter(|zone| !zone.text().is_none_or(is_label)) {
            let message = "this cannot be a zone: it is the value of a label";
            sheet
                .error(Code::BadValue, zone.span.clone(), message)
                .help("letters, digits, `-`, `_` and `.`, at most 63, such as `z1`");
        }
    }
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric();
    (1..=LABEL_MAX).contains(&text.len())
        && text.chars().all(|c| inner(c) || "-_.".contains(c))
        && text.starts_with(inner)
        && text.ends_with(inner)
}

fn check_images(section: &Node, sheet: &mut Sheet) {
    let Some(entry) = section.entry("images") else { return };
    if entry.value.items().is_empty() {
        sheet
            .error(Code::MissingKey, entry.key.span.clone(), "the cluster has no images")
            .help("name the folder that `make kube-images` fills: `target/kube/images`");
    }
}

/// Manifests belong to the document, so they must be there; images and programs are the machine's.
fn check_manifests(section: &Node, spec: &KubernetesSpec, sheet: &mut Sheet) {
    let nodes = section.get("manifests").map_or(&[][..], Node::items);
    // A list that was not decoded whole has its findings already.
    if nodes.len() != spec.manifests.len() {
        return;
    }
    for (node, path) in nodes.iter().zip(&spec.manifests) {
        if std::fs::metadata(path).is_err() {
            sheet
                .error(Code::Unreadable, node.span.clone(), format!("there is no {path}"))
                .help("a path is relative to the lab's own file");
        }
    }
}

fn check_component(entry: &Entry, sheet: &mut Sheet) {
    for flag in entry.value.get("flags").map_or(&[][..], Node::entries) {
        let bare = flag.key.text.trim_start_matches('-');
        if bare != flag.key.text || bare.is_empty() || bare.contains(['=', ' ']) {
            let message = format!("`{}` is no flag's name", flag.key.text);
            let help = match bare.split(['=', ' ']).next().filter(|name| !name.is_empty()) {
                Some(name) => format!("write it without dashes: `{name}: VALUE`"),
                None => "write it without dashes, such as `v: 4`".to_owned(),
            };
            sheet.error(Code::BadValue, flag.key.span.clone(), message).help(help);
        }
        check_template(&flag.value, sheet);
    }
    let Some(config) = entry.value.entry("config") else { return };
    if entry.key.text != "kubelet" {
        let known = ["flags", "restart"];
        let message = format!("`{}` has no `config`: that is the kubelet's", entry.key.text);
        sheet
            .error(Code::UnknownKey, config.key.span.clone(), message)
            .help(suggest::remedy("config", &known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lab_from_text;

    #[test]
    fn another_manifest_is_another_lab() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("web.yaml");
        std::fs::write(&manifest, "a: 1").unwrap();
        let text = "apiVersion: squall.dev/v1alpha1\nkind: Lab\nmetadata: {name: c}\nspec:\n  \
                    title: t\n  kubernetes:\n    nodes: [{name: n1}]\n    images: [i]\n    \
                    manifests: [.]\n";
        let digest = || lab_from_text(&folder.path().join("c.yaml"), text).unwrap().sha256;
        let before = digest();
        assert_eq!(digest(), before);
        std::fs::write(&manifest, "a: 2").unwrap();
        assert_ne!(digest(), before);
    }

    #[test]
    fn paths_are_those_of_the_document() {
        let text = "apiVersion: squall.dev/v1alpha1\nkind: Lab\nmetadata: {name: c}\nspec:\n  \
                    title: t\n  kubernetes:\n    nodes: [{name: n1}]\n    images: [i, /abs]\n    \
                    programs: [../p]\n";
        let lab = lab_from_text(Path::new("labs/c.yaml"), text).unwrap().value;
        let section = lab.kubernetes.unwrap();
        assert_eq!(section.images, ["labs/i", "/abs"]);
        assert_eq!(section.programs, ["labs/../p"]);
        assert!(lab.services.contains_key("kubelet"));
    }
}

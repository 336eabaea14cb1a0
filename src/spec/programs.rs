//! The programs that a lab wants and this machine does not have: warnings, because the file is
//! right and may be for another machine.

use super::finding::{Code, Finding};
use super::load::{Loaded, hold};
use super::read::read;
use super::sheet::Sheet;
use super::tree::Node;
use crate::model::kubernetes::Component;
use crate::model::lab::LabSpec;

/// `runs`: can a program of that name be started here? A name that is filled later is not asked
/// for.
#[must_use]
pub fn missing_programs(lab: &Loaded<LabSpec>, runs: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let Ok(source) = hold(&lab.path, &lab.text) else { return Vec::new() };
    let mut sheet = Sheet::new(source);
    let Some(root) = read(&mut sheet) else { return Vec::new() };
    for (name, service) in &lab.value.services {
        let node = root.at(&["spec", "services", name, "command", "0"]);
        let Some((node, program)) = node.and_then(|node| Some((node, node.text()?))) else {
            continue;
        };
        if program.contains("{{") || runs(program) {
            continue;
        }
        let message = format!("the program `{program}` of the service `{name}` is not here");
        let help = match &service.package {
            Some(package) => format!("install it: `apt-get install {package}`"),
            None => "install it; its package is not declared (`package:`)".to_owned(),
        };
        sheet.warning(Code::MissingProgram, node.span.clone(), message).help(help);
    }
    of_cluster(&root, lab, runs, &mut sheet);
    sheet.sorted()
}

/// Those of a cluster stand in no line of their own.
fn of_cluster(root: &Node, lab: &Loaded<LabSpec>, runs: &dyn Fn(&str) -> bool, sheet: &mut Sheet) {
    let Some(entry) = root.get("spec").and_then(|spec| spec.entry("kubernetes")) else { return };
    let Some(section) = &lab.value.kubernetes else { return };
    let span = entry.value.entry("programs").map_or(entry.key.span.clone(), |e| e.key.span.clone());
    let lacking = Component::ALL.into_iter().filter(|component| !runs(component.program()));
    let (from_debian, built): (Vec<Component>, Vec<Component>) =
        lacking.partition(|component| component.package().is_some());
    let mut warn = |which: &[Component], help: String| {
        if which.is_empty() {
            return;
        }
        let names: Vec<String> = which.iter().map(|c| format!("`{}`", c.program())).collect();
        let message = format!("programs of the cluster are not here: {}", names.join(", "));
        sheet.warning(Code::MissingProgram, span.clone(), message).help(help);
    };
    let packages: Vec<&str> = from_debian.iter().filter_map(|c| c.package()).collect();
    warn(&from_debian, format!("install them: `apt-get install {}`", packages.join(" ")));
    let places = if section.programs.is_empty() { "PATH" } else { &section.programs.join(", ") };
    warn(&built, format!("`make kube-programs` builds them; they are looked for in {places}"));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::spec::lab_from_text;

    #[test]
    fn what_a_cluster_lacks_is_said_with_where_it_comes_from() {
        let text = "apiVersion: squall.dev/v1alpha1\nkind: Lab\nmetadata: {name: c}\nspec:\n  \
                    title: t\n  kubernetes:\n    nodes: [{name: n1}]\n    images: [i]\n    \
                    programs: [p]\n";
        let lab = lab_from_text(Path::new("labs/c.yaml"), text).unwrap();
        let here = |name: &str| !["etcd", "kubelet", "kube-proxy"].contains(&name);
        let found = missing_programs(&lab, &here);
        let said: Vec<(&str, &str)> = found
            .iter()
            .map(|f| (f.message.as_str(), f.help.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].0.contains("`etcd`") && said[0].1.contains("etcd-server"), "{said:?}");
        assert!(said[1].0.contains("`kubelet`, `kube-proxy`"), "{said:?}");
        assert!(said[1].1.contains("labs/p") && found[1].line == 9, "{said:?}");
        assert!(missing_programs(&lab, &|_| true).is_empty());
    }
}

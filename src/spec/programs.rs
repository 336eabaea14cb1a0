//! The programs that a lab wants and this machine does not have: warnings, because the file is
//! right and may be for another machine.

use super::finding::{Code, Finding};
use super::load::{Loaded, hold};
use super::read::read;
use super::sheet::Sheet;
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
    sheet.sorted()
}

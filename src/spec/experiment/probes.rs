//! Probes: what is wrong with each beyond its types, as its catalogue entry says, and the addresses
//! that its defaults take from the lab.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::finding::Code;
use super::super::sheet::Sheet;
use super::super::suggest;
use super::super::template::{LabValues, Values, value_of};
use super::super::tree::Entry;
use super::Review;
use crate::model::experiment::ProbeSpec;
use crate::probe;

impl Review<'_> {
    /// Every probe that is whole, as the model keeps it.
    pub(super) fn probes(
        &self,
        values: &Values<'_>,
        sheet: &mut Sheet,
    ) -> BTreeMap<String, ProbeSpec> {
        let mut specs = BTreeMap::new();
        for entry in self.entries("probes").iter().filter(|e| self.decoded.is_whole(&e.value)) {
            let Some(document) = self.document.probes.get(&entry.key.text) else { continue };
            match document.spec() {
                Err(why) => note(entry, &why, sheet),
                Ok(mut spec) => {
                    fill_defaults(&mut spec, values, entry, sheet);
                    for fault in faults_of(&spec) {
                        note(entry, &fault, sheet);
                    }
                    check_from(&spec, values, entry, sheet);
                    specs.insert(entry.key.text.clone(), spec);
                }
            }
        }
        specs
    }
}

/// Only a host of the lab has a network to look from.
fn check_from(spec: &ProbeSpec, values: &Values<'_>, entry: &Entry, sheet: &mut Sheet) {
    let Some(from) = &spec.from else { return };
    let at = entry.value.get("from").map_or(entry.key.span.clone(), |node| node.span.clone());
    let probe = &entry.key.text;
    match values.lab {
        LabValues::None => sheet
            .error(
                Code::Lab,
                at,
                format!("the probe `{probe}` looks from a host of a lab, and there is no lab"),
            )
            .help("add `lab: FILE` to the spec, run it with `--lab FILE`, or leave `from` out"),
        LabValues::Known(layout) if layout.host(from).is_none() => {
            let known: Vec<&str> = layout.hosts.iter().map(|host| host.name.as_str()).collect();
            sheet
                .error(Code::UnknownReference, at, format!("the lab has no host `{from}`"))
                .help(suggest::remedy(from, &known));
        }
        LabValues::Known(_) | LabValues::Broken => {}
    }
}

/// A default may be a template, such as the Sentinels of a lab. One that this lab cannot fill
/// matters only if the probe misses it.
fn fill_defaults(spec: &mut ProbeSpec, values: &Values<'_>, entry: &Entry, sheet: &mut Sheet) {
    let Some(params) = spec.params.as_object() else { return };
    let templates = params.iter().filter_map(|(key, value)| {
        let text = value.as_str().filter(|text| text.contains("{{"))?;
        Some((key.clone(), text.to_owned()))
    });
    for (key, text) in templates.collect::<Vec<_>>() {
        match value_of(&text, values) {
            Ok(value) => spec.params[&key] = Value::String(value),
            Err(wrong) => {
                spec.params[&key] = Value::String(String::new());
                if faults_of(spec).is_empty() {
                    continue;
                }
                if let Some((message, _)) = wrong {
                    let message = format!("{message}; give the probe `{key}`");
                    note(entry, &message, sheet);
                }
            }
        }
    }
}

fn faults_of(spec: &ProbeSpec) -> Vec<String> {
    let found = probe::find(&spec.kind).map(|kind| kind.faults_of(&spec.params));
    found.map_or_else(Vec::new, |faults| faults.unwrap_or_else(|why| vec![why]))
}

fn note(entry: &Entry, fault: &str, sheet: &mut Sheet) {
    let (message, help) = fault.split_once("; ").unwrap_or((fault, ""));
    let message = format!("probe `{}`: {message}", entry.key.text);
    let noted = sheet.error(Code::BadValue, entry.key.span.clone(), message);
    if !help.is_empty() {
        noted.help(help);
    }
}

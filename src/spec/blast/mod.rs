//! A blast map's document: written out into one experiment for each service, and checked as those.
//!
//! An experiment that a map is written out into is a document like any other: it is read by the
//! same reader, may be run by itself, and its mistakes are shown where they stand in the map.

mod document;
mod expand;

use std::sync::Arc;

use super::document::Envelope;
use super::finding::Code;
use super::load::{Loaded, Surroundings};
use super::repair::{Decoded, Repairs, decode};
use super::sheet::Sheet;
use super::source::Source;
use super::template::{self, LabValues, Values};
use super::tree::{Content, Node};
use super::{experiment, name, suggest};
use crate::model::blast::{BlastClaim, BlastMap};
use crate::model::lab::LabSpec;

pub(super) use document::BlastDocument;

/// A map with the lab that it names, and the experiments that it is written out into.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredMap {
    pub map: BlastMap,
    pub lab: Option<Loaded<LabSpec>>,
    /// In the order of the services.
    pub experiments: Vec<WrittenOut>,
}

/// The experiment that loses one service.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenOut {
    pub service: String,
    /// A document of kind Experiment; its lab is named by an absolute path.
    pub text: String,
}

impl DeclaredMap {
    /// The same with these services alone, in the map's order; all of them where none is named.
    /// Claims stay: what they say of others is then not known.
    pub fn only(mut self, services: &[String]) -> Result<DeclaredMap, String> {
        if let Some(unknown) = services.iter().find(|name| !self.map.services.contains(name)) {
            let known = self.map.services.join(", ");
            return Err(format!("the map has no service `{unknown}`; it has {known}"));
        }
        if !services.is_empty() {
            self.map.services.retain(|name| services.contains(name));
            self.experiments.retain(|experiment| services.contains(&experiment.service));
        }
        Ok(self)
    }
}

/// None: the sheet says why.
pub(super) fn read(
    root: Node,
    surroundings: &Surroundings<'_>,
    (source, sheet): (&Arc<Source>, &mut Sheet),
) -> Option<DeclaredMap> {
    let decoded = decoded(root.clone(), surroundings, sheet);
    let spec = root.get("spec")?;
    let map = map(decoded.value.as_ref()?, spec);
    check(&map, (spec, &decoded.kept(spec.get("claims"))), sheet);
    let (mut lab, mut experiments) = (None, Vec::new());
    for service in spec.get("services").map_or(&[][..], Node::entries) {
        let Some(expanded) = expand::experiment(&root, service) else { continue };
        if !name::is_name(&expanded.name) {
            let message = format!("`{}` is too long for the name of its drill", expanded.name);
            let noted = sheet.error(Code::BadName, service.key.span.clone(), message);
            noted.help("map and service together have at most 62 characters");
        }
        let declared = experiment::read(expanded.tree.clone(), surroundings, sheet);
        if let Some(declared) = declared {
            lab = declared.lab;
        }
        // What is wrong with the lab is wrong with all of them.
        if sheet.findings.iter().any(|finding| finding.code == Code::Lab) {
            break;
        }
        let text = expand::text(&expanded, &source.path);
        experiments.push(WrittenOut { service: service.key.text.clone(), text });
    }
    (!sheet.has_errors()).then_some(DeclaredMap { map, lab, experiments })
}

/// Its own fields. What a lab's addresses stand for is left to the experiments.
fn decoded(
    mut root: Node,
    surroundings: &Surroundings<'_>,
    sheet: &mut Sheet,
) -> Decoded<Envelope<BlastDocument>> {
    let values = Values { lab: LabValues::Broken, env: surroundings.env };
    let broken = match &mut root.content {
        Content::Map(entries) => entries
            .iter_mut()
            .find(|entry| entry.key.text == "spec")
            .map(|entry| template::fill(&mut entry.value, &values, sheet)),
        _ => None,
    };
    let repairs = Repairs::without(broken.unwrap_or_default());
    decode(&root, repairs, sheet)
}

fn map(envelope: &Envelope<BlastDocument>, spec: &Node) -> BlastMap {
    let names = |key: &str| -> Vec<String> {
        let entries = spec.get(key).map_or(&[][..], Node::entries);
        entries.iter().map(|entry| entry.key.text.clone()).collect()
    };
    BlastMap {
        name: envelope.metadata.name.clone(),
        title: envelope.spec.title.clone(),
        hurt_by: envelope.spec.hurt_by,
        journeys: names("journeys"),
        services: names("services"),
        claims: envelope.spec.claims.clone(),
    }
}

/// What the types cannot say, and the experiments do not.
fn check(map: &BlastMap, (spec, claims): (&Node, &[&Node]), sheet: &mut Sheet) {
    for (key, what, example) in [
        ("journeys", "a journey", "`browse: {http: {url: ...}, rate: 10/s, deadline: 1s}`"),
        ("services", "a service", "`cart: {workload: {namespace: ..., kind: ..., name: ...}}`"),
    ] {
        let Some(entry) = spec.entry(key) else { continue };
        for named in entry.value.entries() {
            name::check_key(what, &named.key, sheet);
        }
        if entry.value.entries().is_empty() {
            let message = format!("a map without {what} shows nothing");
            let noted = sheet.error(Code::HollowMethod, entry.key.span.clone(), message);
            noted.help(format!("add one: {example}"));
        }
    }
    for (claim, node) in map.claims.iter().zip(claims) {
        let BlastClaim::Survives(survives) = claim;
        known(&survives.journey, ("journey", &map.journeys), (node, sheet));
        for service in &survives.losing {
            known(service, ("service", &map.services), (node, sheet));
        }
        if survives.losing.is_empty() {
            let message = "a claim about no loss is always true";
            let noted = sheet.error(Code::EmptyHypothesis, node.span.clone(), message);
            noted.help("name the services: `losing: [mail]`");
        }
    }
}

fn known(name: &str, (what, names): (&str, &[String]), (node, sheet): (&Node, &mut Sheet)) {
    if names.iter().any(|known| known == name) {
        return;
    }
    let span = node.scalar(name).unwrap_or(node).span.clone();
    let message = format!("the claim names the {what} `{name}`, which is not declared");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    sheet.error(Code::UnknownReference, span, message).help(suggest::remedy(name, &names));
}

#[cfg(test)]
mod tests;

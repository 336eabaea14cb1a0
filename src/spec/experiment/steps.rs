//! The method: whom each step names, and whether every target is named by somebody.

use std::collections::BTreeSet;

use super::super::document::{StepDocument, TargetDocument};
use super::super::finding::Code;
use super::super::sheet::Sheet;
use super::super::suggest;
use super::super::tree::Node;
use super::Review;
use crate::fault::{self, Fault};
use crate::model::cluster::Resource;
use crate::model::experiment::{Peers, StepFacts};

impl Review<'_> {
    pub(super) fn check_steps(&self, sheet: &mut Sheet) {
        let written = self.spec.get("method");
        if written.is_none_or(|method| method.items().is_empty()) {
            let method = self.spec.entry("method");
            let span = method.map_or(self.label.clone(), |entry| entry.key.span.clone());
            sheet
                .warning(
                    Code::HollowMethod,
                    span,
                    "the method has no fault: nothing will be broken",
                )
                .help("add a step: `- {at: 0s, hold: 5s, inject: {processKill: {target: NAME}}}`");
        }
        let known = self.names("targets");
        for (step, node) in self.document.method.iter().zip(self.decoded.kept(written)) {
            if !self.decoded.is_whole(node) {
                continue;
            }
            for target in targets_of(&step.inject.facts()) {
                if !known.contains(&target.as_str()) {
                    let at = node.get("inject").and_then(|inject| inject.scalar(&target));
                    let message =
                        format!("the step names the target `{target}`, which is not declared");
                    sheet
                        .error(Code::UnknownReference, at.unwrap_or(node).span.clone(), message)
                        .help(undeclared(&target, &known, "targets"));
                }
            }
            self.check_fit(step, node, sheet);
            if step.hold.nanos() == 0 {
                let span = node.get("hold").map_or(node.span.clone(), |hold| hold.span.clone());
                sheet
                    .error(Code::BadValue, span, "a hold of nothing shows nothing")
                    .help("hold it longer than the mechanism under test needs");
            }
        }
    }

    /// A fault is for one kind of thing: a pod is not scaled, and a node not deleted.
    fn check_fit(&self, step: &StepDocument, node: &Node, sheet: &mut Sheet) {
        let (kind, _) = step.inject.canonical();
        let on = fault::find(kind).map_or(&[][..], Fault::on);
        for name in step.inject.facts().subjects {
            let selectors = self.document.targets.get(&name).map(TargetDocument::selectors);
            // One that has none or several is said where it is declared.
            let Some([selector]) = selectors.as_deref() else { continue };
            let fits = match selector.resource() {
                None => on.is_empty(),
                Some(resource) => on.contains(&resource),
            };
            if fits {
                continue;
            }
            let is = match selector.resource() {
                None => "an instance of a lab".to_owned(),
                Some(resource) => format!("a {}", resource.kind()),
            };
            let at = node.get("inject").and_then(|inject| inject.scalar(&name));
            let message = format!("`{kind}` cannot hit the target `{name}`, which is {is}");
            sheet
                .error(Code::BadValue, at.unwrap_or(node).span.clone(), message)
                .help(remedy(kind, on));
        }
    }

    /// A target that nothing uses is a typing error elsewhere, or a thought not finished.
    pub(super) fn check_unused(&self, sheet: &mut Sheet) {
        let parts = ["method", "hypothesis", "stopConditions"];
        let unsure = parts.iter().any(|part| {
            self.spec
                .get(part)
                .is_some_and(|node| !self.decoded.is_whole(node) || !sheet.is_clean(node))
        });
        if unsure {
            return;
        }
        let steps = self.document.method.iter().flat_map(|s| targets_of(&s.inject.facts()));
        let claims = self.document.hypothesis.iter().chain(&self.document.stop_conditions);
        let claims = claims.filter_map(|claim| claim.target().map(str::to_owned));
        let used: BTreeSet<String> = steps.chain(claims).collect();
        for entry in self.entries("targets").iter().filter(|e| !used.contains(&e.key.text)) {
            sheet
                .error(
                    Code::Unused,
                    entry.key.span.clone(),
                    format!("nothing uses the target `{}`", entry.key.text),
                )
                .help("name it in the method or in a claim, or take it out");
        }
    }
}

/// What a target of that fault must select.
fn remedy(kind: &str, on: &[Resource]) -> String {
    let selector = |resource: &Resource| match resource {
        Resource::Pod => "`pods: {...}`".to_owned(),
        Resource::Node => "`nodes: {...}`".to_owned(),
        Resource::ConfigMap => "`object: {kind: configMap, ...}`".to_owned(),
        Resource::Secret => "`object: {kind: secret, ...}`".to_owned(),
        workload => {
            let mut name = workload.kind().to_owned();
            name[..1].make_ascii_lowercase();
            format!("`workload: {{kind: {name}, ...}}`")
        }
    };
    let wanted: Vec<String> = match on {
        [] => vec!["`lab: {service: NAME}`".to_owned()],
        on => on.iter().map(selector).collect(),
    };
    format!("a target of `{kind}` is selected by {}", wanted.join(" or "))
}

/// What to say of a name that is not declared.
pub(super) fn undeclared(name: &str, known: &[&str], section: &str) -> String {
    if known.is_empty() {
        return format!("declare `{name}` under `{section}`");
    }
    suggest::remedy(name, known)
}

fn targets_of(facts: &StepFacts) -> Vec<String> {
    let peers = match &facts.peers {
        Peers::Some { targets, .. } => targets.as_slice(),
        Peers::None | Peers::Everyone => &[],
    };
    facts.subjects.iter().chain(peers).cloned().collect()
}

/// The node of a step, for those who point at one of its parts.
pub(super) fn part<'n>(node: &'n Node, key: &str) -> &'n Node {
    node.get(key).unwrap_or(node)
}

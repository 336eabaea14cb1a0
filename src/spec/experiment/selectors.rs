//! Targets against the lab: does what they select exist?

use super::super::finding::Code;
use super::super::sheet::Sheet;
use super::super::suggest;
use super::super::tree::{Entry, Key, Node};
use super::{LabInView, Review, cluster};
use crate::model::experiment::{Footprint, LabSelector, Pick, Selector};
use crate::model::lab::{LabSpec, Service};

impl Review<'_> {
    pub(super) fn check_selectors(&self, sheet: &mut Sheet) {
        for entry in self.entries("targets").iter().filter(|e| self.decoded.is_whole(&e.value)) {
            let Some(target) = self.document.targets.get(&entry.key.text) else { continue };
            if target.follow {
                self.check_follow(entry, sheet);
            }
            let selectors = target.selectors();
            let [selector] = &selectors[..] else {
                check_number(&entry.key, selectors.len(), sheet);
                continue;
            };
            let Selector::Lab(selector) = selector else {
                check_pick(entry, target.pick.0, sheet);
                cluster::check(entry, selector, &self.lab, sheet);
                continue;
            };
            match &self.lab {
                LabInView::Broken => {}
                LabInView::None => sheet
                    .error(
                        Code::Lab,
                        label(entry, "lab"),
                        format!(
                            "the target `{}` is in a lab, and the experiment names none",
                            entry.key.text
                        ),
                    )
                    .help("add `lab: FILE` to the spec, or run it with `--lab FILE`"),
                LabInView::Known(lab) => check_selector(entry, selector, lab, sheet),
            }
            check_pick(entry, target.pick.0, sheet);
            if let LabInView::Known(lab) = &self.lab {
                check_count(entry, selector, target.pick.0, lab, sheet);
            }
        }
    }
}

impl Review<'_> {
    /// Only of pods does another take the place of the one that is hit.
    fn check_follow(&self, entry: &Entry, sheet: &mut Sheet) {
        let key = label(entry, "follow");
        if entry.value.entry("pods").is_none() {
            let message = "only pods have others that take their place";
            sheet.error(Code::BadValue, key, message).help("leave `follow` out, or select `pods`");
            return;
        }
        let name = &entry.key.text;
        let facts = self.document.method.iter().map(|step| step.inject.facts());
        let mut of = facts.filter(|facts| facts.subjects.contains(name));
        if let Some(other) = of.find(|facts| facts.footprint != Footprint::Pod) {
            let message = format!("`{name}` is also hit by a fault of no pod: {}", other.summary);
            sheet
                .error(Code::BadValue, key, message)
                .help("`follow` is for faults of pods; make it a target of its own for them");
        }
    }
}

/// A target has one selector.
fn check_number(target: &Key, number: usize, sheet: &mut Sheet) {
    let name = &target.text;
    let (message, help) = if number == 0 {
        let help = "say what may be hit: `lab: {service: NAME, role: ROLE}`, or \
                    `pods: {context: NAME, namespace: NAME, selector: app=NAME}`";
        (format!("the target `{name}` selects nothing"), help)
    } else {
        (format!("the target `{name}` has {number} selectors"), "make it a target for each")
    };
    sheet.error(Code::EmptySelector, target.span.clone(), message).help(help);
}

fn label(entry: &Entry, key: &str) -> std::ops::Range<usize> {
    entry.value.entry(key).map_or(entry.key.span.clone(), |inner| inner.key.span.clone())
}

fn check_selector(entry: &Entry, selector: &LabSelector, lab: &LabSpec, sheet: &mut Sheet) {
    let at = |key: &str| {
        entry.value.at(&["lab", key]).map_or(entry.key.span.clone(), |node| node.span.clone())
    };
    let Some(service) = lab.services.get(&selector.service) else {
        let known: Vec<&str> = lab.services.keys().map(String::as_str).collect();
        let message = format!("the lab has no service `{}`", selector.service);
        sheet
            .error(Code::UnknownReference, at("service"), message)
            .help(suggest::remedy(&selector.service, &known));
        return;
    };
    if let Some(role) = &selector.role {
        check_role(role, &selector.service, service, (at("role"), sheet));
    }
    let hosts = entry.value.at(&["lab", "hosts"]).map_or(&[][..], Node::items);
    let known: Vec<&str> = service.hosts.iter().map(String::as_str).collect();
    for host in hosts {
        let Some(text) = host.text().filter(|text| !known.contains(text)) else { continue };
        sheet
            .error(
                Code::UnknownReference,
                host.span.clone(),
                format!("the service `{}` does not run on `{text}`", selector.service),
            )
            .help(suggest::remedy(text, &known));
    }
}

fn check_role(
    role: &str,
    name: &str,
    service: &Service,
    (span, sheet): (std::ops::Range<usize>, &mut Sheet),
) {
    let Some(reader) = &service.role else {
        sheet
            .error(
                Code::UnknownReference,
                span,
                format!("the service `{name}` does not tell its role"),
            )
            .help("leave `role` out, or give the service a `role` in the lab");
        return;
    };
    let known: Vec<&str> = reader.roles.iter().map(|rule| rule.role.as_str()).collect();
    if !known.contains(&role) {
        sheet
            .error(Code::UnknownReference, span, format!("`{name}` never has the role `{role}`"))
            .help(suggest::remedy(role, &known));
    }
}

fn check_pick(entry: &Entry, pick: Pick, sheet: &mut Sheet) {
    if pick == Pick::Share(crate::model::units::Percent(0.0)) {
        let span = entry.value.get("pick").map_or(entry.key.span.clone(), |node| node.span.clone());
        sheet
            .error(Code::EmptySelector, span, "a pick of 0% hits nothing")
            .help("leave the target out, or pick at least one");
    }
}

/// What is picked of the instances that can be found at most.
fn check_count(
    entry: &Entry,
    selector: &LabSelector,
    pick: Pick,
    lab: &LabSpec,
    sheet: &mut Sheet,
) {
    let Some(service) = lab.services.get(&selector.service) else { return };
    let wanted = |host: &&String| selector.hosts.is_empty() || selector.hosts.contains(host);
    let found = service.hosts.iter().filter(wanted).count();
    let span = entry.value.get("pick").map_or(entry.key.span.clone(), |node| node.span.clone());
    if found > 0 && pick.count(found) == 0 {
        sheet
            .error(
                Code::EmptySelector,
                span,
                format!(
                    "a minority of {found} is nobody: the target `{}` hits nothing",
                    entry.key.text
                ),
            )
            .help("pick a count, or select more instances");
    } else if let Pick::Count(n) = pick
        && usize::try_from(n).is_ok_and(|n| n > found)
    {
        sheet
            .warning(
                Code::EmptySelector,
                span,
                format!("{n} are to be picked, and `{}` has {found}", selector.service),
            )
            .help("all of them will be hit; write `pick: all` if that is meant");
    }
}

//! A plan as a person reads it: in ten seconds what is hit, when it ends, and how much may break.

use std::collections::BTreeSet;

use anstyle::AnsiColor;
use serde_json::Value;

use crate::model::cluster::PlannedCluster;
use crate::model::expectation::Expectation;
use crate::model::experiment::{Bind, Claim, Peers, Restore};
use crate::model::inventory::InstanceName;
use crate::model::plan::{Plan, PlannedStep, PlannedTarget};

use super::digest::canonical;
use super::far_end::far_end;
use super::step::GRACE;
use super::style::{Style, shortened, shown};

/// A page is read in ten seconds: so many lines for the instances that a step hits, and so many
/// names in a row.
const LINES: usize = 4;
const NAMES: usize = 6;

/// The whole plan, without a trailing blank line.
#[must_use]
pub fn text(plan: &Plan, style: Style) -> String {
    let mut page = Page { style, lines: Vec::new() };
    page.lines.push(style.bold(&plan.experiment.title));
    page.lines.push(style.dim(&format!("{} from {}", plan.experiment.name, plan.source.path)));
    page.gap();
    page.row("where", &place(plan));
    page.row("when", &course(plan));
    page.row("worst", &worst(plan));
    if let Some(places) = looks_from(plan) {
        page.row("looks", &places);
    }
    page.gap();
    if plan.steps.is_empty() {
        page.row("steps", "none: nothing will be broken");
    }
    for step in &plan.steps {
        page.step(plan, step);
    }
    page.gap();
    page.claims("holds if", &plan.experiment.hypothesis);
    page.claims("stops if", &plan.experiment.stop_conditions);
    page.gap();
    page.row("seed", &plan.seed.to_string());
    page.row("digest", &plan.digest);
    page.row("intent", &plan.intent_digest);
    for (number, (name, digest)) in plan.policies.iter().enumerate() {
        page.row(if number == 0 { "policies" } else { "" }, &format!("{name} {digest:.12}"));
    }
    if !plan.warnings.is_empty() {
        page.gap();
    }
    for warning in &plan.warnings {
        page.row(&style.colour(AnsiColor::Yellow, "warning "), warning);
    }
    page.lines.join("\n")
}

struct Page {
    style: Style,
    lines: Vec<String>,
}

impl Page {
    fn gap(&mut self) {
        self.lines.push(String::new());
    }

    fn row(&mut self, label: &str, value: &str) {
        self.lines.push(format!("  {label:<8}  {value}"));
    }

    fn claims(&mut self, label: &str, claims: &[Claim]) {
        for (number, claim) in claims.iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            self.row(label, &format!("{}: {}", claim.check, flow(&claim.params)));
        }
    }

    fn step(&mut self, plan: &Plan, step: &PlannedStep) {
        let Some(declared) = plan.experiment.method.get(step.step) else { return };
        let when = format!("at {} for {}", step.at, step.hold);
        let kind = self.style.bold(&step.kind);
        self.row(&format!("step {}", step.step + 1), &format!("{when}: {kind}"));
        for name in &step.subjects {
            let Some(target) = plan.targets.get(name) else { continue };
            for line in subject(plan, step, name, target) {
                self.row("", &line);
            }
        }
        for expected in plan.expectations.iter().filter(|e| e.step == step.step) {
            self.row("", &expectation(expected, step));
        }
        if let Peers::Some { .. } | Peers::Everyone = &declared.facts.peers {
            self.row("", &format!("far end: {}", peers(plan, step, &declared.facts.peers)));
        }
        let ends = match step.restore {
            Restore::Kernel => format!("restore kernel, gone within {}", step.deadline),
            Restore::Undo => format!("restore undo, gone within {}", step.deadline),
            Restore::None => "restore none".to_owned(),
        };
        let defence = match step.restore {
            Restore::None => self.style.colour(AnsiColor::Yellow, &step.defence),
            Restore::Kernel | Restore::Undo => step.defence.clone(),
        };
        self.row("", &format!("{ends}: {defence}"));
    }
}

/// What is done to whom: a line for each of the chosen, or the rule and all who may be it.
fn subject(plan: &Plan, step: &PlannedStep, name: &str, target: &PlannedTarget) -> Vec<String> {
    let summary = plan.experiment.method.get(step.step).map_or("", |s| &s.facts.summary);
    if let Some(chosen) = &target.chosen {
        let hit = chosen.iter().take(shown(chosen.len(), LINES));
        let mut lines: Vec<String> =
            hit.map(|instance| summary.replace("{target}", &instance.0)).collect();
        if lines.len() < chosen.len() {
            lines.push(format!("… and {} more", chosen.len() - lines.len()));
        }
        if chosen.len() < target.candidates.len() || !target.follows.is_empty() {
            lines.push(format!("  {name}: {} ({})", target.rule, join(&target.candidates)));
        }
        return lines;
    }
    let bind = plan.experiment.targets.get(name).map(|spec| spec.bind);
    let when = match bind {
        Some(Bind::Start) => "as the method begins",
        Some(Bind::Inject) | None => "then",
    };
    let of = join(&target.candidates);
    let candidates = match target.count {
        count if count == target.candidates.len() => format!("any or all of {of}"),
        1 => format!("one of {of}, known {when}"),
        count => format!("at most {count} of {of}, known {when}"),
    };
    vec![
        summary.replace("{target}", &format!("<{name}>")),
        format!("  <{name}>: {}", target.rule),
        format!("  {candidates}"),
    ]
}

/// In the words of the experiment, and as hosts where they are the same whoever is hit.
fn peers(plan: &Plan, step: &PlannedStep, peers: &Peers) -> String {
    let Peers::Some { targets, blocks } = peers else {
        return "everyone, clients included".to_owned();
    };
    let words: Vec<String> =
        targets.iter().cloned().chain(blocks.iter().map(ToString::to_string)).collect();
    let mut hosts: Vec<String> = Vec::new();
    for subject in step.subjects.iter().filter_map(|name| plan.targets.get(name)) {
        for instance in subject.chosen.as_ref().unwrap_or(&subject.candidates) {
            let end = far_end(plan, step.step, instance).ok().flatten().unwrap_or_default();
            hosts.extend(end.hosts.into_iter().map(|h| h.name));
        }
    }
    hosts.sort();
    hosts.dedup();
    if hosts.is_empty() {
        words.join(", ")
    } else {
        format!("{} (of hosts {}, never its own)", words.join(", "), hosts.join(", "))
    }
}

fn place(plan: &Plan) -> String {
    match &plan.lab {
        Some(lab) if !plan.clusters.is_empty() => {
            format!("lab {} from {}: {}", lab.name, lab.path, clusters(plan))
        }
        Some(lab) => format!(
            "lab {} from {}: {} on {}",
            lab.name,
            lab.path,
            count(lab.candidates.len(), "instance"),
            count(
                lab.candidates.iter().map(|c| &c.host.name).collect::<BTreeSet<_>>().len(),
                "host"
            ),
        ),
        None if !plan.clusters.is_empty() => clusters(plan),
        None => format!(
            "a standing system, environment {}",
            plan.experiment.environment.as_deref().unwrap_or("not stated")
        ),
    }
}

/// `cluster staging (v1.34.4, uid 0123abcd), environment staging`.
fn clusters(plan: &Plan) -> String {
    let each = |c: &PlannedCluster| {
        format!("cluster {} ({}, uid {:.8})", c.cluster.context, c.version, c.cluster.uid)
    };
    let all: Vec<String> = plan.clusters.iter().map(each).collect();
    if plan.is_all_ours() {
        return all.join(", ");
    }
    let environment = plan.experiment.environment.as_deref().unwrap_or("not stated");
    format!("{}, environment {environment}", all.join(", "))
}

fn course(plan: &Plan) -> String {
    let experiment = &plan.experiment;
    let method = plan.steps.iter().map(|s| s.at.0.saturating_add(s.hold.0)).max();
    format!(
        "steady {} (within {}), method {}, undo {GRACE}, watch {}: at most {}",
        experiment.steady_for,
        experiment.steady_within,
        crate::model::units::Span(method.unwrap_or_default()),
        experiment.recovery_watch,
        plan.blast_radius.longest_drill,
    )
}

/// `app from w1, edge from the client`; None where all look from the client.
fn looks_from(plan: &Plan) -> Option<String> {
    let probes = &plan.experiment.probes;
    probes.values().any(|spec| spec.from.is_some()).then(|| {
        let each = probes.iter().map(|(name, spec)| {
            format!("{name} from {}", spec.from.as_deref().unwrap_or("the client"))
        });
        each.collect::<Vec<_>>().join(", ")
    })
}

/// `1 of 3 redis; 1 instance on 1 host at one moment; longest hold 8s`.
fn worst(plan: &Plan) -> String {
    let radius = &plan.blast_radius;
    let services: Vec<String> =
        radius.services.iter().map(|(name, (hit, of))| format!("{hit} of {of} {name}")).collect();
    let mut parts = Vec::new();
    parts.extend((!services.is_empty()).then(|| shortened(&services, LINES)));
    parts.extend((radius.objects > 0).then(|| count(radius.objects, "object")));
    if parts.is_empty() {
        return "nothing is hit".to_owned();
    }
    let mut places = format!(
        "{} on {}",
        count(radius.instances, "instance"),
        count(radius.hosts, if plan.lab.is_some() { "host" } else { "node" })
    );
    if radius.zones > 0 {
        places = format!("{places} in {}", count(radius.zones, "zone"));
    }
    parts.push(format!("{places} at one moment"));
    parts.push(format!("longest hold {}", radius.longest_hold));
    parts.join("; ")
}

/// `expect NotReady of node n1 after 7s-10s (lease 4s renewed every 1s, …)`.
fn expectation(expected: &Expectation, step: &PlannedStep) -> String {
    let (milestone, range) = (expected.milestone.words(), expected.range());
    let subjects = shortened(&expected.subjects, 3);
    let mut because = expected.because.clone();
    if !expected.assumed.is_empty() {
        because = format!("{because}; assumed: {}", expected.assumed.join(", "));
    }
    let undone = step.restore != Restore::None && step.hold < expected.earliest;
    let hold =
        if undone { format!(", so not within the hold of {}", step.hold) } else { String::new() };
    format!("expect {milestone} of {subjects} after {range}{hold} ({because})")
}

fn count(number: usize, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

fn join(names: &[InstanceName]) -> String {
    shortened(names, NAMES)
}

/// Parameters as they would stand in YAML, on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<String> = map
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| format!("{key}: {}", flow(value)))
                .collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => text.clone(),
        other => canonical(other),
    }
}

#[cfg(test)]
mod tests;

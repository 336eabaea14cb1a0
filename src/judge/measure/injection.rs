//! What was injected, since when it was in force, and how each ended.

use std::collections::BTreeMap;

use super::axis::seconds;
use super::hit::Hits;
use super::hold;
use super::role::RoleMoves;
use super::timeline::Timeline;
use super::window::Frame;
use crate::model::experiment::{Restore, Step};
use crate::model::history::Effective;
use crate::model::id::InjectionId;
use crate::model::verdict::InjectionReport;

/// `ended` of an injection whose end the history does not have.
const UNKNOWN: &str = "unknown";

/// `ended` of what only the system can repair.
const RELIED: &str = "relied on the system";

/// `ended` of a planned step that was never in force.
const NEVER: &str = "never in force";

/// Everything the history says of one injection.
struct Ends<'a> {
    timeline: &'a Timeline<'a>,
    frame: &'a Frame,
    moves: &'a RoleMoves,
    hits: &'a Hits<'a>,
}

/// In the order of injection; planned steps that were never in force come last.
#[must_use]
pub fn injections(
    timeline: &Timeline,
    frame: &Frame,
    moves: &RoleMoves,
    hits: &Hits,
) -> Vec<InjectionReport> {
    let ends = Ends { timeline, frame, moves, hits };
    let mut first: BTreeMap<&InjectionId, &Effective> = BTreeMap::new();
    for effective in &timeline.effective {
        first.entry(&effective.injection).or_insert(effective);
    }
    let mut reports: Vec<InjectionReport> =
        first.values().map(|effective| ends.in_force(effective)).collect();
    let told = timeline.void.iter().map(|(id, why)| (*id, "void", *why));
    let told = told.chain(timeline.stuck.iter().map(|(id, why)| (*id, "stuck", *why)));
    for (id, ended, why) in told.filter(|(id, _, _)| !first.contains_key(id)) {
        reports.push(not_in_force(id.to_string(), ended, vec![why.to_owned()]));
    }
    // Where the history breaks off, a fault may have come that it does not have.
    let ended = if timeline.closed { NEVER } else { UNKNOWN };
    reports.extend(hold::steps_never_in_force(timeline).map(|step| no_fault_came(step, ended)));
    reports
}

/// A step of the plan that no fault came of, as a report.
fn no_fault_came((number, step): (usize, &Step), ended: &str) -> InjectionReport {
    InjectionReport {
        kind: step.kind.clone(),
        instance: step.facts.subjects.join(", "),
        summary: summary(step, &step.facts.subjects.join(", ")),
        ..not_in_force(format!("step {number}"), ended, Vec::new())
    }
}

fn not_in_force(id: String, ended: &str, evidence: Vec<String>) -> InjectionReport {
    InjectionReport {
        id,
        kind: String::new(),
        instance: String::new(),
        summary: String::new(),
        effective_seconds: None,
        error_seconds: None,
        gone_seconds: None,
        ended: ended.to_owned(),
        by: String::new(),
        evidence,
    }
}

fn summary(step: &Step, target: &str) -> String {
    step.facts.summary.replace("{target}", target)
}

impl Ends<'_> {
    fn in_force(&self, effective: &Effective) -> InjectionReport {
        let (timeline, axis) = (self.timeline, self.frame.axis());
        let id = &effective.injection;
        let step = timeline.opened.plan.experiment.method.get(effective.step);
        let reverted = timeline.reverted.iter().find(|r| r.injection == *id);
        let stuck = timeline.stuck.iter().find(|(stuck, _)| *stuck == id);
        let void = timeline.void.iter().find(|(void, _)| *void == id);
        let relied = step.is_some_and(|step| step.facts.restore == Restore::None);
        let (ended, by) = match (stuck, void, reverted) {
            (Some(_), _, _) => ("stuck", String::new()),
            (None, _, Some(_)) if relied => (RELIED, self.repaired_by(effective)),
            (None, _, Some(reverted)) => ("reverted", reverted.by.clone()),
            (None, Some(_), None) => ("void", String::new()),
            (None, None, None) => (UNKNOWN, String::new()),
        };
        let disturbed = timeline.disturbed.iter().filter(|(_, hit, _)| *hit == Some(id));
        let evidence = [Some(effective.evidence.clone()), reverted.map(|r| r.evidence.clone())]
            .into_iter()
            .flatten()
            .chain(void.map(|(_, why)| format!("void: {why}")))
            .chain(stuck.map(|(_, why)| format!("stuck: {why}")))
            .chain(disturbed.map(|(_, _, why)| format!("disturbed: {why}")));
        InjectionReport {
            id: id.to_string(),
            kind: effective.kind.clone(),
            instance: effective.instance.0.clone(),
            summary: step.map(|s| summary(s, &effective.instance.0)).unwrap_or_default(),
            effective_seconds: Some(axis.at(effective.effective_ns)),
            error_seconds: Some(seconds(effective.effective_ns.saturating_sub(effective.began_ns))),
            gone_seconds: reverted.filter(|_| !relied).map(|r| axis.at(r.gone_ns)),
            ended: ended.to_owned(),
            by,
            evidence: evidence.collect(),
        }
    }

    /// Who made good what squall cannot: an instance that took the role, a process that came back,
    /// or a pod in the place of the one that was lost.
    fn repaired_by(&self, effective: &Effective) -> String {
        let after = |at_ns: u64| seconds(at_ns.saturating_sub(effective.effective_ns));
        let took = self.moves.values().filter_map(|m| m.as_ref().ok()).find_map(|m| {
            let to = m.to.as_ref().filter(|_| m.from.contains(&effective.instance))?;
            Some(format!("{} became {} after {:.3} s", to.instance, m.role, after(to.at_ns)))
        });
        let back = self.timeline.processes.iter().find(|(at_ns, instance, running)| {
            *running && *instance == &effective.instance && *at_ns >= effective.effective_ns
        });
        let back = back.map(|(at_ns, instance, _)| {
            format!("{instance} was running again after {:.3} s", after(*at_ns))
        });
        let pod = self.hits.values().flatten().find_map(|hit| hit.replaced(effective));
        let seen: Vec<String> = took.into_iter().chain(back).chain(pod).collect();
        if seen.is_empty() { "nothing was seen to repair it".to_owned() } else { seen.join("; ") }
    }
}

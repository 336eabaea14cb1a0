//! From a finished history to a report. The same history gives the same report, however often and
//! however much later it is asked.

use std::path::Path;

use super::measure::Measured;
use super::measure::reached;
use super::measure::timeline::Timeline;
use super::standing::Standing;
use super::{JudgeError, arithmetic, find};
use crate::model::experiment::Claim;
use crate::model::history::{Opened, Record};
use crate::model::outcome::ClaimVerdict;
use crate::model::verdict::{ClaimReport, REPORT_VERSION, Replay, Report};

/// Judges a history. `plan_text` is the plan as a person reads it; it goes into the report as it
/// is.
///
/// Errors: a history that is none, is of another version, or names checks that are not there.
pub fn judge(records: &[Record], plan_text: &str) -> Result<Report, JudgeError> {
    let timeline = Timeline::read(records)?;
    let measured = Measured::of(&timeline)?;
    let claims = claims(&timeline, &measured)?;
    let standing = Standing::of(&timeline, &measured, &claims);
    let opened = timeline.opened;
    let plan = &opened.plan;
    Ok(Report {
        version: REPORT_VERSION,
        experiment: plan.experiment.name.clone(),
        title: plan.experiment.title.clone(),
        drill: opened.drill.to_string(),
        squall: opened.squall.clone(),
        started: opened.wall.clone(),
        verdict: standing.outcome(),
        reason: standing.reason(),
        seed: plan.seed,
        digest: plan.digest.clone(),
        intent_digest: plan.intent_digest.clone(),
        null: opened.null,
        window: measured.frame.window(),
        notes: notes(&timeline, &measured, &standing),
        claims,
        probes: measured.probes.into_iter().map(|(name, probe)| (name, probe.report)).collect(),
        stages: measured.stages,
        injections: measured.injections,
        roles: measured.roles,
        residue: timeline.residue.unwrap_or_default().to_vec(),
        read_back: timeline.residue.is_some(),
        lag: measured.lag.report,
        environment: opened.environment.clone(),
        plan: plan_text.to_owned(),
        replay: replay(opened),
    })
}

fn replay(opened: &Opened) -> Replay {
    let plan = &opened.plan;
    let file = &plan.source.path;
    let beside = Path::new(file).parent().unwrap_or(Path::new(""));
    let named = plan.experiment.lab.as_ref().map(|lab| beside.join(lab));
    let used = plan.lab.as_ref().map(|lab| &lab.path);
    Replay {
        experiment: file.clone(),
        lab: used.filter(|used| named.as_deref() != Some(Path::new(used))).cloned(),
        policies: plan.policies.keys().cloned().collect(),
        policy_files: opened.policy_files.clone(),
    }
}

/// The hypothesis, then the stop conditions.
fn claims(timeline: &Timeline, measured: &Measured) -> Result<Vec<ClaimReport>, JudgeError> {
    let experiment = &timeline.opened.plan.experiment;
    let mut claims = Vec::new();
    for claim in &experiment.hypothesis {
        claims.push(ask(claim, measured)?);
    }
    let hypotheses = claims.len();
    for condition in &experiment.stop_conditions {
        claims.push(ClaimReport { stop_condition: true, ..ask(condition, measured)? });
    }
    for (index, why) in &timeline.stopped {
        let condition = claims[hypotheses..].get_mut(*index);
        let condition = condition.ok_or(JudgeError::UnknownCondition(*index))?;
        // Met is met: what slots in flight said later does not take it back.
        condition.verdict = ClaimVerdict::Deviated;
        condition.finding = format!("it ended the hold: {why}; {}", condition.finding);
    }
    Ok(claims)
}

fn ask(claim: &Claim, measured: &Measured) -> Result<ClaimReport, JudgeError> {
    let check = find(&claim.check).ok_or_else(|| JudgeError::UnknownCheck(claim.check.clone()))?;
    check
        .judge(&claim.params, measured)
        .map_err(|why| JudgeError::Params { check: claim.check.clone(), why })
}

/// Everything that weakens a figure, or that a person should read.
fn notes(timeline: &Timeline, measured: &Measured, standing: &Standing) -> Vec<String> {
    let mut notes = standing.doubts.clone();
    for (name, probe) in &measured.probes {
        let doubts = probe.doubts.iter().chain(&probe.prober_doubts);
        notes.extend(doubts.map(|doubt| format!("probe {name}: {}", doubt.why)));
    }
    let lost = timeline.lost_parts.iter();
    notes.extend(lost.map(|(part, why)| format!("the {part} was lost: {why}")));
    for (at_ns, _, why) in &timeline.disturbed {
        notes.push(format!("disturbed at {:.3} s: {why}", measured.frame.axis().at(*at_ns)));
    }
    for (at_ns, _, finding) in &timeline.findings {
        notes.push(format!("found at {:.3} s: {finding}", measured.frame.axis().at(*at_ns)));
    }
    let expected = &timeline.opened.plan.expectations;
    notes.extend(arithmetic::compared(expected, &reached::reached(timeline)));
    let known = &timeline.opened.plan.experiment.probes;
    let strangers = timeline.slots.keys().filter(|name| !known.contains_key(**name));
    notes.extend(strangers.map(|name| format!("slots of {name}, a probe that is not in the plan")));
    if timeline.lag.is_empty() {
        notes.push("the prober said nothing of its own lag".to_owned());
    }
    notes.extend(timeline.notes.iter().map(|note| (*note).to_owned()));
    let mut told = std::collections::BTreeSet::new();
    notes.retain(|note| told.insert(note.clone()));
    notes
}

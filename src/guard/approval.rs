//! `approval`: other people than the one who runs have said yes to this very intent.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admission::clock;
use super::facts::{ApprovalRecord, Facts};
use super::{Reason, RuleKind};
use crate::model::plan::Plan;
use crate::model::units::Span;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// How many different people, the runner not among them.
    #[serde(default = "one")]
    pub people: usize,
    /// Only these count; anybody where it is empty.
    #[serde(default)]
    pub from: Vec<String>,
    /// An older approval does not count, whatever it says of itself.
    #[serde(default)]
    pub max_age: Option<Span>,
}

pub struct Approval;

impl RuleKind for Approval {
    type Params = Params;

    const KIND: &'static str = "approval";
    const SUMMARY: &'static str = "other people than the runner approved the intent digest";
    const EXAMPLE: &'static str = "approval: {people: 1, from: [ann, bob], maxAge: 14d}";

    fn faults_of(params: &Params) -> Vec<String> {
        let mut wrong = Vec::new();
        if params.people == 0 {
            wrong.push("`people: 0` asks nobody; write at least 1".to_owned());
        }
        if !params.from.is_empty() && params.from.len() < params.people {
            let (few, people) = (params.from.len(), params.people);
            wrong.push(format!("{people} people are asked for, and `from` names only {few}"));
        }
        wrong
    }

    fn check(params: &Params, plan: &Plan, facts: &Facts) -> Vec<Reason> {
        let mut missing: Vec<Reason> = clock(facts).err().into_iter().collect();
        if facts.runner.is_none() {
            missing.push(Reason::Missing("who runs the drill"));
        }
        let Some(approvals) = &facts.approvals else {
            missing.push(Reason::Missing("the approvals given"));
            return missing;
        };
        if !missing.is_empty() {
            return missing;
        }
        let found = counted(params, plan, facts).len();
        if found >= params.people {
            return Vec::new();
        }
        let why: Vec<String> = approvals
            .iter()
            .filter_map(|a| Some(format!("{}: {}", a.by, void(a, params, plan, facts)?)))
            .collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
        vec![Reason::Breaks(format!(
            "{found} of {} people other than {} approved the intent {}{why}; each writes \
             `{{by: NAME, intentDigest: {}, at: TIME, until: TIME}}` into a file that is given \
             with `--approval FILE`, times like 2026-06-15T09:00:00Z",
            params.people,
            facts.runner.as_deref().unwrap_or_default(),
            plan.intent_digest,
            plan.intent_digest
        ))]
    }

    /// As long as enough of them still hold.
    fn until(params: &Params, plan: &Plan, facts: &Facts) -> Option<Timestamp> {
        let mut ends: Vec<Timestamp> = counted(params, plan, facts).into_values().collect();
        ends.sort();
        ends.into_iter().rev().nth(params.people.checked_sub(1)?)
    }
}

fn one() -> usize {
    1
}

/// People whose approval counts, each with the end of their longest.
fn counted(params: &Params, plan: &Plan, facts: &Facts) -> BTreeMap<String, Timestamp> {
    let mut people: BTreeMap<String, Timestamp> = BTreeMap::new();
    for approval in facts.approvals.iter().flatten() {
        if void(approval, params, plan, facts).is_none() {
            let end = people.entry(same(&approval.by)).or_insert(Timestamp::MIN);
            *end = (*end).max(ends(approval, params));
        }
    }
    people
}

/// Why an approval does not count; None where it does.
fn void(
    approval: &ApprovalRecord,
    params: &Params,
    plan: &Plan,
    facts: &Facts,
) -> Option<&'static str> {
    let Some(now) = facts.now else { return Some("nobody knows the time") };
    let by = same(&approval.by);
    if by.is_empty() {
        Some("has no name")
    } else if facts.runner.as_deref().is_none_or(|runner| same(runner) == by) {
        Some("runs the drill")
    } else if !params.from.is_empty() && !params.from.iter().any(|name| same(name) == by) {
        Some("is not among those who may")
    } else if approval.intent_digest != plan.intent_digest {
        Some("approved another intent")
    } else if approval.at > now {
        Some("approved in the future")
    } else if ends(approval, params) <= now {
        Some("it has expired")
    } else {
        None
    }
}

fn ends(approval: &ApprovalRecord, params: &Params) -> Timestamp {
    let age = params.max_age.and_then(|age| SignedDuration::try_from(age.0).ok());
    let oldest = age.and_then(|age| approval.at.checked_add(age).ok());
    oldest.map_or(approval.until, |end| end.min(approval.until))
}

/// Names are compared without regard to case and blanks, so that nobody is two people.
fn same(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests;

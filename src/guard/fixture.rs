//! Plans under policies, and facts that admit them, for the tests of this folder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::model::experiment::Experiment;
use crate::model::plan::Plan;
use crate::model::policy::{Policy, RuleSpec};
use crate::plan::fixture::{input, primary_loss};
use crate::plan::plan;

use super::facts::{ApprovalRecord, Facts, Marker};
use super::in_force;

pub fn policy(name: &str, rules: &[(&str, Value)]) -> Policy {
    Policy {
        name: name.into(),
        title: name.into(),
        rules: rules
            .iter()
            .map(|(kind, params)| RuleSpec { kind: (*kind).into(), params: params.clone() })
            .collect(),
        sha256: format!("{name}1"),
    }
}

pub fn planned_under(experiment: &Experiment, policies: &[Policy]) -> Plan {
    let mut input = input(experiment);
    input.policies =
        in_force(policies).iter().map(|p| (p.name.clone(), p.sha256.clone())).collect();
    plan(input).unwrap()
}

/// The loss of a primary, announced and for production.
pub fn announced() -> Experiment {
    Experiment {
        owner: Some("ann".into()),
        change: Some("CHG-7".into()),
        environment: Some("production".into()),
        ..primary_loss()
    }
}

/// A Tuesday, half past ten in Berlin.
pub fn now() -> Timestamp {
    "2026-06-16T10:30:00+02:00".parse().unwrap()
}

/// A lab of our own, and nothing else known.
pub fn in_a_lab() -> Facts {
    Facts { now: Some(now()), is_lab: Some(true), ..Facts::default() }
}

/// Everything known, and all of it good, for a production system.
pub fn all_is_well(plan: &Plan) -> Facts {
    let marker = Marker { owner: "host r1".into(), environment: Some("production".into()) };
    let names = ["redis@r1", "redis@r2", "redis@r3"];
    Facts {
        now: Some(now()),
        runner: Some("ann".into()),
        is_lab: Some(false),
        markers: Some(vec![marker]),
        approvals: Some(vec![approval("bob", plan)]),
        running: Some(Vec::new()),
        places: Some(BTreeSet::from(["r1".to_owned()])),
        healthy: Some(BTreeMap::from([("redis".to_owned(), 3)])),
        opted_in: Some(
            names.map(|n| crate::model::inventory::InstanceName(n.into())).into_iter().collect(),
        ),
    }
}

pub fn approval(by: &str, plan: &Plan) -> ApprovalRecord {
    ApprovalRecord {
        by: by.into(),
        intent_digest: plan.intent_digest.clone(),
        at: "2026-06-15T09:00:00Z".parse().unwrap(),
        until: "2026-06-30T00:00:00Z".parse().unwrap(),
        note: None,
    }
}

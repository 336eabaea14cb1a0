//! Whose approval counts, for what, and until when.

use serde_json::json;

use super::{Approval, Params};
use crate::guard::RuleKind;
use crate::guard::facts::{ApprovalRecord, Facts};
use crate::guard::fixture::{all_is_well, announced, approval, planned_under};
use crate::model::plan::Plan;

fn plan() -> Plan {
    planned_under(&announced(), &[])
}

fn rule(params: serde_json::Value) -> Params {
    serde_json::from_value(params).unwrap()
}

fn with(approvals: Vec<ApprovalRecord>) -> Facts {
    Facts { approvals: Some(approvals), ..all_is_well(&plan()) }
}

fn refused(params: &Params, approvals: Vec<ApprovalRecord>) -> String {
    let reasons = Approval::check(params, &plan(), &with(approvals));
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn somebody_else_must_have_approved_this_very_intent() {
    let params = rule(json!({}));
    let plan = plan();
    assert_eq!(refused(&params, vec![approval("bob", &plan)]), "");
    assert!(refused(&params, vec![]).starts_with("0 of 1 people other than ann approved"));
    assert!(refused(&params, vec![]).contains(&format!("intentDigest: {}", plan.intent_digest)));
    let own = refused(&params, vec![approval(" Ann ", &plan)]);
    assert!(own.ends_with("( Ann : runs the drill)"), "{own}");
    assert!(refused(&params, vec![approval(" ", &plan)]).ends_with("has no name)"));
    let mut other = approval("bob", &plan);
    other.intent_digest = "0".into();
    assert!(refused(&params, vec![other]).ends_with("(bob: approved another intent)"));
    let mut early = approval("bob", &plan);
    early.at = "2026-06-16T08:30:01Z".parse().unwrap();
    assert!(refused(&params, vec![early]).ends_with("(bob: approved in the future)"));
    let mut over = approval("bob", &plan);
    over.until = "2026-06-16T08:30:00Z".parse().unwrap();
    assert!(refused(&params, vec![over]).ends_with("(bob: it has expired)"));
}

#[test]
fn two_people_are_two_people() {
    let params = rule(json!({"people": 2}));
    let plan = plan();
    let twice = vec![approval("bob", &plan), approval("BOB", &plan)];
    assert!(refused(&params, twice).starts_with("1 of 2 people"));
    assert_eq!(refused(&params, vec![approval("bob", &plan), approval("eve", &plan)]), "");
    let named = rule(json!({"from": ["carol"]}));
    assert!(refused(&named, vec![approval("bob", &plan)]).contains("is not among those who may"));
    assert_eq!(refused(&named, vec![approval("Carol", &plan)]), "");
}

#[test]
fn an_approval_grows_old() {
    let params = rule(json!({"maxAge": "1d"}));
    let plan = plan();
    let mut old = approval("bob", &plan);
    old.at = "2026-06-15T08:30:00Z".parse().unwrap();
    assert!(refused(&params, vec![old.clone()]).contains("it has expired"));
    old.at = "2026-06-15T08:30:01Z".parse().unwrap();
    assert_eq!(refused(&params, vec![old.clone()]), "");
    let until = Approval::until(&params, &plan, &with(vec![old]));
    assert_eq!(until, Some("2026-06-16T08:30:01Z".parse().unwrap()));
}

#[test]
fn a_clearance_lasts_as_long_as_enough_approvals_do() {
    let plan = plan();
    let mut short = approval("eve", &plan);
    short.until = "2026-06-16T08:31:00Z".parse().unwrap();
    let both = with(vec![approval("bob", &plan), short.clone()]);
    let one = Approval::until(&rule(json!({"people": 1})), &plan, &both);
    assert_eq!(one, Some(approval("bob", &plan).until));
    assert_eq!(Approval::until(&rule(json!({"people": 2})), &plan, &both), Some(short.until));
    let policies = [crate::guard::fixture::policy(
        "p",
        &[("environment", json!({"allow": ["production"]})), ("approval", json!({"people": 2}))],
    )];
    let plan = planned_under(&announced(), &policies);
    let mut facts = all_is_well(&plan);
    short.intent_digest.clone_from(&plan.intent_digest);
    facts.approvals = Some(vec![approval("bob", &plan), short.clone()]);
    let clearance = crate::guard::admit(&plan, &policies, &facts).unwrap();
    assert_eq!(clearance.until(), short.until, "sooner than the usual end");
}

#[test]
fn asking_nobody_or_too_few_is_a_mistake() {
    assert_eq!(Approval::faults_of(&rule(json!({"people": 0}))).len(), 1);
    assert_eq!(Approval::faults_of(&rule(json!({"people": 2, "from": ["ann"]}))).len(), 1);
    assert_eq!(Approval::faults_of(&rule(json!({"people": 2, "from": ["ann", "bob"]}))).len(), 0);
}

#[test]
fn an_approval_is_read_as_it_is_documented() {
    let text = "{by: bob, intentDigest: ab, at: 2026-06-15T09:00:00Z, \
                until: 2026-06-30T00:00:00Z, note: announced in CHG-7}";
    let read: ApprovalRecord = serde_saphyr::from_str(text).unwrap();
    assert_eq!((read.by.as_str(), read.intent_digest.as_str()), ("bob", "ab"));
    assert!(serde_saphyr::from_str::<ApprovalRecord>("{by: bob, intentDigest: ab}").is_err());
}

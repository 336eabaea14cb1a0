//! Who is admitted, who is refused, and that no reason is lost on the way.

use serde_json::json;

use super::admit;
use crate::guard::clearance::{NotCleared, VALID_FOR};
use crate::guard::default_policy::{TEXT, default_policy};
use crate::guard::facts::{Facts, Marker, Running};
use crate::guard::fixture::{all_is_well, announced, in_a_lab, now, planned_under, policy};
use crate::guard::{CATALOGUE, Refusal, RuleParams};
use crate::model::policy::{Policy, RuleSpec};
use crate::plan::fixture::primary_loss;

#[derive(serde::Deserialize)]
struct Document {
    metadata: Metadata,
    spec: Spec,
}

#[derive(serde::Deserialize)]
struct Metadata {
    name: String,
}

#[derive(serde::Deserialize)]
struct Spec {
    title: String,
    rules: Vec<RuleParams>,
}

fn shipped(text: &str) -> Policy {
    let document: Document = serde_saphyr::from_str(text).unwrap();
    let rules = document.spec.rules.iter().map(|rule| {
        assert_eq!(rule.faults_of(), Vec::<String>::new());
        let (kind, params) = rule.canonical();
        RuleSpec { kind: kind.into(), params }
    });
    Policy {
        name: document.metadata.name,
        title: document.spec.title,
        rules: rules.collect(),
        sha256: crate::plan::digest::sha256(text.as_bytes()),
    }
}

fn production() -> Policy {
    shipped(include_str!("../../../policies/production.yaml"))
}

fn lines(refusal: &Refusal) -> Vec<String> {
    refusal.reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_is_what_its_file_says() {
    assert_eq!(default_policy(), shipped(TEXT));
}

#[test]
fn every_shipped_policy_can_be_read_and_a_lab_passes_all_but_production() {
    for text in [
        TEXT,
        include_str!("../../../policies/ci.yaml"),
        include_str!("../../../policies/staging.yaml"),
    ] {
        let policies = [shipped(text)];
        let plan = planned_under(&announced(), &policies);
        let facts = Facts { is_lab: Some(true), ..all_is_well(&plan) };
        assert_eq!(admit(&plan, &policies, &facts).map(drop), Ok(()), "{text}");
    }
    let policies = [production()];
    let plan = planned_under(&announced(), &policies);
    let facts = Facts { is_lab: Some(true), ..all_is_well(&plan) };
    let refusal = admit(&plan, &policies, &facts).unwrap_err();
    assert_eq!(lines(&refusal), ["production: environment: lab is not among production"]);
}

#[test]
fn without_a_policy_labs_only() {
    let plan = planned_under(&primary_loss(), &[]);
    let clearance = admit(&plan, &[], &in_a_lab()).unwrap();
    assert_eq!(clearance.digest(), plan.digest);
    let plan = planned_under(&announced(), &[]);
    let refusal = admit(&plan, &[], &all_is_well(&plan)).unwrap_err();
    assert_eq!(lines(&refusal), ["default: environment: production is not among lab"]);
}

#[test]
fn production_admits_what_is_announced_approved_small_and_in_hours() {
    let policies = [production()];
    let plan = planned_under(&announced(), &policies);
    let clearance = admit(&plan, &policies, &all_is_well(&plan)).unwrap();
    assert_eq!(clearance.until(), now().checked_add(VALID_FOR).unwrap());
}

#[test]
fn nothing_known_refuses_with_every_fact_that_is_missing() {
    let policies = [production()];
    let plan = planned_under(&primary_loss(), &policies);
    let refusal = admit(&plan, &policies, &Facts::default()).unwrap_err();
    assert_eq!(
        lines(&refusal),
        [
            "squall: clock: fact missing: the time of day",
            "squall: owner: fact missing: whether the targets are a lab of squall's own",
            "production: environment: fact missing: whether the targets are a lab of squall's own",
            "production: ownership: the experiment states no `spec.owner`",
            "production: ownership: the experiment states no `spec.change`",
            "production: approval: fact missing: the time of day",
            "production: approval: fact missing: who runs the drill",
            "production: approval: fact missing: the approvals given",
            "production: minHealthy: fact missing: how many instances of each service are healthy",
            "production: optIn: fact missing: which owners have agreed to be hit",
            "production: window: fact missing: the time of day",
            "production: concurrency: fact missing: which drills are running",
        ]
    );
    assert!(refusal.to_string().starts_with("refused for 12 reasons\n  squall: clock: "));
}

#[test]
fn the_owners_marker_must_say_what_the_experiment_says_under_any_policy() {
    let policies = [policy("p", &[("environment", json!({"allow": ["production", "lab"]}))])];
    let plan = planned_under(&announced(), &policies);
    let with = |markers| Facts { markers, ..all_is_well(&plan) };
    let marked = |owner: &str, environment: Option<&str>| Marker {
        owner: owner.into(),
        environment: environment.map(Into::into),
    };
    let refusal = |facts: &Facts| lines(&admit(&plan, &policies, facts).unwrap_err());
    assert_eq!(
        refusal(&with(Some(vec![
            marked("host r1", Some("production")),
            marked("host r2", Some("staging")),
            marked("host r3", None),
        ]))),
        [
            "squall: owner: host r2 is marked staging, the experiment is for production",
            "squall: owner: host r3 is marked with nothing, the experiment is for production",
        ]
    );
    let none = "squall: owner: no owner of the targets has marked an environment";
    assert_eq!(refusal(&with(Some(Vec::new()))), [none]);
    let unknown = "squall: owner: fact missing: the environment that the targets' owners have set";
    assert_eq!(refusal(&with(None)), [unknown]);

    let silent = planned_under(&primary_loss(), &policies);
    let unmarked = Some(vec![marked("host r1", None)]);
    let facts = Facts { markers: unmarked, ..all_is_well(&silent) };
    let said = lines(&admit(&silent, &policies, &facts).unwrap_err());
    assert!(said[0].contains("state `spec.environment`"), "silence matches silence: {said:?}");
}

#[test]
fn nobody_passes_as_a_lab() {
    let policies = [policy("p", &[("environment", json!({"allow": ["lab"]}))])];
    let mut claims = announced();
    claims.environment = Some("lab".into());
    let plan = planned_under(&claims, &policies);
    let marker = Marker { owner: "host r1".into(), environment: Some("lab".into()) };
    let facts = Facts { markers: Some(vec![marker]), ..all_is_well(&plan) };
    let said = lines(&admit(&plan, &policies, &facts).unwrap_err());
    assert_eq!(said, ["p: environment: `lab` is for labs that squall starts; this is none"]);

    let mut no_lab = planned_under(&primary_loss(), &[]);
    no_lab.lab = None;
    let said = lines(&admit(&no_lab, &[], &in_a_lab()).unwrap_err());
    assert_eq!(said, ["squall: owner: the plan names no lab, so this is none"]);
}

#[test]
fn a_plan_made_under_other_policies_is_refused() {
    let ci = [policy("ci", &[("environment", json!({"allow": ["lab"]}))])];
    let plan = planned_under(&primary_loss(), &ci);
    let said = lines(&admit(&plan, &[], &in_a_lab()).unwrap_err());
    assert!(said[0].starts_with("squall: policies: the plan was made under ci ci1"), "{said:?}");
    let twice = [ci[0].clone(), ci[0].clone()];
    assert!(admit(&plan, &twice, &in_a_lab()).is_err(), "two policies of one name");
}

#[test]
fn what_is_unknown_or_hollow_admits_nothing() {
    let policies = [
        policy("a", &[("astrology", json!({}))]),
        policy("b", &[]),
        policy("c", &[("limits", json!({"maxInstances": "one"}))]),
        policy("d", &[("limits", json!({})), ("environment", json!({"allow": ["lab"], "x": 1}))]),
    ];
    let plan = planned_under(&primary_loss(), &policies);
    let said = lines(&admit(&plan, &policies, &in_a_lab()).unwrap_err());
    assert_eq!(said.len(), 5, "{said:#?}");
    assert!(said[0].starts_with("a: astrology: this squall knows no such rule"));
    assert!(said[1].starts_with("b: rules: it has no rule"));
    assert!(said[2].starts_with("c: limits: its parameters cannot be read"));
    assert!(said[3].starts_with("d: limits: it limits nothing"));
    assert!(said[4].starts_with("d: environment: its parameters cannot be read"));
}

#[test]
fn a_clearance_is_for_one_plan_and_a_while() {
    let plan = planned_under(&primary_loss(), &[]);
    let clearance = admit(&plan, &[], &in_a_lab()).unwrap();
    let end = now().checked_add(VALID_FOR).unwrap();
    let just_before = end.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap();
    assert_eq!(clearance.covers(&plan, now()), Ok(()));
    assert_eq!(clearance.covers(&plan, just_before), Ok(()));
    assert_eq!(clearance.covers(&plan, end), Err(NotCleared::Expired { until: end }));
    let other = planned_under(&announced(), &[]);
    assert!(matches!(clearance.covers(&other, now()), Err(NotCleared::OtherPlan { .. })));
}

/// One rule alone against one change of the facts or the plan.
fn refused(kind: &str, params: serde_json::Value, change: &dyn Fn(&mut Facts)) -> Vec<String> {
    let allow = ("environment", json!({"allow": ["production"]}));
    let policies = [policy("p", &[allow, (kind, params)])];
    let plan = planned_under(&announced(), &policies);
    let mut facts = all_is_well(&plan);
    change(&mut facts);
    match admit(&plan, &policies, &facts) {
        Ok(_) => Vec::new(),
        Err(refusal) => lines(&refusal),
    }
}

#[test]
fn limits_admit_what_equals_them_and_refuse_what_exceeds_them() {
    let check = |params| refused("limits", params, &|_| {});
    let at = json!({"maxInstances": 1, "maxHosts": 1, "maxShare": "33.4%", "maxHold": "8s",
        "maxDrill": "53s"});
    assert_eq!(check(at), Vec::<String>::new());
    let below = json!({"maxInstances": 0, "maxHosts": 0, "maxShare": "33.3%", "maxHold": "7s",
        "maxDrill": "52s"});
    assert_eq!(
        check(below),
        [
            "p: limits: hits up to 1 instances at one moment, allowed is 0",
            "p: limits: hits up to 1 hosts at one moment, allowed is 0",
            "p: limits: hits up to 1 of 3 redis, allowed is 33.3%",
            "p: limits: holds a fault for 8s, allowed is 7s",
            "p: limits: may take 53s, allowed is 52s",
        ]
    );
}

#[test]
fn enough_must_be_left_healthy_in_the_worst_case() {
    let check = |params, healthy: usize| {
        refused("minHealthy", params, &|f: &mut Facts| {
            f.healthy = Some([("redis".to_owned(), healthy)].into());
        })
    };
    assert!(check(json!({"atLeast": 2}), 3).is_empty());
    assert_eq!(
        check(json!({"atLeast": 2}), 2),
        ["p: minHealthy: leaves 1 healthy redis of 2 in the worst case, needed is 2"]
    );
    assert!(!check(json!({"atLeast": 1}), 0).is_empty());
    assert!(check(json!({"atLeast": 2, "services": {"redis": 1}}), 2).is_empty());
    let other = json!({"atLeast": 1, "services": {"sentinel": 2}});
    assert_eq!(check(other, 3), ["p: minHealthy: nobody knows how healthy sentinel is"]);
}

#[test]
fn drills_that_meet_are_counted() {
    let under_way = |place: &str| {
        let drill = "d1".to_owned();
        let running = vec![Running { drill, places: [place.to_owned()].into() }];
        move |f: &mut Facts| f.running = Some(running.clone())
    };
    let here = json!({"atMost": 1});
    assert!(refused("concurrency", here.clone(), &under_way("r9")).is_empty());
    let said = refused("concurrency", here.clone(), &under_way("r1"));
    assert!(said[0].contains("d1 under way in the same place, allowed at a time is 1"), "{said:?}");
    assert!(refused("concurrency", json!({"atMost": 2}), &under_way("r1")).is_empty());
    let all = json!({"atMost": 1, "per": "everything"});
    assert!(!refused("concurrency", all, &under_way("r9")).is_empty());
    let nowhere = refused("concurrency", here, &|f| f.places = None);
    assert_eq!(
        nowhere,
        ["p: concurrency: fact missing: which network namespaces the drill would touch"]
    );
}

#[test]
fn every_possible_victim_must_have_opted_in() {
    let said = refused("optIn", json!({}), &|f| {
        f.opted_in.as_mut().unwrap().retain(|name| name.0 == "redis@r2");
    });
    assert_eq!(said, ["p: optIn: nobody has agreed to have redis@r1, redis@r3 hit"]);
}

#[test]
fn strict_names_each_step_that_the_kernel_does_not_end() {
    let said = refused("strict", json!({}), &|_| {});
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("p: strict: step 1: nothing in the kernel ends someFault"));
    let policies =
        [policy("p", &[("strict", json!({})), ("environment", json!({"allow": ["lab"]}))])];
    let mut covered = primary_loss();
    covered.method[0].facts.defence.push(crate::model::experiment::Defence::Kernel);
    let plan = planned_under(&covered, &policies);
    assert!(admit(&plan, &policies, &in_a_lab()).is_ok());
}

#[test]
fn a_blank_owner_is_none() {
    let policies = [policy(
        "p",
        &[("ownership", json!({"require": ["owner"]})), ("environment", json!({"allow": ["lab"]}))],
    )];
    let mut blank = primary_loss();
    blank.owner = Some("  ".into());
    let said =
        lines(&admit(&planned_under(&blank, &policies), &policies, &in_a_lab()).unwrap_err());
    assert_eq!(said, ["p: ownership: the experiment states no `spec.owner`"]);
}

#[test]
fn every_entry_is_found_by_its_kind_and_its_example_is_its_own() {
    for entry in CATALOGUE {
        assert!(super::find(entry.kind()).is_some());
        let rule: RuleParams = serde_saphyr::from_str(entry.example())
            .unwrap_or_else(|e| panic!("{}: {e}", entry.kind()));
        assert_eq!(rule.canonical().0, entry.kind());
        assert_eq!(rule.faults_of(), Vec::<String>::new(), "{}", entry.kind());
        assert!(!entry.summary().is_empty());
    }
}

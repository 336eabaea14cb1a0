//! What is contested, and what may be picked from.

use serde_json::json;

use super::*;
use crate::model::inventory::Role;
use crate::plan::fixture;

fn name(host: &str) -> InstanceName {
    InstanceName(format!("redis@{host}"))
}

/// A target of that role; with a claim on it, if one is named.
fn plan_of(role: &str, pick: Pick, claim: Option<&str>) -> Plan {
    let mut experiment = fixture::primary_loss();
    experiment.targets.insert("primary".into(), fixture::target("redis", Some(role), pick));
    experiment.hypothesis = claim
        .map(|check| Claim {
            check: check.into(),
            params: json!({"target": "primary", "within": "5s"}),
            probe: None,
            target: Some("primary".into()),
            line: 1,
        })
        .into_iter()
        .collect();
    fixture::planned(&experiment)
}

/// What r1, r2 and r3 say at 1 ns, all along.
fn seen(plan: &Plan, roles: [&str; 3]) -> RolesSeen {
    let mut seen = RolesSeen::of(plan);
    for (host, role) in ["r1", "r2", "r3"].into_iter().zip(roles) {
        seen.saw(1, &name(host), Some(&Role(role.into())));
    }
    seen
}

const STALE: [&str; 3] = ["primary", "replica", "primary"];

#[test]
fn two_primaries_are_one_too_many_where_a_claim_presumes_one() {
    let plan = plan_of("primary", Pick::One, Some("roleMoved"));
    let mut roles = seen(&plan, STALE);
    let words = "two instances say primary: redis@r1, redis@r3";
    assert_eq!(contested(&plan, &mut roles, 100).as_deref(), Some(words));
    roles.saw(100, &name("r1"), Some(&Role("replica".into())));
    assert_eq!(contested(&plan, &mut roles, 100), None);
}

#[test]
fn several_holders_all_along_are_picked_from() {
    let plan = plan_of("replica", Pick::One, None);
    let mut roles = seen(&plan, ["primary", "replica", "replica"]);
    assert_eq!(contested(&plan, &mut roles, 100), None);
    assert!(for_one(&plan, &mut roles, 100).is_empty());
}

#[test]
fn a_second_holder_of_what_one_had_most_of_the_time_contests_it() {
    let plan = plan_of("primary", Pick::One, None);
    let mut roles = seen(&plan, ["primary", "replica", "replica"]);
    assert_eq!(contested(&plan, &mut roles, 100), None);
    roles.saw(100, &name("r3"), Some(&Role("primary".into())));
    assert!(contested(&plan, &mut roles, 150).is_some());
    assert_eq!(for_one(&plan, &mut roles, 150), ["primary".to_owned()].into());
}

#[test]
fn whoever_takes_all_of_them_need_not_know_which() {
    let plan = plan_of("primary", Pick::All, Some("roleMoved"));
    assert_eq!(contested(&plan, &mut seen(&plan, STALE), 100), None);
}

#[test]
fn a_target_that_names_hosts_is_contested_only_on_them() {
    let mut plan = plan_of("primary", Pick::One, Some("roleMoved"));
    let mut roles = seen(&plan, STALE);
    let spec = plan.experiment.targets.get_mut("primary").unwrap();
    let selector = spec.selector.lab_mut().unwrap();
    selector.hosts = vec!["r2".into(), "r3".into()];
    assert_eq!(contested(&plan, &mut roles, 100), None);
    let spec = plan.experiment.targets.get_mut("primary").unwrap();
    let selector = spec.selector.lab_mut().unwrap();
    selector.hosts.push("r1".into());
    assert!(contested(&plan, &mut roles, 100).is_some());
}

#[test]
fn only_targets_of_the_method_are_asked_for() {
    let mut plan = plan_of("primary", Pick::One, Some("roleMoved"));
    let mut roles = seen(&plan, STALE);
    plan.steps.clear();
    assert_eq!(contested(&plan, &mut roles, 100), None);
}

#[test]
fn the_words_count() {
    let all = [name("r1"), name("r2"), name("r3")];
    let words = words("primary", &all);
    assert_eq!(words, "3 instances say primary: redis@r1, redis@r2, redis@r3");
}

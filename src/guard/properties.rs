//! Two laws, for any policies and any facts: combining loses no reason, and adding only tightens.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::fixture::{all_is_well, announced, planned_under, policy};
use super::{Facts, admit};
use crate::model::plan::Plan;
use crate::model::policy::Policy;

fn rules() -> Vec<(&'static str, Value)> {
    vec![
        ("environment", json!({"allow": ["lab"]})),
        ("environment", json!({"allow": ["production"]})),
        ("limits", json!({"maxInstances": 0, "maxHold": "1s"})),
        ("limits", json!({"maxShare": "50%"})),
        ("strict", json!({})),
        (
            "window",
            json!({"zone": "UTC", "open":
            [{"days": ["mon"], "from": "00:00", "to": "00:00"}]}),
        ),
        (
            "window",
            json!({"zone": "UTC", "open":
            [{"days": ["tue"], "from": "08:00", "to": "09:00"}]}),
        ),
        ("concurrency", json!({"atMost": 1})),
        ("minHealthy", json!({"atLeast": 2})),
        ("minHealthy", json!({"atLeast": 9})),
        ("optIn", json!({})),
        ("ownership", json!({"require": ["owner", "change"]})),
        ("approval", json!({"people": 1})),
        ("approval", json!({"people": 3})),
        ("unheard", json!({})),
    ]
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let one = (select(vec!["a", "b", "c", "d"]), subsequence(rules(), 1..=4));
    proptest::collection::vec(one, 1..4).prop_map(|drawn| {
        let numbered = drawn.into_iter().enumerate();
        numbered.map(|(number, (name, rules))| policy(&format!("{name}{number}"), &rules)).collect()
    })
}

/// Everything is well, except for the facts that are hidden.
fn facts(plan: &Plan, hidden: &BTreeSet<usize>) -> Facts {
    let known = all_is_well(plan);
    let hide = |number: usize| hidden.contains(&number);
    Facts {
        now: known.now.filter(|_| !hide(0)),
        runner: known.runner.filter(|_| !hide(1)),
        is_lab: known.is_lab.filter(|_| !hide(2)),
        markers: known.markers.filter(|_| !hide(3)),
        approvals: known.approvals.filter(|_| !hide(4)),
        running: known.running.filter(|_| !hide(5)),
        places: known.places.filter(|_| !hide(6)),
        healthy: known.healthy.filter(|_| !hide(7)),
        opted_in: known.opted_in.filter(|_| !hide(8)),
    }
}

fn reasons(policies: &[Policy], hidden: &BTreeSet<usize>) -> Vec<String> {
    let plan = planned_under(&announced(), policies);
    match admit(&plan, policies, &facts(&plan, hidden)) {
        Ok(_) => Vec::new(),
        Err(refusal) => {
            assert!(!refusal.reasons.is_empty(), "a refusal without a reason");
            // Digests of intents differ by policy, and are no part of the reason here.
            let text = |r: &super::Refused| r.to_string().replace(&plan.intent_digest, "<intent>");
            refusal.reasons.iter().map(text).collect()
        }
    }
}

fn hidden() -> impl Strategy<Value = BTreeSet<usize>> {
    proptest::collection::btree_set(0_usize..9, 0..4)
}

proptest! {
    #[test]
    fn combining_loses_no_reason(policies in policies(), hidden in hidden()) {
        let together = reasons(&policies, &hidden);
        let mut alone: Vec<String> = Vec::new();
        for policy in &policies {
            for rule in &policy.rules {
                let single = Policy { rules: vec![rule.clone()], ..policy.clone() };
                alone.extend(reasons(&[single], &hidden));
            }
        }
        for reason in &alone {
            prop_assert!(together.contains(reason), "lost: {reason}");
        }
        for reason in &together {
            prop_assert!(alone.contains(reason), "out of nowhere: {reason}");
        }
    }

    #[test]
    fn adding_a_policy_only_tightens(
        policies in policies(),
        more in policies(),
        hidden in hidden(),
    ) {
        let before = reasons(&policies, &hidden);
        let mut all = policies;
        all.extend(more.into_iter().map(|p| Policy { name: format!("more-{}", p.name), ..p }));
        let after = reasons(&all, &hidden);
        prop_assert!(before.is_empty() || !after.is_empty(), "{before:?} was forgiven");
        prop_assert!(before.iter().all(|reason| after.contains(reason)));
    }

    #[test]
    fn hiding_a_fact_never_admits(policies in policies(), hidden in hidden()) {
        let seeing = reasons(&policies, &BTreeSet::new());
        let blind = reasons(&policies, &hidden);
        prop_assert!(seeing.is_empty() || !blind.is_empty(), "{seeing:?} was forgiven");
    }
}

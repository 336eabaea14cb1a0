//! What is told of what the server sends. The server itself is asked in `tests/kube`.

use serde_json::{Value, json};

use super::objects::{LabelSelector, Object};
use super::scope::Scope;
use super::state::State;
use crate::model::cluster_seen::ClusterFact;

const PODS: usize = 0;
const SLICES: usize = 1;
const BUDGETS: usize = 2;

fn state() -> State {
    State::of(Scope {
        workloads: ["deployment shop/web".to_owned()].into(),
        namespaces: ["shop".to_owned()].into(),
        ..Scope::default()
    })
}

fn pod(uid: &str, owner: &str, ready: &str) -> Object {
    let pod = json!({
        "metadata": {
            "name": format!("web-5d-{uid}"), "namespace": "shop", "uid": uid,
            "labels": {"app": "web", "pod-template-hash": "5d"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": true}],
        },
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    });
    Object::Pod(serde_json::from_value(pod).unwrap())
}

fn slice(name: &str, pods: &[(&str, bool)]) -> Object {
    let endpoint = |(uid, ready): &(&str, bool)| {
        let to = json!({"kind": "Pod", "uid": uid});
        json!({"conditions": {"ready": ready}, "targetRef": to})
    };
    let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
    let labels = json!({"kubernetes.io/service-name": "web"});
    let slice = json!({
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "endpoints": if endpoints.is_empty() { Value::Null } else { endpoints.into() },
    });
    Object::Slice(serde_json::from_value(slice).unwrap())
}

fn event(uid: &str, about: &str) -> Object {
    let event = json!({
        "metadata": {"uid": uid, "name": uid},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": about, "uid": "?"},
        "reason": "FailedScheduling", "type": "Warning", "lastTimestamp": null,
        "source": {}, "reportingComponent": "default-scheduler",
    });
    Object::Event(serde_json::from_value(event).unwrap())
}

/// In short: what of whom.
fn told(facts: &[ClusterFact]) -> Vec<String> {
    let short = |fact: &ClusterFact| match fact {
        ClusterFact::Pod(pod) if pod.gone => format!("{} gone", pod.uid),
        ClusterFact::Pod(pod) => format!("{} {}", pod.uid, pod.ready),
        ClusterFact::Endpoint(e) if e.gone => format!("{}/{} gone", e.slice, e.uid),
        ClusterFact::Endpoint(e) => format!("{}/{} {}", e.slice, e.uid, e.ready),
        ClusterFact::Budget(budget) => format!("budget {}", budget.workloads.join(",")),
        ClusterFact::Event(event) => format!("{} by {}", event.about, event.by),
        other => format!("{other:?}"),
    };
    facts.iter().map(short).collect()
}

#[test]
fn only_changes_of_the_targets_pods_are_told() {
    let mut state = state();
    let all = vec![pod("a", "web-5d", "True"), pod("z", "other-5d", "True")];
    assert_eq!(told(&state.listed(PODS, all, true)), ["a true"]);
    assert!(state.is(PODS, pod("a", "web-5d", "True")).is_empty(), "nothing is new");
    assert_eq!(told(&state.is(PODS, pod("a", "web-5d", "False"))), ["a false"]);
    // Whatever it was at last is told, and that it is gone.
    let gone = state.gone(PODS, pod("a", "web-5d", "True"));
    assert_eq!(told(&gone), ["a true", "a gone"]);
    assert!(state.gone(PODS, pod("z", "other-5d", "True")).is_empty());
}

#[test]
fn what_is_no_longer_listed_is_gone() {
    let mut state = state();
    state.listed(PODS, vec![pod("a", "web-5d", "True"), pod("b", "web-5d", "True")], true);
    state.listed(SLICES, vec![slice("s", &[("a", true)]), slice("t", &[("b", true)])], true);
    let anew = state.listed(PODS, vec![pod("b", "web-5d", "True")], false);
    assert_eq!(told(&anew), ["a gone"]);
    let anew = state.listed(SLICES, vec![slice("t", &[])], false);
    assert_eq!(told(&anew), ["t/b gone", "s/a gone"]);
}

#[test]
fn endpoints_are_told_whichever_of_pod_and_slice_is_heard_of_first() {
    let mut state = state();
    assert!(state.listed(SLICES, vec![slice("s", &[("a", true), ("z", true)])], true).is_empty());
    let both = state.listed(PODS, vec![pod("a", "web-5d", "True")], true);
    assert_eq!(told(&both), ["a true", "s/a true"]);
    assert_eq!(told(&state.is(SLICES, slice("s", &[("a", false)]))), ["s/a false"]);
    assert_eq!(told(&state.gone(SLICES, slice("s", &[]))), ["s/a gone"]);
}

#[test]
fn a_budget_is_told_once_it_is_known_whom_it_covers() {
    let mut state = state();
    let budget = json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": {"desiredHealthy": 2},
    });
    let budget = Object::Budget(serde_json::from_value(budget).unwrap());
    assert!(state.listed(BUDGETS, vec![budget], true).is_empty());
    let facts = state.listed(PODS, vec![pod("a", "web-5d", "True")], true);
    assert_eq!(told(&facts), ["a true", "budget deployment shop/web"]);
}

#[test]
fn events_of_before_the_watch_are_not_told_and_others_events_never() {
    let mut state = state();
    assert!(state.listed(3, vec![event("1", "web-5d-x")], true).is_empty());
    assert!(state.is(3, event("2", "webster-1")).is_empty());
    let facts = state.listed(3, vec![event("1", "web-5d-x"), event("3", "web-5d-y")], false);
    assert_eq!(told(&facts), ["pod shop/web-5d-y by default-scheduler"]);
}

#[test]
fn a_label_selector_selects_as_the_server_reads_it() {
    let selects = |selector: Value, labels: Value| {
        let selector: LabelSelector = serde_json::from_value(selector).unwrap();
        selector.selects(&serde_json::from_value(labels).unwrap())
    };
    let expression = |key: &str, operator: &str, values: &[&str]| {
        let expression = json!({"key": key, "operator": operator, "values": values});
        json!({"matchExpressions": [expression]})
    };
    assert!(selects(json!({}), json!({"a": "1"})), "an empty one selects everything");
    assert!(selects(json!({"matchLabels": {"a": "1"}}), json!({"a": "1", "b": "2"})));
    assert!(!selects(json!({"matchLabels": {"a": "1"}}), json!({"a": "2"})));
    assert!(selects(expression("a", "In", &["1", "2"]), json!({"a": "2"})));
    assert!(!selects(expression("a", "In", &["1"]), json!({})));
    assert!(selects(expression("a", "NotIn", &["1"]), json!({})));
    assert!(!selects(expression("a", "NotIn", &["1"]), json!({"a": "1"})));
    assert!(selects(expression("a", "Exists", &[]), json!({"a": "1"})));
    assert!(selects(expression("a", "DoesNotExist", &[]), json!({})));
    assert!(!selects(expression("a", "Sometimes", &[]), json!({"a": "1"})));
}

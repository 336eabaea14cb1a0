//! What each fault is tried on, and that it comes and goes exactly.

use squall::fault::CATALOGUE;
use squall::model::cluster::{ObjectIdentity, Resource};
use squall::model::experiment::Restore;
use squall::model::message::FromInjector;

use crate::drill::{Drill, order};
use crate::stage::{Stage, until};

/// One fault on one object.
pub struct Case {
    pub step: &'static str,
    pub object: fn(&Stage) -> ObjectIdentity,
}

/// Faults that are undone.
pub const UNDONE: &[Case] = &[
    Case { step: "nodeCordon: {target: t}", object: node },
    Case { step: "nodeTaint: {target: t, key: a/b, value: c, effect: noSchedule}", object: node },
    Case { step: "nodeDrain: {target: t}", object: node },
    Case { step: "scale: {target: t, replicas: 0}", object: deployment },
    Case { step: "scale: {target: t, replicas: 2}", object: stateful_set },
    Case { step: "configMapRemove: {target: t}", object: config_map },
    Case { step: "secretRemove: {target: t}", object: secret },
];

/// Faults that leave nothing of ours, and are not undone.
pub const LEFT: &[Case] = &[
    Case { step: "podDelete: {target: t, force: true}", object: pod },
    Case { step: "podEvict: {target: t}", object: pod },
    Case { step: "rolloutRestart: {target: t}", object: deployment },
];

pub fn node(stage: &Stage) -> ObjectIdentity {
    stage.object(Resource::Node, "n3")
}

pub fn deployment(stage: &Stage) -> ObjectIdentity {
    stage.object(Resource::Deployment, "shop")
}

pub fn stateful_set(stage: &Stage) -> ObjectIdentity {
    stage.object(Resource::StatefulSet, "store")
}

pub fn config_map(stage: &Stage) -> ObjectIdentity {
    stage.object(Resource::ConfigMap, "settings")
}

pub fn secret(stage: &Stage) -> ObjectIdentity {
    stage.object(Resource::Secret, "password")
}

pub fn pod(stage: &Stage) -> ObjectIdentity {
    stage.object(Resource::Pod, &stage.pod("shop"))
}

pub fn every_fault_of_clusters_has_a_case(_: &Stage) {
    let of_clusters = CATALOGUE.iter().filter(|fault| !fault.on().is_empty());
    for fault in of_clusters {
        let cases = if fault.restore() == Restore::Undo { UNDONE } else { LEFT };
        let named = |case: &Case| case.step.starts_with(&format!("{}:", fault.kind()));
        assert!(cases.iter().any(named), "{} is tried by nobody", fault.kind());
    }
}

pub fn every_fault_is_in_force_and_then_gone_exactly(stage: &Stage) {
    for case in UNDONE {
        stage.set_up();
        let object = (case.object)(stage);
        let before = stage.written(&object);
        let mut drill = Drill::start(stage, order(case.step, object.clone()), "");
        let evidence = drill.wait_in_force();
        let ended = drill.wait_ended();
        assert!(matches!(ended, FromInjector::Reverted(_)), "{}: {ended:?}", case.step);
        println!("  {}: {evidence}", case.step);
        assert_eq!(stage.written(&object), before, "{}", case.step);
        assert_eq!(stage.ours(), Vec::<String>::new(), "{}", case.step);
        drill.forget();
    }
    for case in LEFT {
        stage.set_up();
        let object = (case.object)(stage);
        let mut drill = Drill::start(stage, order(case.step, object.clone()), "");
        let evidence = drill.wait_in_force();
        println!("  {}: {evidence}", case.step);
        let ended = drill.wait_ended();
        assert!(matches!(ended, FromInjector::Reverted(_)), "{}: {ended:?}", case.step);
        assert_eq!(stage.ours(), Vec::<String>::new(), "{}", case.step);
        if object.resource == Resource::Pod {
            until("the pod is gone", || {
                stage.find(&object).is_none_or(|found| found["metadata"]["uid"] != object.uid)
            });
        }
        drill.forget();
    }
}

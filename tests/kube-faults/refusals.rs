//! What is not as it was when it was planned is not touched.

use squall::model::cluster::{ObjectIdentity, Resource};
use squall::model::message::FromInjector;

use crate::cases::{LEFT, UNDONE, node};
use crate::drill::{Drill, order};
use crate::stage::{SPACE, Stage, until};

/// Why it was not injected.
fn refused(stage: &Stage, step: &str, object: ObjectIdentity) -> String {
    let mut drill = Drill::start(stage, order(step, object), "");
    let ended = drill.wait_ended();
    let FromInjector::Failed { why, .. } = ended else { panic!("{step}: {ended:?}") };
    drill.forget();
    why
}

pub fn what_is_not_as_it_was_planned_is_not_touched(stage: &Stage) {
    for case in UNDONE.iter().chain(LEFT) {
        let object = (case.object)(stage);
        let before = stage.written(&object);
        // Replaced since: another UID under the same name. Gone: no such name, nor node.
        let uid = "00000000-0000-0000-0000-000000000000".to_owned();
        let replaced = ObjectIdentity { uid, ..object.clone() };
        let gone = ObjectIdentity { name: "nobody".to_owned(), ..object.clone() };
        for stranger in [replaced, gone] {
            let why = refused(stage, case.step, stranger);
            assert!(why.contains("is gone, or was replaced"), "{}: {why}", case.step);
        }
        assert_eq!(stage.written(&object), before, "{}", case.step);
    }
    stage.kubectl(&["cordon", "n3"]);
    for step in ["nodeCordon: {target: t}", "nodeDrain: {target: t}"] {
        let why = refused(stage, step, node(stage));
        assert!(why.contains("cordoned already"), "{why}");
    }
    stage.kubectl(&["uncordon", "n3"]);
    let object = crate::cases::deployment(stage);
    let why = refused(stage, "scale: {target: t, replicas: 2}", object);
    assert!(why.contains("has 2 replicas already"), "{why}");
    let sets =
        ["-n", SPACE, "get", "rs", "-l", "app=shop", "-o", "jsonpath={.items[0].metadata.name}"];
    let set = stage.object(Resource::ReplicaSet, stage.kubectl(&sets).trim());
    let why = refused(stage, "scale: {target: t, replicas: 5}", set);
    assert!(why.contains("scaled by Deployment shop"), "{why}");
    assert_eq!(stage.ours(), Vec::<String>::new());
}

/// Also from another machine: what says so is on the object.
pub fn an_object_that_is_marked_is_refused(stage: &Stage) {
    let step = "nodeCordon: {target: t}";
    let mut drill = Drill::start(stage, order(step, node(stage)), "injector: in force");
    drill.wait_at("injector: in force");
    let why = refused(stage, "nodeTaint: {target: t, key: a/b, effect: noSchedule}", node(stage));
    let id = drill.script.order.injection.to_string();
    assert!(why.contains(&id) && why.contains("marked"), "{why}");
    drill.release();
    assert!(matches!(drill.wait_ended(), FromInjector::Reverted(_)));
    drill.forget();
}

pub fn a_namespace_that_ends_is_no_place_to_restore(stage: &Stage) {
    let space = "faults-ending";
    stage.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n---\napiVersion: v1\nkind: \
         ConfigMap\nmetadata: {{name: settings, namespace: {space}}}\ndata: {{a: b}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: held, namespace: {space}, finalizers: \
         [example.com/held]}}\n"
    ));
    let mut object =
        ObjectIdentity { namespace: Some(space.to_owned()), ..crate::cases::config_map(stage) };
    let found = stage.read(&object);
    found["metadata"]["uid"].as_str().unwrap().clone_into(&mut object.uid);
    let held = ObjectIdentity { name: "held".to_owned(), ..object.clone() };
    let uid = stage.read(&held)["metadata"]["uid"].as_str().unwrap().to_owned();
    let why =
        refused(stage, "configMapRemove: {target: t}", ObjectIdentity { uid, ..held.clone() });
    assert!(why.contains("has finalizers"), "{why}");
    let order = order("configMapRemove: {target: t}", object);
    let mut drill = Drill::start(stage, order, "injector: in force");
    drill.wait_at("injector: in force");
    stage.kubectl(&["delete", "namespace", space, "--wait=false"]);
    drill.release();
    let ended = drill.wait_ended();
    assert!(matches!(&ended, FromInjector::Void { why, .. } if why.contains("goes")), "{ended:?}");
    let patch = ["-n", space, "patch", "configmap", "held", "--type=merge", "-p"];
    let patch = [&patch[..], &[r#"{"metadata":{"finalizers":null}}"#]].concat();
    stage.kubectl(&patch);
    until("the namespace is gone", || {
        stage.kubectl(&["get", "namespace", space, "--ignore-not-found"]).trim().is_empty()
    });
    drill.forget();
}

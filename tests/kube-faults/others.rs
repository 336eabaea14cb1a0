//! Other people are at the same objects, and budgets say no.

use squall::model::history::Finding;
use squall::model::message::FromInjector;
use squall::model::units::Span;

use crate::cases::{config_map, deployment, node, stateful_set};
use crate::drill::{Drill, order, spec};
use crate::stage::{SPACE, Stage, until};

/// In force, and everybody who could undo it is dead.
fn orphaned(stage: &Stage, step: &str, object: squall::model::cluster::ObjectIdentity) -> Drill {
    let mut drill = Drill::start(stage, order(step, object), "injector: in force");
    drill.wait_at("injector: in force");
    drill.kill(&["conductor", "injector", "guardian"]);
    drill
}

pub fn what_others_did_meanwhile_survives(stage: &Stage) {
    // Another number of replicas stays, and so do labels, annotations and an image.
    let object = deployment(stage);
    let drill = orphaned(stage, "scale: {target: t, replicas: 0}", object.clone());
    stage.kubectl(&["-n", SPACE, "scale", "deployment/shop", "--replicas=1"]);
    stage.kubectl(&["-n", SPACE, "label", "deployment/shop", "theirs=yes"]);
    let (code, text) = stage.undo(&["--force"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("somebody else set that, it stays"), "{text}");
    let found = stage.read(&object);
    assert_eq!(spec(&found, "replicas"), 1);
    assert_eq!(found["metadata"]["labels"]["theirs"], "yes");
    stage.kubectl(&["-n", SPACE, "label", "deployment/shop", "theirs-"]);
    drill.forget();

    // A taint and a label beside ours.
    let object = node(stage);
    let step = "nodeTaint: {target: t, key: a/b, effect: noSchedule}";
    let drill = orphaned(stage, step, object.clone());
    stage.kubectl(&["taint", "node", "n3", "their/own=x:PreferNoSchedule"]);
    assert_eq!(stage.undo(&["--force"]).0, 0);
    let found = stage.read(&object);
    let taints = spec(&found, "taints").as_array().unwrap();
    assert!(taints.iter().any(|taint| taint["key"] == "their/own"), "{taints:?}");
    assert!(taints.iter().all(|taint| taint["key"] != "a/b"), "{taints:?}");
    stage.kubectl(&["taint", "node", "n3", "their/own-"]);
    drill.forget();

    // Uncordoned and cordoned anew by a person: it is theirs now.
    let drill = orphaned(stage, "nodeCordon: {target: t}", object.clone());
    stage.kubectl(&["uncordon", "n3"]);
    stage.kubectl(&["cordon", "n3"]);
    let (code, text) = stage.undo(&["--force"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("cordoned by somebody else, and stays so"), "{text}");
    assert_eq!(spec(&stage.read(&object), "unschedulable"), true);
    stage.kubectl(&["uncordon", "n3"]);
    drill.forget();

    // Made anew with other content.
    let object = config_map(stage);
    let drill = orphaned(stage, "configMapRemove: {target: t}", object.clone());
    stage.kubectl(&["-n", SPACE, "create", "configmap", "settings", "--from-literal=a=theirs"]);
    let (code, text) = stage.undo(&["--force"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("somebody made") && text.contains("void"), "{text}");
    assert_eq!(stage.read(&object)["data"]["a"], "theirs");
    assert_eq!(stage.ours(), Vec::<String>::new());
    stage.kubectl(&["-n", SPACE, "delete", "configmap", "settings"]);
    drill.forget();
}

pub fn a_mark_is_left_alone_before_its_time(stage: &Stage) {
    let object = node(stage);
    let drill = orphaned(stage, "nodeCordon: {target: t}", object.clone());
    let id = drill.script.order.injection.drill.to_string();
    let (code, text) = stage.undo(&[]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains(&id) && text.contains("--force"), "{text}");
    assert_eq!(spec(&stage.read(&object), "unschedulable"), true);
    // Another drill's is not meant.
    assert_eq!(stage.undo(&["--force", "d0000000000"]).0, 0);
    assert_eq!(spec(&stage.read(&object), "unschedulable"), true);
    let (code, text) = stage.undo(&["--force", &id]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("takes pods again"), "{text}");
    drill.forget();
}

pub fn an_eviction_that_a_budget_refuses_is_a_finding(stage: &Stage) {
    let name = stage.pod("store");
    let pod = stage.object(squall::model::cluster::Resource::Pod, &name);
    let mut drill = Drill::start(stage, order("podEvict: {target: t}", pod.clone()), "");
    let evidence = drill.wait_in_force();
    assert!(evidence.contains("was refused") && evidence.contains("budget store"), "{evidence}");
    let found = drill.wait_for("a finding", |m| matches!(m, FromInjector::Found { .. }));
    let FromInjector::Found { finding, .. } = found else { unreachable!() };
    let Finding::EvictionRefused { pod: told, why } = finding;
    assert_eq!(told, format!("{SPACE}/{name}"));
    assert!(why.starts_with("The disruption budget store needs 1 healthy pods"), "{why}");
    assert!(matches!(drill.wait_ended(), FromInjector::Reverted(_)));
    assert_eq!(stage.read(&pod)["metadata"]["uid"], pod.uid);
    drill.forget();
}

/// Each refusal is told once, however often it is asked; and when the budget lets go, so does the
/// drain.
pub fn a_drain_asks_again_what_a_budget_refuses(stage: &Stage) {
    let name = stage.pod("store");
    let pod = stage.object(squall::model::cluster::Resource::Pod, &name);
    let on = spec(&stage.read(&pod), "nodeName").as_str().unwrap().to_owned();
    let object = stage.object(squall::model::cluster::Resource::Node, &on);
    let before = stage.written(&object);
    let order = order("nodeDrain: {target: t}", object.clone());
    let mut drill = Drill::held(stage, order, Span::secs(30));
    drill.wait_in_force();
    // Of others in the cluster, a budget may say no as well.
    let told = |drill: &Drill| {
        let ours = format!("{SPACE}/{name}");
        let is_ours = |said: &&crate::conductor::Said| match said {
            crate::conductor::Said::Heard(message) => matches!(
                &**message,
                FromInjector::Found { finding: Finding::EvictionRefused { pod, .. }, .. }
                    if *pod == ours
            ),
            crate::conductor::Said::Born { .. } => false,
        };
        drill.said.iter().filter(is_ours).count()
    };
    until("it is refused", || {
        drill.hear(std::time::Duration::from_millis(50));
        told(&drill) == 1
    });
    stage.kubectl(&["-n", SPACE, "scale", "statefulset/store", "--replicas=2"]);
    until("the budget lets it go", || {
        stage.find(&pod).is_none_or(|found| found["metadata"]["uid"] != pod.uid)
    });
    drill.hear(std::time::Duration::from_millis(50));
    assert_eq!(told(&drill), 1, "{:?}", drill.said);
    let doubted = |said: &crate::conductor::Said| match said {
        crate::conductor::Said::Heard(message) => {
            matches!(&**message, FromInjector::Disturbed { .. })
        }
        crate::conductor::Said::Born { .. } => false,
    };
    assert!(!drill.said.iter().any(doubted), "{:?}", drill.said);
    drill.kill(&["injector"]);
    assert!(matches!(drill.wait_ended(), FromInjector::Reverted(_)));
    assert_eq!(stage.written(&object), before);
    stage.kubectl(&["-n", SPACE, "scale", "statefulset/store", "--replicas=1"]);
    let _same = stateful_set(stage);
    drill.forget();
}

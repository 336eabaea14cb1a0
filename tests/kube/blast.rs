//! A blast map of the shop, drawn for a few of its services on the real cluster, and held against
//! what its manifests say of who calls whom. `make kube-demo` draws the whole of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::stand::{Stand, both, within};

const LAB: &str = "experiments/labs/shop.yaml";
const MAP: &str = "experiments/kubernetes/blast-shop.yaml";

/// Services, and the journeys that stop without them.
const EXPECTED: &[(&str, &[&str])] = &[
    ("recommendation", &["recommend"]),
    ("payment", &["checkout"]),
    ("mail", &[]),
    ("session", &["cart", "checkout", "login"]),
];

fn hurt(loss: &Value) -> BTreeSet<&str> {
    let cells = loss["cells"].as_object().unwrap().iter();
    cells.filter(|(_, cell)| cell["effect"] == "hurt").map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_map_of_the_shop_shows_who_calls_whom() {
    let Some(stand) = Stand::new("a_map_of_the_shop_shows_who_calls_whom") else { return };
    stand.must(&["lab", "up", "--detach", LAB]);
    drawn(&stand);
    ended_by_a_signal(&stand);
    let replicas = ["get", "deployments", "-n", "shop", "-o", "jsonpath={.items[*].spec.replicas}"];
    let output = stand.kubectl("one", "shop", &replicas);
    let replicas = String::from_utf8_lossy(&output.stdout).into_owned();
    let of_each: BTreeSet<&str> = replicas.split_whitespace().collect();
    assert!(!of_each.contains("0") && replicas.split_whitespace().count() == 15, "{replicas}");
    stand.must(&["lab", "down", "shop"]);
}

fn drawn(stand: &Stand) {
    let out = stand.folder().join("map");
    let mut words = vec!["blast", MAP, "--out", out.to_str().unwrap()];
    words.extend(EXPECTED.iter().flat_map(|(service, _)| ["--only", service]));
    let ran = stand.squall(&words).output().unwrap();
    let said = both(&ran);
    let report: Value = serde_json::from_slice(&fs::read(out.join("blast.json")).unwrap()).unwrap();
    let losses = report["losses"].as_array().unwrap();
    assert_eq!(losses.len(), EXPECTED.len(), "{said}");
    for (service, journeys) in EXPECTED {
        let loss = losses.iter().find(|loss| loss["service"] == *service).unwrap();
        let expected: BTreeSet<&str> = journeys.iter().copied().collect();
        assert_eq!(hurt(loss), expected, "{service}\n{said}");
        kept(&out.join(service), loss);
    }
    // Both claims name services that were not lost, so nothing is said of those.
    let claims = report["claims"].as_array().unwrap();
    assert!(claims.iter().all(|claim| claim["verdict"] == "inconclusive"), "{said}");
    assert!(said.contains("payment: hurts checkout ("), "{said}");
    assert!(said.contains("mail: hurts nobody"), "{said}");
    for face in ["blast.html", "blast.md", "blast.svg"] {
        assert!(fs::read_to_string(out.join(face)).unwrap().contains("recommendation"), "{face}");
    }
    assert!(!out.join("kubeconfig").exists(), "a way into the cluster is left");
}

/// Each loss is an ordinary drill: judged again it says the same, and its experiment is a file.
fn kept(folder: &Path, loss: &Value) {
    let report: Value =
        serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["drill"], loss["drill"]);
    assert_eq!(report["verdict"], loss["outcome"]);
    assert_eq!(report["residue"].as_array().unwrap().len(), 0);
    assert!(folder.join("experiment.yaml").exists() && folder.join("history.jsonl").exists());
}

/// Ctrl-C while a service is lost: it is given back, and nothing more is lost.
fn ended_by_a_signal(stand: &Stand) {
    let out = stand.folder().join("ended");
    let words = ["blast", MAP, "--only", "users", "--only", "mail", "--out", out.to_str().unwrap()];
    let mut child =
        stand.squall(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let history = out.join("users/history.jsonl");
    within(Duration::from_mins(1), "nothing was lost", || {
        fs::read_to_string(&history).is_ok_and(|text| text.contains("\"effective\""))
    });
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(code, Some(6));
    let report: Value = serde_json::from_slice(&fs::read(out.join("blast.json")).unwrap()).unwrap();
    let losses = report["losses"].as_array().unwrap();
    let outcomes: Vec<&Value> = losses.iter().map(|loss| &loss["outcome"]).collect();
    assert_eq!(outcomes, [&Value::from("aborted"), &Value::Null], "{report:#}");
    assert!(losses[1]["reason"].as_str().unwrap().contains("Ctrl-C"), "{report:#}");
}

//! A lab's cluster that is drilled again and again, and what it means that it has healed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stand::{Stand, both};

/// As long as a kubelet that is started again after its drill needs, and a pod's container after
/// that; a cluster that has not healed by then does not heal.
const HEALS_WITHIN: Duration = Duration::from_secs(90);

const LOOKS_EVERY: Duration = Duration::from_millis(500);

const LOOKED_AT: &str = "nodes,deployments,statefulsets,pods";

pub struct Cluster<'a> {
    stand: &'a Stand,
    state: &'a str,
    lab: &'a str,
}

impl<'a> Cluster<'a> {
    pub fn raise(stand: &'a Stand, state: &'a str, lab: &'a str) -> Cluster<'a> {
        let began = Instant::now();
        let file = format!("experiments/labs/{lab}.yaml");
        let up = stand.squall_in(state, &["lab", "up", "--detach", &file]).output().unwrap();
        assert!(up.status.success(), "{}", both(&up));
        eprintln!("{lab}: up after {} s", began.elapsed().as_secs());
        Cluster { stand, state, lab }
    }

    /// Waits until every node is ready, every workload complete, and every workload that is to be
    /// spread is so again: Kubernetes moves no pod back to a node that has returned, and the next
    /// drill on that node would hit nothing. Errors: what is still wrong when it ought to be well.
    pub fn heal(&self) -> Result<(), String> {
        let began = Instant::now();
        while let Some(trouble) = self.trouble() {
            if began.elapsed() > HEALS_WITHIN {
                return Err(format!("the drill before it has left this: {trouble}"));
            }
            std::thread::sleep(LOOKS_EVERY);
        }
        eprintln!("{}: healed after {:.1} s", self.lab, began.elapsed().as_secs_f64());
        Ok(())
    }

    /// What is not as it was. Doubled pods are sent away as they are found.
    fn trouble(&self) -> Option<String> {
        let all = self.kubectl(&["get", LOOKED_AT, "-A", "-o", "json"]);
        let all: Value = serde_json::from_str(&all).unwrap();
        let of = |kind: &str| -> Vec<&Value> {
            all["items"].as_array().unwrap().iter().filter(|o| o["kind"] == kind).collect()
        };
        let nodes = of("Node");
        let unready = nodes.iter().find(|node| !is_true(node, "Ready"));
        if let Some(node) = unready {
            return Some(format!("node {} is not ready", name(node)));
        }
        let workloads = [of("Deployment"), of("StatefulSet")].concat();
        if let Some(workload) = workloads.iter().find(|workload| !is_complete(workload)) {
            return Some(format!("{} is not complete", name(workload)));
        }
        let pods = of("Pod");
        let ending = pods.iter().find(|pod| pod["metadata"]["deletionTimestamp"].is_string());
        if let Some(pod) = ending {
            return Some(format!("pod {} is still ending", name(pod)));
        }
        let doubled = doubled(&pods, nodes.len());
        for (namespace, pod) in &doubled {
            self.kubectl(&["delete", "pod", "-n", namespace, pod, "--force"]);
        }
        doubled.first().map(|(namespace, pod)| format!("{namespace}/{pod} is beside another"))
    }

    fn kubectl(&self, words: &[&str]) -> String {
        let output = self.stand.kubectl(self.state, self.lab, words);
        if !output.status.success() {
            eprintln!("{words:?}: {}", both(&output));
        }
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Of each workload that asks to be spread over nodes: one pod of every node that has two, as long
/// as there is a node that has none.
fn doubled(pods: &[&Value], nodes: usize) -> Vec<(String, String)> {
    let mut by_workload: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for pod in pods.iter().filter(|pod| pod["spec"]["topologySpreadConstraints"].is_array()) {
        let place = format!("{} {}", namespace(pod), pod["metadata"]["labels"]["app"]);
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned();
        by_workload.entry(place).or_default().entry(node).or_default().push(name(pod));
    }
    let mut doubled = Vec::new();
    for (workload, by_node) in by_workload {
        let namespace = workload.split(' ').next().unwrap_or_default();
        let missing = nodes - by_node.len();
        let second = by_node.values().flat_map(|pods| pods.iter().skip(1));
        doubled.extend(second.take(missing).map(|pod| (namespace.to_owned(), pod.clone())));
    }
    doubled
}

fn is_true(object: &Value, condition: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|c| c["type"] == condition && c["status"] == "True")
}

/// As many as there are to be, of the newest kind, ready, and no others.
fn is_complete(workload: &Value) -> bool {
    let wanted = workload["spec"]["replicas"].as_i64();
    let status = &workload["status"];
    let observed = status["observedGeneration"] == workload["metadata"]["generation"];
    let is = |key: &str| status[key].as_i64() == wanted;
    observed && is("replicas") && is("readyReplicas") && is("updatedReplicas")
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

fn namespace(object: &Value) -> String {
    object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned()
}

//! What a drill sees of its cluster, beside what the API server says of itself and what another
//! client sees: a pod that is lost and replaced, one that finds no node, and a server that stands
//! still in between.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use squall::host::linux::clock::monotonic_ns;

use super::SHIPPED;
use super::stand::{PROGRAMS, Stand, both};

/// Between our arrival time and that of others on a busy machine; the server's own times are whole
/// seconds besides.
const APART_NS: u64 = 1_500_000_000;

const CLAIMS: &str = "    - podsReady: {target: web, within: 30s}
    - rescheduled: {target: web, within: 20s}
    - endpointsDropped: {target: web, within: 5s}
    - restartsAtMost: {target: web, count: 0}
";

#[test]
fn what_a_cluster_does_is_seen_as_others_see_it() {
    let Some(stand) = Stand::new("what_a_cluster_does_is_seen_as_others_see_it") else { return };
    stand.must(&["lab", "up", "--detach", SHIPPED]);
    a_pod_is_lost_and_replaced(&stand);
    healed(&stand);
    a_replacement_that_finds_no_node_is_pending(&stand);
    healed(&stand);
    a_server_that_stands_still_leaves_a_gap(&stand);
}

fn a_pod_is_lost_and_replaced(stand: &Stand) {
    let others = Outside::watch(stand);
    let drill = Ran::of(stand, "lost", ("", CLAIMS));
    assert_eq!(drill.code, Some(0), "{}", drill.said);
    let (lost, new) = drill.replaced();
    // Another client of the same server.
    let seen = others.stop();
    let ours = |pod: &str, so: &dyn Fn(&Value) -> bool| drill.first("pod", pod, so).unwrap();
    let theirs = |pod: &str, so: &dyn Fn(&Value) -> bool| {
        let first = seen.iter().find(|(_, seen)| seen["metadata"]["name"] == pod && so(seen));
        first.unwrap_or_else(|| panic!("{pod} in {} lines", seen.len())).0
    };
    let deleted = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_string();
    near("deletion", ours(&lost, &|pod| pod["deleting"] == true), theirs(&lost, &deleted));
    let bound = |pod: &Value| pod["spec"]["nodeName"].is_string();
    near("binding", ours(&new, &|pod| pod["node"].is_string()), theirs(&new, &bound));
    near("ready", ours(&new, &|pod| pod["ready"] == true), theirs(&new, &is_ready));
    // The API server's own times.
    let pod = stand.ask(&["get", "pod", "-n", "web", &new, "-o", "json"]);
    let pod: Value = serde_json::from_str(&pod).unwrap();
    for (kind, at_ns) in [
        ("PodScheduled", ours(&new, &|pod| pod["node"].is_string())),
        ("Ready", ours(&new, &|pod| pod["ready"] == true)),
    ] {
        let conditions = pod["status"]["conditions"].as_array().unwrap();
        let of = conditions.iter().find(|c| c["type"] == kind).unwrap();
        let said = of["lastTransitionTime"].as_str().unwrap();
        near(kind, at_ns, drill.at(said) + 500_000_000);
    }
    let stages: Vec<&str> = drill.report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .filter(|name| !["first bad", "first good", "stable"].contains(name))
        .collect();
    let expected = ["fault effective", "endpoint dropped", "pod scheduled", "pods ready"];
    assert_eq!(stages, expected, "{}", drill.said);
    let by = drill.report["injections"][0]["by"].as_str().unwrap();
    assert!(
        by.starts_with(&format!("repaired by deployment web/web: pod {new} was ready")),
        "{by}"
    );
    let witness = &drill.report["probes"]["pods"];
    assert!(witness["bad"].as_u64().unwrap() > 0, "three were not ready for a while: {witness}");
}

fn a_replacement_that_finds_no_node_is_pending(stand: &Stand) {
    let nodes = ["n1", "n2", "n3"];
    for node in nodes {
        stand.ask(&["cordon", node]);
    }
    let drill = Ran::of(stand, "pending", ("", "    - rescheduled: {target: web, within: 2s}\n"));
    for node in nodes {
        stand.ask(&["uncordon", node]);
    }
    assert_eq!(drill.code, Some(4), "{}", drill.said);
    let finding = drill.report["claims"][0]["finding"].as_str().unwrap();
    assert!(finding.contains("is Pending: 0/") && finding.contains("unschedulable"), "{finding}");
}

fn a_server_that_stands_still_leaves_a_gap(stand: &Stand) {
    let pause = "    - {at: 200ms, hold: 5s, inject: {processPause: {target: server}}}\n";
    let drill = Ran::of(stand, "still", (pause, CLAIMS));
    assert_eq!(drill.code, Some(5), "{}", drill.said);
    let ready = &drill.report["claims"][0];
    assert_eq!(ready["verdict"], "inconclusive", "{}", drill.said);
    let finding = ready["finding"].as_str().unwrap();
    assert!(finding.contains("unwatched from"), "{finding}");
    let of = |word: &str| {
        let told = drill.facts().filter(move |(_, fact)| **fact == *word || fact[word].is_object());
        told.map(|(at_ns, fact)| (at_ns, fact.clone())).collect::<Vec<_>>()
    };
    let (gaps, watched) = (of("unwatched"), of("watched"));
    assert_eq!((gaps.len(), watched.len()), (1, 2), "{gaps:?} {watched:?}");
    let from_ns = gaps[0].1["unwatched"]["fromNs"].as_u64().unwrap();
    let hits = drill.history.iter().filter(|record| record["entry"]["effective"].is_object());
    let paused = hits.filter(|r| r["entry"]["effective"]["kind"] == "processPause");
    let paused_ns = paused.map(|r| r["atNs"].as_u64().unwrap()).next().unwrap();
    assert!(from_ns <= paused_ns, "a gap begins with the last answer");
    assert!(paused_ns - from_ns < APART_NS, "and not long before");
    assert!(watched[1].0 > paused_ns + 5_000_000_000, "it ends when all is listed anew");
    // What came about in the gap is known after it.
    assert!(!drill.replaced().1.is_empty());
}

/// A drill that ended, with all that it wrote.
struct Ran {
    code: Option<i32>,
    said: String,
    history: Vec<Value>,
    report: Value,
}

impl Ran {
    fn of(stand: &Stand, name: &str, (steps, claims): (&str, &str)) -> Ran {
        let lab = std::env::current_dir().unwrap().join(SHIPPED);
        let server =
            if steps.is_empty() { "" } else { "    server: {lab: {service: apiserver}}\n" };
        let text = format!(
            "apiVersion: squall.dev/v1alpha1\nkind: Experiment\nmetadata: {{name: {name}}}\n\
             spec:\n  title: a pod is lost\n  lab: {}\n  targets:\n    web: {{pods: \
             {{namespace: web, selector: app=web}}}}\n{server}  probes:\n    pods: {{kubernetes: \
             {{deployment: web/web, readyAtLeast: 3}}, rate: 5/s, deadline: 1s}}\n  \
             steadyState: {{for: 2s}}\n  method:\n    - {{at: 0s, hold: 10s, inject: \
             {{podDelete: {{target: web}}}}}}\n{steps}  hypothesis:\n{claims}",
            lab.display()
        );
        let file = stand.folder().join(format!("{name}.yaml"));
        fs::write(&file, text).unwrap();
        let out = stand.folder().join(format!("out-{name}"));
        let words = ["run", "--yes", "--out", out.to_str().unwrap(), file.to_str().unwrap()];
        let ran = stand.squall(&words).output().unwrap();
        let said = both(&ran);
        let read = |name: &str| {
            fs::read_to_string(out.join(name)).unwrap_or_else(|e| panic!("{name}: {e}: {said}"))
        };
        let history = read("history.jsonl");
        let history = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let report = serde_json::from_str(&read("report.json")).unwrap();
        Ran { code: ran.status.code(), said, history, report }
    }

    /// Everything that the watch told, with the time of its arrival.
    fn facts(&self) -> impl Iterator<Item = (u64, &Value)> {
        let told = self.history.iter().filter(|record| record["entry"]["cluster"].is_object());
        told.map(|r| (r["atNs"].as_u64().unwrap(), &r["entry"]["cluster"]["fact"]))
    }

    /// When something was told of one thing for the first time.
    fn first(&self, kind: &str, name: &str, so: &dyn Fn(&Value) -> bool) -> Option<u64> {
        let mut of = self.facts().map(|(at_ns, fact)| (at_ns, &fact[kind]));
        of.find(|(_, seen)| seen["name"] == name && so(seen)).map(|(at_ns, _)| at_ns)
    }

    /// Names of the pod that was hit, and of the first that came after it.
    fn replaced(&self) -> (String, String) {
        let hit = self.history.iter().find_map(|r| r["entry"]["effective"]["instance"].as_str());
        let lost = hit.unwrap().strip_prefix("web/").unwrap().to_owned();
        let mut born: BTreeMap<&str, u64> = BTreeMap::new();
        for (at_ns, fact) in self.facts() {
            if let Some(pod) = fact["pod"]["name"].as_str() {
                born.entry(pod).or_insert(at_ns);
            }
        }
        let youngest = born.iter().max_by_key(|(_, at_ns)| **at_ns).unwrap();
        (lost, (*youngest.0).to_owned())
    }

    /// A wall clock's time on our own clock.
    fn at(&self, wall: &str) -> u64 {
        let opened = &self.history[0]["entry"]["opened"];
        let ours: jiff::Timestamp = opened["wall"].as_str().unwrap().parse().unwrap();
        let since = wall.parse::<jiff::Timestamp>().unwrap().duration_since(ours);
        let at_ns = i128::from(self.history[0]["atNs"].as_u64().unwrap()) + since.as_nanos();
        u64::try_from(at_ns).unwrap()
    }
}

/// `kubectl` as another client: every line of its watch with the time of its arrival.
struct Outside {
    kubectl: Child,
    lines: Receiver<(u64, String)>,
}

impl Outside {
    fn watch(stand: &Stand) -> Outside {
        let mut command = Command::new(format!("{PROGRAMS}/kubectl"));
        command.arg("--kubeconfig").arg(stand.kubeconfig("one", "kubernetes"));
        command.args(["get", "pods", "-n", "web", "--watch", "-o", r"jsonpath={@}{'\n'}"]);
        let mut kubectl =
            command.stdout(Stdio::piped()).env("HOME", stand.folder()).spawn().unwrap();
        let out = BufReader::new(kubectl.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send((monotonic_ns(), line));
            }
        });
        Outside { kubectl, lines }
    }

    fn stop(mut self) -> Vec<(u64, Value)> {
        self.kubectl.kill().unwrap();
        self.kubectl.wait().unwrap();
        let read = |(at_ns, line): (u64, String)| Some((at_ns, serde_json::from_str(&line).ok()?));
        self.lines.iter().filter_map(read).collect()
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

fn near(what: &str, ours: u64, theirs: u64) {
    assert!(ours.abs_diff(theirs) < APART_NS, "{what}: {} ns apart", ours.abs_diff(theirs));
}

/// Until the next drill may begin.
fn healed(stand: &Stand) {
    let within = format!("--timeout={}s", Duration::from_mins(1).as_secs());
    stand.ask(&["rollout", "status", "-n", "web", "deployment/web", &within]);
}

//! A lab with a real Kubernetes cluster: that it comes up, is spoken to, and goes without a trace.
//! Root and the programs of `make kube-programs kube-images` are needed; a test that lacks them
//! says so by name.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod blast;
mod experiments;
mod stand;
mod watch;

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use squall::lab::Lab;
use squall::model::identity::ProcessIdentity;
use stand::{Machine, Stand, both, groups, namespace, residents, within};

const SHIPPED: &str = "experiments/labs/kubernetes.yaml";

/// A cold machine with two processors and others at work on it.
const UP_WITHIN: Duration = Duration::from_mins(1);

/// How soon a lab is gone after its squall was killed: 0.2 s where nobody else is at work.
const GONE_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn the_shipped_cluster_answers_from_inside_and_from_outside() {
    let Some(stand) = Stand::new("the_shipped_cluster_answers_from_inside_and_from_outside") else {
        return;
    };
    let began = Instant::now();
    let told = stand.must(&["lab", "up", "--detach", SHIPPED]);
    eprintln!("up after {:?}", began.elapsed());
    assert!(began.elapsed() < UP_WITHIN, "{:?}", began.elapsed());
    let kubeconfig = stand.kubeconfig("one", "kubernetes");
    assert!(told.contains(&format!("kubectl --kubeconfig {}", kubeconfig.display())), "{told}");
    assert_eq!(fs::metadata(&kubeconfig).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(stand.ask(&["config", "current-context"]).trim(), "kubernetes");
    three_nodes_in_three_zones(&stand);
    pods_answer(&stand);
    attached_it_is_known(&stand);
    let again = stand.squall(&["lab", "up", "--detach", SHIPPED]).output().unwrap();
    assert_eq!(again.status.code(), Some(3), "{}", both(&again));
    let server = stand.ask(&["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let door = server.strip_prefix("https://").unwrap().to_owned();
    assert!(door.starts_with("127.0.0.1:") && TcpStream::connect(&door).is_ok(), "{door}");
    let keeper = stand.standing("one").record.keeper;
    let own = |path: &std::path::PathBuf| path.to_string_lossy().contains(&keeper_mark(&keeper));
    assert!(groups("kubernetes").iter().any(own), "{keeper:?}");
    stand.must(&["lab", "down", "kubernetes"]);
    assert!(TcpStream::connect(&door).is_err(), "the door is open still");
    assert!(!kubeconfig.exists());
    assert!(!groups("kubernetes").iter().any(own), "{:?}", groups("kubernetes"));
}

/// Others may have the shipped lab up as well.
fn keeper_mark(keeper: &ProcessIdentity) -> String {
    format!("-{}-{}-", keeper.pid, keeper.start_ticks)
}

fn three_nodes_in_three_zones(stand: &Stand) {
    let nodes: Value = serde_json::from_str(&stand.ask(&["get", "nodes", "-o", "json"])).unwrap();
    let nodes = nodes["items"].as_array().unwrap();
    let seen: Vec<(&str, &str, bool)> = nodes
        .iter()
        .map(|node| {
            let conditions = node["status"]["conditions"].as_array().unwrap();
            let ready = |c: &Value| c["type"] == "Ready" && c["status"] == "True";
            let zone = &node["metadata"]["labels"]["topology.kubernetes.io/zone"];
            let name = node["metadata"]["name"].as_str().unwrap();
            (name, zone.as_str().unwrap(), conditions.iter().any(ready))
        })
        .collect();
    assert_eq!(seen, [("n1", "z1", true), ("n2", "z2", true), ("n3", "z3", true)]);
    let hosts = stand.must(&["lab", "hosts", "kubernetes"]);
    assert!(hosts.lines().any(|l| l.starts_with("n3\t") && l.contains("kubelet:10250")), "{hosts}");
}

/// Over the load balancer, the Service, every node's port, and pod by pod.
fn pods_answer(stand: &Stand) {
    let pods: Value =
        serde_json::from_str(&stand.ask(&["get", "pods", "-n", "web", "-o", "json"])).unwrap();
    let pods = pods["items"].as_array().unwrap();
    let mut on: Vec<&str> = pods.iter().map(|p| p["spec"]["nodeName"].as_str().unwrap()).collect();
    on.sort_unstable();
    assert_eq!(on, ["n1", "n2", "n3"], "one in each zone");
    let service = ["get", "svc", "-n", "web", "web", "-o", "jsonpath={.spec.clusterIP}"];
    let service = stand.ask(&service);
    let hosts = stand.must(&["lab", "hosts", "kubernetes"]);
    let address = |host: &str| {
        let line = hosts.lines().find(|l| l.starts_with(&format!("{host}\t"))).unwrap();
        line.split('\t').nth(1).unwrap().to_owned()
    };
    let mut asked =
        vec![("client", format!("{}:80", address("front"))), ("client", service.clone())];
    asked.extend(["n1", "n2", "n3"].map(|node| ("client", format!("{}:30080", address(node)))));
    // A node's own programs reach a Service too, and so does the control plane.
    asked.extend([("n2", service.clone()), ("cp", service)]);
    for pod in pods {
        asked.push(("client", format!("{}:8080", pod["status"]["podIP"].as_str().unwrap())));
    }
    for (from, to) in asked {
        let url = format!("http://{to}/");
        let answer = stand.must(&["lab", "exec", from, "--", "curl", "-sfm", "3", &url]);
        assert!(answer.starts_with("web-"), "{from} of {to}: {answer}");
    }
    // By the kubelet: the API server has to reach it.
    let version = ["exec", "-n", "web", "deploy/web", "--", "nginx", "-v"];
    let version = stand.kubectl("one", "kubernetes", &version);
    assert!(both(&version).contains("nginx version"), "{}", both(&version));
}

fn attached_it_is_known(stand: &Stand) {
    let standing = stand.standing("one");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let lab = Lab::attach(&standing, "a test").await.unwrap();
        let cluster = lab.cluster().unwrap();
        let outside = fs::read_to_string(stand.kubeconfig("one", "kubernetes")).unwrap();
        assert_eq!(cluster.kubeconfig_outside, outside);
        let cp = &lab.layout().host("cp").unwrap().ipv4;
        assert!(cluster.kubeconfig_inside.contains(&format!("https://{cp}:6443")));
        assert_eq!(cluster.zones["n2"], "z2");
        assert!(!format!("{:?}", standing.record).contains("client-key-data"));
    });
}

#[test]
fn a_killed_squall_leaves_empty_groups_and_the_next_one_takes_those() {
    let name = "a_killed_squall_leaves_empty_groups_and_the_next_one_takes_those";
    let Some(stand) = Stand::new(name) else { return };
    let before = Machine::look();
    let file = stand.small("killed", "");
    let mut running = stand.up("one", &file);
    let standing = stand.standing("one");
    let lab = namespace(standing.record.identity.init.pid);
    assert!(residents(&lab).len() >= 8, "{:?}", residents(&lab));
    let door = fs::read_to_string(stand.kubeconfig("one", "killed")).unwrap();
    let door = door.split("https://").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert!(TcpStream::connect(&door).is_ok());
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    within(GONE_WITHIN, "processes of the lab live", || residents(&lab).is_empty());
    assert!(TcpStream::connect(&door).is_err(), "the door is open still");
    assert_eq!(Machine::look(), before);
    assert!(!groups("killed").is_empty(), "they cannot be removed by the dead");
    for command in [&["undo", "--all"][..], &["lab", "list"]] {
        stand.must(command);
        assert_eq!(groups("killed"), Vec::<std::path::PathBuf>::new(), "{command:?}");
    }
    assert!(!stand.kubeconfig("one", "killed").exists());
}

#[test]
fn two_clusters_of_one_name_stand_side_by_side() {
    let Some(stand) = Stand::new("two_clusters_of_one_name_stand_side_by_side") else { return };
    let file = stand.small("twin", "");
    let (first, second) = (stand.up("one", &file), stand.up("two", &file));
    let uid = |state: &str| {
        let asked = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
        let output = stand.kubectl(state, "twin", &asked);
        assert!(output.status.success(), "{}", both(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (one, two) = (uid("one"), uid("two"));
    assert_ne!(one, two);
    drop(first);
    // What sweeps after one takes nothing from the other.
    stand.must(&["lab", "list"]);
    assert_eq!(uid("two"), two);
    assert!(!groups("twin").is_empty());
    drop(second);
    stand.must(&["lab", "list"]);
    assert_eq!(groups("twin"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_workload_that_never_rolls_out_ends_the_lab_with_its_name() {
    let name = "a_workload_that_never_rolls_out_ends_the_lab_with_its_name";
    let Some(stand) = Stand::new(name) else { return };
    let more = "    ready: [{kind: statefulSet, name: ghost}]\n    readyWithin: 20s\n";
    let output = stand.squall(&["lab", "up", &stand.small("ghostly", more)]).output().unwrap();
    let text = both(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("statefulset ghost of default: not done within 20s"), "{text}");
    assert!(text.contains("\"ghost\\\" not found") || text.contains("NotFound"), "{text}");
    assert_eq!(groups("ghostly"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn every_program_that_is_missing_is_named_with_where_to_get_it() {
    let name = "every_program_that_is_missing_is_named_with_where_to_get_it";
    let Some(stand) = Stand::new(name) else { return };
    let file = stand.small("bare", "");
    let empty = stand.folder().join("empty");
    fs::create_dir(&empty).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    let here = std::env::current_dir().unwrap().join(stand::PROGRAMS);
    let text = text.replace(here.to_str().unwrap(), empty.to_str().unwrap());
    fs::write(&file, text).unwrap();
    let mut command = stand.squall(&["lab", "up", &file]);
    let output = command.env("PATH", "/nowhere").output().unwrap();
    let text = both(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for program in ["kube-apiserver", "kubelet", "kube-proxy", "kube-scheduler", "kubectl"] {
        assert!(text.contains(&format!("`{program}`")), "{program}: {text}");
    }
    for words in ["make kube-programs", empty.to_str().unwrap()] {
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(groups("bare"), Vec::<std::path::PathBuf>::new());
}

#[test]
fn without_root_it_is_refused_with_words() {
    let Some(stand) = Stand::new("without_root_it_is_refused_with_words") else { return };
    let file = stand.small("humble", "");
    let copy = stand.folder().join("squall");
    fs::copy(env!("CARGO_BIN_EXE_squall"), &copy).unwrap();
    for path in [stand.folder(), &copy] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    command.arg(&copy).args(["lab", "up", &file]).env("XDG_STATE_HOME", stand.folder().join("low"));
    let output = command.output().unwrap();
    let text = both(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("run this as root") && text.contains("`humble`"), "{text}");
}

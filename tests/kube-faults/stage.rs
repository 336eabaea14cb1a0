//! The one cluster, what the faults are tried on in it, and a look at everything that is there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use squall::model::cluster::{ClusterAccess, ClusterIdentity, ObjectIdentity, Resource};

const LAB: &str = "experiments/labs/kubernetes.yaml";
const PROGRAMS: &str = "target/kube/1.34.4";
const IMAGES: &str = "target/kube/images";
/// A cluster that stands: it is used in place of one of our own.
const STANDING: &str = "SQUALL_TEST_KUBECONFIG";
/// A cold machine with others at work on it.
const UP_WITHIN: Duration = Duration::from_mins(3);
/// How long controllers may take to catch up.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Namespace of everything that is tried.
pub const SPACE: &str = "faults";

/// What the faults are tried on. Two of three pods may not be missed; the other workload has no
/// budget. Nothing in it serves: what counts is what the API server has.
const THINGS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: faults, labels: {squall.dev/environment: staging}}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: faults
  labels: {app: shop}
  annotations: {note: "ours \"and\" theirs"}
immutable: true
data: {a: "1", b: "two\nlines\n"}
binaryData: {c: AP/+}
---
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: faults, labels: {app: shop}}
type: example.com/password
data: {password: aHVudGVyMg==}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: faults, annotations: {owner: team}}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: pause, image: "docker.io/lab/pause:latest", imagePullPolicy: Never}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: faults, labels: {app: store}}
spec:
  replicas: 1
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: pause, image: "docker.io/lab/pause:latest", imagePullPolicy: Never}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: store, namespace: faults}
spec: {minAvailable: 1, selector: {matchLabels: {app: store}}}
"#;

pub struct Stage {
    pub kubeconfig: PathBuf,
    pub folder: tempfile::TempDir,
    cluster: ClusterIdentity,
    lab: Option<Child>,
}

impl Stage {
    /// Errors: what is missing, in words.
    pub fn raise() -> Result<Stage, String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("a cluster needs root".to_owned());
        }
        for path in [format!("{PROGRAMS}/kubectl"), format!("{IMAGES}/pause.tar")] {
            if !Path::new(&path).exists() {
                return Err(format!("there is no {path}; `make kube-programs kube-images`"));
            }
        }
        let folder = tempfile::Builder::new().prefix("squall-kube-faults-").tempdir().unwrap();
        // Two ways that are alike read best side by side.
        #[expect(clippy::single_match_else, reason = "two ways of the same weight")]
        let (lab, kubeconfig) = match std::env::var_os(STANDING) {
            Some(file) => (None, PathBuf::from(file)),
            None => {
                let child = Command::new(env!("CARGO_BIN_EXE_squall"))
                    .args(["lab", "up", LAB])
                    .env("XDG_STATE_HOME", folder.path().join("lab"))
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap();
                (Some(child), folder.path().join("lab/squall/labs/kubernetes/kubeconfig"))
            }
        };
        let context = "kubernetes".to_owned();
        let cluster = ClusterIdentity { context, uid: String::new() };
        let mut stage = Stage { kubeconfig, folder, cluster, lab };
        let began = Instant::now();
        while !stage.kubeconfig.exists() {
            assert!(began.elapsed() < UP_WITHIN, "the lab does not come up");
            std::thread::sleep(Duration::from_millis(100));
        }
        let uid = ["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"];
        let found = stage.kubectl(&uid);
        found.trim().clone_into(&mut stage.cluster.uid);
        stage.kubectl(&["label", "--overwrite", "node", "--all", "squall.dev/environment=staging"]);
        Ok(stage)
    }

    /// Everything is there, ready, and as it is written above.
    pub fn set_up(&self) {
        self.apply(THINGS);
        for (kind, name) in [("deployment", "shop"), ("statefulset", "store")] {
            let what = format!("{kind}/{name}");
            let wait = ["-n", SPACE, "rollout", "status", &what, "--timeout=60s"];
            self.kubectl(&wait);
        }
        let counted =
            ["-n", SPACE, "wait", "pdb/store", "--for=jsonpath={.status.currentHealthy}=1"];
        self.kubectl(&counted);
    }

    pub fn apply(&self, manifest: &str) {
        let mut child = self.command(&["apply", "-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", both(&output));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(format!("{PROGRAMS}/kubectl"));
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn kubectl(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", both(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn access(&self) -> ClusterAccess {
        let kubeconfig = self.kubeconfig.display().to_string();
        ClusterAccess { cluster: self.cluster.clone(), kubeconfig }
    }

    pub fn object(&self, resource: Resource, name: &str) -> ObjectIdentity {
        let namespace = (resource != Resource::Node).then(|| SPACE.to_owned());
        let mut object = ObjectIdentity {
            cluster: self.cluster.clone(),
            resource,
            namespace,
            name: name.to_owned(),
            uid: String::new(),
        };
        let found = self.read(&object);
        found["metadata"]["uid"].as_str().unwrap().clone_into(&mut object.uid);
        object
    }

    /// A pod of that label, by name.
    pub fn pod(&self, app: &str) -> String {
        let label = format!("app={app}");
        let path = "jsonpath={.items[0].metadata.name}";
        self.kubectl(&["-n", SPACE, "get", "pods", "-l", &label, "-o", path]).trim().to_owned()
    }

    pub fn read(&self, object: &ObjectIdentity) -> Value {
        self.find(object).unwrap_or_else(|| panic!("{} is not there", object.words()))
    }

    pub fn find(&self, object: &ObjectIdentity) -> Option<Value> {
        let kind = object.resource.kind().to_lowercase();
        let namespace = object.namespace.as_deref().unwrap_or("default");
        let args =
            ["-n", namespace, "get", &kind, &object.name, "-o", "json", "--ignore-not-found"];
        let text = self.kubectl(&args);
        (!text.trim().is_empty()).then(|| serde_json::from_str(&text).unwrap())
    }

    /// The object as people wrote it: without what the server counts, and without what controllers
    /// say of how far they are.
    pub fn written(&self, object: &ObjectIdentity) -> Option<Value> {
        let mut found = self.find(object)?;
        found.as_object_mut().unwrap().remove("status");
        let metadata = found["metadata"].as_object_mut().unwrap();
        let removed = [Resource::ConfigMap, Resource::Secret].contains(&object.resource);
        metadata.retain(|field, _| {
            let own = ["resourceVersion", "managedFields", "generation"].contains(&field.as_str());
            // No API gives these back to what was taken away.
            let born = removed && ["uid", "creationTimestamp"].contains(&field.as_str());
            !own && !born
        });
        // What the node controller adds to and takes from a node that is cordoned.
        if let Some(taints) = found.pointer_mut("/spec/taints").and_then(Value::as_array_mut) {
            taints.retain(|taint| taint["key"] != "node.kubernetes.io/unschedulable");
        }
        let empty =
            found.pointer("/spec/taints").and_then(Value::as_array).is_some_and(Vec::is_empty);
        if empty {
            found["spec"].as_object_mut().unwrap().remove("taints");
        }
        Some(found)
    }

    /// Every object in the cluster that bears anything of squall's.
    pub fn ours(&self) -> Vec<String> {
        let kinds = "nodes,deployments,statefulsets,daemonsets,replicasets,configmaps,secrets,pods";
        let text = self.kubectl(&["get", kinds, "-A", "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        let items = list["items"].as_array().unwrap();
        let bears = |item: &&Value| {
            let of = |field: &str, key: &str| !item["metadata"][field][key].is_null();
            of("labels", "squall.dev/drill") || of("annotations", "squall.dev/undo")
        };
        let name = |item: &Value| format!("{} {}", item["kind"], item["metadata"]["name"]);
        items.iter().filter(bears).map(name).collect()
    }

    /// `squall`, with the state folder of that machine.
    pub fn squall(&self, machine: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        let state = self.folder.path().join(machine);
        command.args(args).env("XDG_STATE_HOME", state).env_remove("KUBECONFIG");
        command
    }

    /// Exit code and everything that was said of `squall undo --cluster`, from another machine.
    pub fn undo(&self, more: &[&str]) -> (i32, String) {
        let file = self.kubeconfig.display().to_string();
        let args = [&["undo", "--cluster", "kubernetes", "--kubeconfig", &file], more].concat();
        let output = self.squall("elsewhere", &args).output().unwrap();
        (output.status.code().unwrap(), both(&output))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let Some(lab) = &mut self.lab else {
            let _gone = self.command(&["delete", "namespace", SPACE, "--wait=false"]).output();
            return;
        };
        let pid = nix::unistd::Pid::from_raw(i32::try_from(lab.id()).unwrap());
        let _gone = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ended = lab.wait();
    }
}

/// Both streams of a command.
pub fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Returns once that is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

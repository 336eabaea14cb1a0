//! A user who may not: everything that is missing is said at once, before anything is done.

use std::fs;

use crate::stage::{SPACE, Stage, both};

/// May look at all that a plan looks at, and evict nobody.
const ROLE: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: watcher, namespace: faults}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: faults-watcher}
rules:
  - {apiGroups: [""], resources: [namespaces, nodes, pods], verbs: [get, list]}
  - {apiGroups: [apps], resources: [deployments, replicasets], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: faults-watcher}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: faults-watcher}
subjects: [{kind: ServiceAccount, name: watcher, namespace: faults}]
"#;

const EXPERIMENT: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Experiment
metadata: {name: access}
spec:
  title: More than the user may
  environment: staging
  targets:
    pod: {pods: {context: watcher, namespace: faults, selector: app=shop}}
    shop: {workload: {context: watcher, namespace: faults, kind: deployment, name: shop}}
  probes:
    nothing: {command: {run: ["true"]}, rate: 2/s, deadline: 1s}
  method:
    - {at: 0s, hold: 1s, inject: {podEvict: {target: pod}}}
    - {at: 0s, hold: 1s, inject: {scale: {target: shop, replicas: 0}}}
  hypothesis: [{downtime: {probe: nothing, atMost: 5s}}]
"#;

const POLICY: &str = "
apiVersion: squall.dev/v1alpha1
kind: Policy
metadata: {name: staging}
spec: {title: Staging, rules: [{environment: {allow: [staging]}}]}
";

pub fn what_the_user_may_not_is_said_before_anything(stage: &Stage) {
    stage.apply(ROLE);
    let path = |name: &str| stage.folder.path().join(name).display().to_string();
    let token = stage.kubectl(&["-n", SPACE, "create", "token", "watcher"]);
    let text = fs::read_to_string(&stage.kubeconfig).unwrap();
    let cluster: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let kubeconfig = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "clusters": cluster["clusters"],
        "users": [{"name": "watcher", "user": {"token": token.trim()}}],
        "contexts": [{"name": "watcher", "context": {
            "cluster": cluster["clusters"][0]["name"], "user": "watcher"}}],
    });
    fs::write(path("kubeconfig"), kubeconfig.to_string()).unwrap();
    fs::write(path("access.yaml"), EXPERIMENT).unwrap();
    fs::write(path("policy.yaml"), POLICY).unwrap();
    let (file, config, policy) = (path("access.yaml"), path("kubeconfig"), path("policy.yaml"));
    let common = [file.as_str(), "--kubeconfig", &config, "--policy", &policy];
    let missing = [
        "create pods/eviction in namespace faults",
        "patch deployments (apps) in namespace faults",
        "patch replicasets (apps) in namespace faults",
    ];
    let plan = stage.squall("here", &[&["plan"], &common[..]].concat()).output().unwrap();
    let text = both(&plan);
    assert_eq!(plan.status.code(), Some(0), "{text}");
    for verb in missing {
        assert!(
            text.contains(&format!("would be refused: the user of context watcher may not {verb}")),
            "{text}"
        );
    }
    let run = stage.squall("here", &[&["run", "--yes"], &common[..]].concat()).output().unwrap();
    let text = both(&run);
    assert_eq!(run.status.code(), Some(3), "{text}");
    assert!(missing.iter().all(|verb| text.contains(verb)), "{text}");
    assert!(text.contains("nothing was injected"), "{text}");
    // Who may not even look is told of that and of the rest.
    stage.kubectl(&["delete", "clusterrolebinding", "faults-watcher"]);
    let plan = stage.squall("here", &[&["plan"], &common[..]].concat()).output().unwrap();
    let text = both(&plan);
    assert_eq!(plan.status.code(), Some(3), "{text}");
    for verb in missing.iter().chain(&["list nodes in all of the cluster"]) {
        assert!(text.contains(verb), "{verb}: {text}");
    }
    stage.kubectl(&["delete", "clusterrole", "faults-watcher"]);
    assert_eq!(stage.ours(), Vec::<String>::new());
}

//! The timers of a cluster that anybody may read who sees its pods: how long a pod may take to end,
//! how long it stays on a node that is gone, how long a rollout takes at least, and the lease of a
//! node. What the control plane was told stands in no API.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::found::Look;
use super::things::{Metadata, Pod, PodSpec, service};
use crate::host::cluster::ApiRequest;
use crate::host::kube::ApiError;
use crate::model::selector::{WorkloadKind, WorkloadSelector};
use crate::model::units::Span;

const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lease {
    spec: LeaseSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeaseSpec {
    lease_duration_seconds: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Workload {
    metadata: Metadata,
    spec: WorkloadSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WorkloadSpec {
    replicas: Option<u64>,
    min_ready_seconds: u64,
    progress_deadline_seconds: Option<u64>,
    strategy: Strategy,
    template: Template,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    rolling_update: Option<RollingUpdate>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RollingUpdate {
    max_surge: Option<Share>,
    max_unavailable: Option<Share>,
}

/// A count, or a percentage of the replicas.
#[derive(Deserialize)]
#[serde(untagged)]
enum Share {
    Count(u64),
    Percent(String),
}

/// Of each workload among these pods, by its name: one of its pods speaks for all.
pub fn of_pods<'a>(pods: impl Iterator<Item = &'a Pod>, timers: &mut BTreeMap<String, Span>) {
    for pod in pods {
        let of = pod.service();
        let name = |timer: &str| format!("{of}.{timer}");
        if timers.contains_key(&name("grace")) {
            continue;
        }
        let spec = &pod.spec;
        if let Some(grace) = spec.termination_grace_period_seconds {
            timers.insert(name("grace"), Span::secs(grace));
        }
        let gone = spec.tolerations.iter().find(|t| t.key == UNREACHABLE);
        if let Some(seconds) = gone.and_then(|toleration| toleration.toleration_seconds) {
            timers.insert(name("tolerates"), Span::secs(seconds));
        }
        if let Some(fails) = spec.readiness_fails_after() {
            timers.insert(name("readinessFails"), fails);
        }
    }
}

/// Of one node's lease; nothing where it may not be read.
pub async fn of_node(
    look: &Look<'_>,
    node: &str,
    timers: &mut BTreeMap<String, Span>,
) -> Result<(), ApiError> {
    let leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    let request = ApiRequest::get(format!("{leases}/{node}"));
    match look.client.typed::<Lease>(&request, look.within).await {
        Err(ApiError::NotFound { .. } | ApiError::Forbidden { .. }) => Ok(()),
        lease => {
            let seconds = lease?.spec.lease_duration_seconds;
            timers.extend(seconds.map(|s| ("node.lease".to_owned(), Span::secs(s))));
            Ok(())
        }
    }
}

/// Of one workload: what its rollout takes at least. Nothing where it is not there.
pub async fn of_workload(
    look: &Look<'_>,
    one: &WorkloadSelector,
    timers: &mut BTreeMap<String, Span>,
) -> Result<(), ApiError> {
    let resource = one.kind.resource();
    let path = format!("{}/{}", resource.path(Some(&one.namespace)), one.name);
    let found: Workload = match look.client.typed(&ApiRequest::get(path), look.within).await {
        Err(ApiError::NotFound { .. }) => return Ok(()),
        found => found?,
    };
    let of = service(resource.kind(), &one.namespace, &found.metadata.name);
    if let Some(rounds) = rounds(one.kind, &found.spec) {
        let round = found.spec.min_ready_seconds + found.spec.template.spec.ready_after();
        timers.insert(format!("{of}.rolloutAtLeast"), Span::secs(rounds * round));
    }
    let deadline = found.spec.progress_deadline_seconds.map(Span::secs);
    timers.extend(deadline.map(|span| (format!("{of}.progressDeadline"), span)));
    Ok(())
}

/// How many pods are waited for one after the other; None: such a workload is not rolled out.
fn rounds(kind: WorkloadKind, spec: &WorkloadSpec) -> Option<u64> {
    let replicas = spec.replicas.unwrap_or(1);
    match kind {
        WorkloadKind::StatefulSet => Some(replicas),
        WorkloadKind::Deployment => {
            let none = RollingUpdate::default();
            let update = spec.strategy.rolling_update.as_ref().unwrap_or(&none);
            let surge = share(update.max_surge.as_ref(), replicas, u64::div_ceil);
            let unavailable = share(update.max_unavailable.as_ref(), replicas, |a, b| a / b);
            Some(replicas.div_ceil((surge + unavailable).max(1)))
        }
        _ => None,
    }
}

/// A quarter, where nothing is told.
fn share(of: Option<&Share>, replicas: u64, rounded: fn(u64, u64) -> u64) -> u64 {
    let percent = match of {
        Some(Share::Count(count)) => return *count,
        Some(Share::Percent(text)) => text.trim_end_matches('%').parse().unwrap_or(25),
        None => 25,
    };
    rounded(replicas * percent, 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_tells_the_timers_of_its_workload() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web-0", "namespace": "shop", "ownerReferences": [
                {"kind": "StatefulSet", "name": "web", "controller": true}]},
            "spec": {
                "terminationGracePeriodSeconds": 7,
                "tolerations": [
                    {"key": "node.kubernetes.io/not-ready", "tolerationSeconds": 3},
                    {"key": "node.kubernetes.io/unreachable", "tolerationSeconds": 5}],
                "containers": [
                    {"name": "a", "readinessProbe": {"periodSeconds": 2, "failureThreshold": 3,
                        "timeoutSeconds": 1}},
                    {"name": "b"}],
            },
        }))
        .unwrap();
        let mut timers = BTreeMap::new();
        of_pods(std::iter::once(&pod), &mut timers);
        let expected = [("grace", 7), ("readinessFails", 7), ("tolerates", 5)];
        let expected =
            expected.map(|(name, s)| (format!("statefulset shop/web.{name}"), Span::secs(s)));
        assert_eq!(timers, BTreeMap::from(expected));
    }

    fn rounds_of(kind: WorkloadKind, spec: serde_json::Value) -> Option<u64> {
        rounds(kind, &serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn a_rollout_goes_in_rounds() {
        let deployment = |spec| rounds_of(WorkloadKind::Deployment, spec).unwrap();
        let rolling = |surge: &str, unavailable: u64| {
            json!({"replicas": 6, "strategy": {"rollingUpdate":
                {"maxSurge": surge, "maxUnavailable": unavailable}}})
        };
        assert_eq!(deployment(json!({"replicas": 3})), 3, "one more, none less");
        assert_eq!(deployment(json!({"replicas": 8})), 2, "two more, two less");
        assert_eq!(deployment(rolling("0%", 2)), 3);
        assert_eq!(deployment(rolling("50%", 0)), 2);
        assert_eq!(rounds_of(WorkloadKind::StatefulSet, json!({"replicas": 4})), Some(4));
        assert_eq!(rounds_of(WorkloadKind::Job, json!({})), None);
    }
}

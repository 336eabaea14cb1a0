//! `nodeDrain`: a node is cordoned, and its pods are evicted, as `kubectl drain` does for an
//! upgrade. Pods of `DaemonSets`, and those that only mirror what the node runs by itself, stay.
//!
//! The node is drained for as long as the hold lasts: what a budget refuses is asked again with
//! every beat, and each refusal is told once. Squall lets the node be used again; the pods come
//! back where their owners put them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cordon::{cordon, look, refuse_cordoned, uncordon};
use super::eviction::{evict, wrong_grace};
use super::marked::{note, unmarked};
use super::object::{identity, is_ending};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::cluster::ApiRequest;
use crate::host::network::Took;
use crate::host::{Host, HostError};
use crate::model::binding::Order;
use crate::model::cluster::{ObjectIdentity, Resource};
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::mark::Mark;
use crate::model::units::Span;

/// No eviction begins later in one verb: it and the request before it are shorter than a lease.
const BEGINS_WITHIN: Duration = Duration::from_millis(500);
const MIRROR: &str = "/metadata/annotations/kubernetes.io~1config.mirror";

/// Drains a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    /// How long the containers of each pod may take to stop, in whole seconds; the pod's own
    /// `terminationGracePeriodSeconds` unless told.
    #[serde(default)]
    pub grace: Option<Span>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub mark: Mark,
    /// For the evictions to come; seconds.
    pub grace: Option<u64>,
}

pub struct NodeDrain;

impl FaultKind for NodeDrain {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "nodeDrain";
    const SUMMARY: &'static str = "cordons a node and evicts its pods";
    const EXAMPLE: &'static str = "nodeDrain: {target: node}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] = &[Resource::Node];
    const ASKS: &'static [Access] = &[
        Access::of("get", Resource::Node),
        Access::of("patch", Resource::Node),
        Access::of("list", Resource::Pod),
        Access::of("get", Resource::Pod),
        Access::of("create", Resource::Pod).subresource("eviction"),
    ];
    const RESTORE: Restore = Restore::Undo;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn impact(params: &Params) -> Impact {
        Impact::Ends { grace: params.grace, forced: false }
    }

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(&params.target, Footprint::Node, "drain {target}".to_owned())
    }

    fn faults_of(params: &Params) -> Vec<String> {
        wrong_grace(params.grace)
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &Params) -> Result<Undo, FaultError> {
        let (object, found, mark) = unmarked(host, order)?;
        refuse_cordoned(object, &found)?;
        Ok(Undo { mark, grace: params.grace.map(|grace| grace.0.as_secs()) })
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let object = identity(&order.target)?;
        let note = note::<Self>(object, &undo.mark, undo)?;
        let began_ns = host.now_ns();
        cordon(host, object, &note)?;
        let effective_ns = host.now_ns();
        if effective_ns - began_ns < nanos(BEGINS_WITHIN) {
            evict_all(host, object, undo)?;
        }
        Ok(Took { began_ns, effective_ns })
    }

    fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        uncordon(host, identity(target)?, &undo.mark)
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let object = identity(target)?;
        let mut evidence = look(host, object, &undo.mark, expect)?;
        if expect == Expect::InForce {
            let left = movable(host, object)?.len();
            evidence.push_str(&format!("; {left} pods that can go are left on it"));
        }
        Ok(evidence)
    }

    /// Goes on evicting. That it cannot now is no doubt: the node is still cordoned, and there is
    /// another beat.
    fn glance(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        if let Err(error) = evict_all(host, identity(target)?, undo) {
            tracing::debug!(%error, "not all evicted");
        }
        Ok(())
    }
}

/// Asks for the eviction of whatever can go and is not going yet, as far as there is time.
fn evict_all(host: &mut dyn Host, node: &ObjectIdentity, undo: &Undo) -> Result<(), FaultError> {
    let began_ns = host.now_ns();
    for pod in movable(host, node)? {
        if host.now_ns() - began_ns > nanos(BEGINS_WITHIN) {
            break;
        }
        match evict(host, &pod, undo.grace) {
            Ok(_) | Err(FaultError::Void(_)) => {}
            // One that the server will not evict, two budgets on it say, keeps no other here.
            Err(FaultError::Host(HostError::Refused { why, .. })) => {
                tracing::warn!(pod = pod.words(), %why, "not evicted");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The pods on the node that a drain moves and that are not on their way.
fn movable(host: &mut dyn Host, node: &ObjectIdentity) -> Result<Vec<ObjectIdentity>, FaultError> {
    let request = ApiRequest::get(Resource::Pod.path(None))
        .with("fieldSelector", format!("spec.nodeName={}", node.name));
    let list = host.ask(&node.cluster, &request)?;
    let pods = list["items"].as_array().into_iter().flatten();
    let text = |pod: &Value, field: &str| pod["metadata"][field].as_str().map(str::to_owned);
    let identity = |pod: &Value| {
        Some(ObjectIdentity {
            cluster: node.cluster.clone(),
            resource: Resource::Pod,
            namespace: Some(text(pod, "namespace")?),
            name: text(pod, "name")?,
            uid: text(pod, "uid")?,
        })
    };
    Ok(pods.filter(|pod| moves(pod)).filter_map(identity).collect())
}

fn moves(pod: &Value) -> bool {
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let of_node = |owner: &Value| owner["kind"] == "DaemonSet" && owner["controller"] == true;
    let stays = owners.is_some_and(|owners| owners.iter().any(of_node));
    !stays && pod.pointer(MIRROR).is_none() && !is_ending(pod)
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_drain_moves_all_but_what_belongs_to_the_node() {
        let pod = |metadata: Value| json!({"metadata": metadata});
        let owned = |kind: &str| json!({"ownerReferences": [{"kind": kind, "controller": true}]});
        assert!(moves(&pod(json!({}))), "one without an owner too");
        assert!(moves(&pod(owned("ReplicaSet"))));
        assert!(!moves(&pod(owned("DaemonSet"))));
        let mirror = json!({"annotations": {"kubernetes.io/config.mirror": "x"}});
        assert!(!moves(&pod(mirror)));
        assert!(!moves(&pod(json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}))));
    }
}

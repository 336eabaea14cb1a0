//! From what the server sends to what a history keeps.

use super::objects::{
    Budget, Condition, Endpoint, Event, Lease, Node, Pod, Reference, Slice, Workload,
};
use crate::backend::kubernetes::things::service;
use crate::model::cluster_seen::{
    BudgetSeen, EndpointSeen, EventSeen, LeaseSeen, NodeSeen, PodSeen, WorkloadSeen,
};

/// The label of a slice that names its Service.
const SERVICE: &str = "kubernetes.io/service-name";

fn condition<'a>(all: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    all.iter().find(|condition| condition.kind == kind)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `shop/web`
fn place(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

pub fn pod(pod: &Pod) -> PodSeen {
    let (metadata, status) = (&pod.metadata, &pod.status);
    let ready = condition(&status.conditions, "Ready");
    let bound = condition(&status.conditions, "PodScheduled");
    let disrupted = condition(&status.conditions, "DisruptionTarget");
    let unbound = bound.filter(|c| c.status == "False").and_then(|c| some(&c.message));
    let waiting = || status.container_statuses.iter().find_map(|c| c.state.waiting.as_ref());
    PodSeen {
        namespace: metadata.namespace.clone(),
        name: metadata.name.clone(),
        uid: metadata.uid.clone(),
        workload: metadata.service(),
        phase: status.phase.clone(),
        node: some(&pod.spec.node_name),
        ready: ready.is_some_and(|c| c.status == "True"),
        deleting: metadata.deletion_timestamp.is_some(),
        gone: false,
        restarts: status.container_statuses.iter().map(|c| c.restart_count).sum(),
        disrupted: disrupted.filter(|c| c.status == "True").map(|c| c.reason.clone()),
        why: unbound
            .or_else(|| waiting().and_then(|waiting| some(&waiting.reason)))
            .or_else(|| some(&status.reason)),
        ready_since: ready.and_then(|c| c.last_transition_time.clone()),
        bound_since: bound
            .filter(|c| c.status == "True")
            .and_then(|c| c.last_transition_time.clone()),
    }
}

pub fn node(node: &Node) -> NodeSeen {
    let ready = condition(&node.status.conditions, "Ready");
    let evicting = node.spec.taints.iter().filter(|taint| taint.effect == "NoExecute");
    NodeSeen {
        name: node.metadata.name.clone(),
        ready: ready.map_or_else(|| "Unknown".to_owned(), |c| c.status.clone()),
        unschedulable: node.spec.unschedulable,
        evicting: evicting.map(|taint| taint.key.clone()).collect(),
        gone: false,
        ready_since: ready.and_then(|c| c.last_transition_time.clone()),
    }
}

/// Every pod that the slice names.
pub fn endpoints(slice: &Slice) -> Vec<EndpointSeen> {
    let metadata = &slice.metadata;
    let name = metadata.labels.get(SERVICE).map_or("", String::as_str);
    let seen = |endpoint: &Endpoint| {
        let pod = endpoint.target_ref.as_ref().filter(|to| to.kind == "Pod")?;
        Some(EndpointSeen {
            service: place(&metadata.namespace, name),
            slice: metadata.name.clone(),
            pod: pod.name.clone(),
            uid: pod.uid.clone(),
            ready: endpoint.conditions.ready != Some(false),
            terminating: endpoint.conditions.terminating == Some(true),
            gone: false,
        })
    };
    slice.endpoints.iter().flatten().filter_map(seen).collect()
}

/// `kind`: as in a manifest.
pub fn workload(kind: &str, workload: &Workload) -> WorkloadSeen {
    let (metadata, status) = (&workload.metadata, &workload.status);
    let progress = condition(&status.conditions, "Progressing");
    let seen = WorkloadSeen {
        workload: service(kind, &metadata.namespace, &metadata.name),
        generation: metadata.generation,
        observed_generation: status.observed_generation,
        stuck: progress.filter(|c| c.status == "False").map(|c| c.reason.clone()),
        gone: false,
        ..WorkloadSeen::default()
    };
    match status.desired_number_scheduled {
        Some(desired) => WorkloadSeen {
            desired,
            replicas: status.current_number_scheduled,
            updated: status.updated_number_scheduled,
            ready: status.number_ready,
            available: status.number_available,
            ..seen
        },
        None => WorkloadSeen {
            desired: workload.spec.replicas.unwrap_or(1),
            replicas: status.replicas,
            // A `ReplicaSet` has one template only.
            updated: if kind == "ReplicaSet" { status.replicas } else { status.updated_replicas },
            ready: status.ready_replicas,
            available: status.available_replicas,
            ..seen
        },
    }
}

/// `workloads`: those whose pods it covers.
pub fn budget(budget: &Budget, workloads: Vec<String>) -> BudgetSeen {
    let (metadata, status) = (&budget.metadata, &budget.status);
    BudgetSeen {
        budget: place(&metadata.namespace, &metadata.name),
        workloads,
        wanted: status.desired_healthy,
        healthy: status.current_healthy,
        allowed: status.disruptions_allowed,
        gone: false,
    }
}

pub fn lease(lease: &Lease) -> LeaseSeen {
    LeaseSeen {
        lease: place(&lease.metadata.namespace, &lease.metadata.name),
        holder: lease.spec.holder_identity.clone().unwrap_or_default(),
    }
}

pub fn event(event: &Event) -> EventSeen {
    let by = some(&event.source.component).or_else(|| some(&event.reporting_component));
    EventSeen {
        about: about(&event.involved_object),
        reason: event.reason.clone(),
        message: event.message.clone(),
        by: by.unwrap_or_default(),
        warning: event.kind == "Warning",
        at: event.last_timestamp.clone().or_else(|| event.at.clone()),
    }
}

/// `pod shop/web-1`, `node n1`
fn about(object: &Reference) -> String {
    let kind = object.kind.to_lowercase();
    // Events of nodes lie in a namespace, and nodes in none.
    if object.kind == "Node" || object.namespace.is_empty() {
        return format!("{kind} {}", object.name);
    }
    service(&kind, &object.namespace, &object.name)
}

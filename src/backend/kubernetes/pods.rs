//! Which pods a selector means, as far as that does not change from one moment to the next.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;

use super::around::Around;
use super::found::Look;
use super::things::Pod;
use crate::host::cluster::ApiRequest;
use crate::host::kube::ApiError;
use crate::model::cluster::Resource;
use crate::model::selector::{Phase, PodSelector};

/// An object of which only the name is asked.
#[derive(Deserialize)]
struct Named {
    metadata: NamedMetadata,
}

#[derive(Deserialize)]
struct NamedMetadata {
    uid: String,
}

/// What a Service says of its pods.
#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    spec: ServiceSpec,
}

#[derive(Default, Deserialize)]
struct ServiceSpec {
    #[serde(default)]
    selector: BTreeMap<String, String>,
}

/// All that live in the namespace and meet what the selector says of them, but not what it says of
/// the moment of injection. Where all pods are known already, the server is asked for names alone.
pub async fn meant(
    look: &Look<'_>,
    wanted: &PodSelector,
    around: Option<&Around>,
) -> Result<Vec<Pod>, ApiError> {
    let mut labels: Vec<String> = wanted.selector.iter().cloned().collect();
    if let Some(service) = &wanted.service {
        labels.extend(of_service(look, &wanted.namespace, service).await?);
    }
    let mut request = ApiRequest::get(Resource::Pod.path(Some(&wanted.namespace)));
    if !labels.is_empty() {
        request = request.with("labelSelector", labels.join(","));
    }
    if let Some(fields) = &wanted.fields {
        request = request.with("fieldSelector", fields);
    }
    let is_bare = labels.is_empty() && wanted.fields.is_none();
    let mut pods: Vec<Pod> = match around {
        None => look.client.list(&request, look.within).await?,
        Some(around) if is_bare => around.in_namespace(&wanted.namespace).cloned().collect(),
        Some(around) => {
            let named: Vec<Named> = look.client.list(&request, look.within).await?;
            let uids: BTreeSet<&str> = named.iter().map(|it| it.metadata.uid.as_str()).collect();
            let of = |pod: &&Pod| uids.contains(pod.metadata.uid.as_str());
            around.in_namespace(&wanted.namespace).filter(of).cloned().collect()
        }
    };
    let name = wanted.name.as_ref().map(|name| whole(name)).transpose()?;
    pods.retain(|pod| {
        fits(pod, wanted, look) && name.as_ref().is_none_or(|n| n.is_match(pod.name()))
    });
    Ok(pods)
}

/// Every pod of a namespace, or of the cluster.
pub async fn all(look: &Look<'_>, namespace: Option<&str>) -> Result<Vec<Pod>, ApiError> {
    look.client.list(&ApiRequest::get(Resource::Pod.path(namespace)), look.within).await
}

/// The Service's own selector, as a label selector.
async fn of_service(look: &Look<'_>, namespace: &str, name: &str) -> Result<Vec<String>, ApiError> {
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let service: Service = look.client.typed(&ApiRequest::get(path), look.within).await?;
    Ok(service.spec.selector.iter().map(|(key, value)| format!("{key}={value}")).collect())
}

fn whole(pattern: &str) -> Result<Regex, ApiError> {
    Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
        ApiError::Kubeconfig(format!("use `{pattern}`: it is no regular expression: {error}"))
    })
}

fn fits(pod: &Pod, wanted: &PodSelector, look: &Look<'_>) -> bool {
    let annotations = &pod.metadata.annotations;
    let annotated =
        wanted.annotations.iter().all(|(key, value)| annotations.get(key) == Some(value));
    let node = &pod.spec.node_name;
    let zone = look.zones.get(node);
    let owned = wanted.owner.as_ref().is_none_or(|owner| {
        pod.workload() == Some((owner.kind.resource().kind(), owner.name.as_str()))
    });
    let phase = match wanted.phase {
        Some(phase) => pod.status.phase == phase_name(phase),
        None => !pod.has_ended(),
    };
    let ours = wanted.selector.as_deref().is_some_and(|labels| labels.contains("squall"));
    annotated
        && owned
        && (ours || !pod.is_ours())
        && phase
        && !pod.is_over()
        && (wanted.nodes.is_empty() || wanted.nodes.contains(node))
        && (wanted.zones.is_empty() || zone.is_some_and(|zone| wanted.zones.contains(zone)))
        && wanted.ready.is_none_or(|ready| ready == pod.is_ready())
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "Pending",
        Phase::Running => "Running",
        Phase::Succeeded => "Succeeded",
        Phase::Failed => "Failed",
        Phase::Unknown => "Unknown",
    }
}

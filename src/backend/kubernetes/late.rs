//! What is true of a pod at this moment only: it backs a Service, it holds a Lease, a label says
//! what it is.

use std::collections::BTreeSet;

use super::found::Look;
use super::things::Pod;
use super::watch::objects::{Lease, Slice};
use crate::host::cluster::ApiRequest;
use crate::host::kube::ApiError;
use crate::model::selector::PodSelector;

/// Leaves those of whom it is all true now.
pub async fn narrow(
    look: &Look<'_>,
    wanted: &PodSelector,
    mut pods: Vec<Pod>,
) -> Result<Vec<Pod>, ApiError> {
    if let Some(role) = &wanted.role {
        pods.retain(|pod| pod.metadata.labels.get(&role.label) == Some(&role.is));
    }
    if let Some(service) = &wanted.service {
        let behind = backing(look, &wanted.namespace, service).await?;
        pods.retain(|pod| behind.contains(pod.name()));
    }
    if let Some(lease) = &wanted.lease_holder {
        let holder = holder(look, &wanted.namespace, lease).await?;
        pods.retain(|pod| holds(pod.name(), &holder));
    }
    Ok(pods)
}

/// Pods that a Service sends traffic to now.
async fn backing(
    look: &Look<'_>,
    namespace: &str,
    service: &str,
) -> Result<BTreeSet<String>, ApiError> {
    let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
    let request = ApiRequest::get(path)
        .with("labelSelector", format!("kubernetes.io/service-name={service}"));
    let slices: Vec<Slice> = look.client.list(&request, look.within).await?;
    let ready = slices
        .into_iter()
        .flat_map(|slice| slice.endpoints.unwrap_or_default())
        .filter(|endpoint| endpoint.conditions.ready != Some(false));
    Ok(ready.filter_map(|endpoint| Some(endpoint.target_ref?.name)).collect())
}

async fn holder(look: &Look<'_>, namespace: &str, lease: &str) -> Result<String, ApiError> {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{lease}");
    let lease: Lease = look.client.typed(&ApiRequest::get(path), look.within).await?;
    Ok(lease.spec.holder_identity.unwrap_or_default())
}

/// Holders name themselves by their host name, alone or with something unique behind it.
fn holds(pod: &str, identity: &str) -> bool {
    identity == pod || identity.strip_prefix(pod).is_some_and(|rest| rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_told_by_the_whole_name_of_its_pod() {
        assert!(holds("web-1", "web-1"));
        assert!(holds("web-1", "web-1_0b1c"));
        assert!(!holds("web-1", "web-12"));
        assert!(!holds("web-1", "web-12_0b1c"));
    }
}

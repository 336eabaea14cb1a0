//! May this user do what a plan needs? The API server is asked for each verb, before anything.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::host::kube::{ApiClient, ApiError};
use crate::model::cluster::Resource;
use crate::model::selector::Selector;

const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// One thing that the user must be allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub verb: String,
    /// Empty for the core.
    pub group: String,
    /// As roles name it: `pods`, `pods/eviction`.
    pub resource: String,
    /// None: in all of the cluster.
    pub namespace: Option<String>,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, " ({})", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in all of the cluster"),
        }
    }
}

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    allowed: bool,
}

/// What a look at a target reads, whatever is done to it.
#[must_use]
pub fn reads(selector: &Selector) -> Vec<Need> {
    let need = |verb: &str, group: &str, resource: &str, namespace: Option<&str>| Need {
        verb: verb.to_owned(),
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.map(str::to_owned),
    };
    let namespace = selector.namespace();
    // Which cluster it is, and what is where.
    let mut needs =
        vec![need("get", "", "namespaces", Some("kube-system")), need("list", "", "nodes", None)];
    match selector.resource() {
        Some(Resource::Node) => needs.push(need("get", "", "nodes", None)),
        None | Some(Resource::Pod) => {}
        Some(other) => needs.push(need("get", other.group(), &other.plural(), namespace)),
    }
    needs.push(need("list", "", "pods", namespace));
    if let Some(namespace) = namespace {
        needs.push(need("get", "", "namespaces", Some(namespace)));
    }
    if let Selector::Pods(pods) = selector {
        if pods.service.is_some() {
            needs.push(need("get", "", "services", namespace));
            needs.push(need("list", "discovery.k8s.io", "endpointslices", namespace));
        }
        if pods.lease_holder.is_some() {
            needs.push(need("get", "coordination.k8s.io", "leases", namespace));
        }
    }
    needs
}

/// Those that the server would refuse, all of them. Errors: it does not answer.
pub async fn lacking(client: &ApiClient, needs: &BTreeSet<Need>) -> Result<Vec<Need>, ApiError> {
    let mut lacking = Vec::new();
    for need in needs {
        let (resource, subresource) = need.resource.split_once('/').unwrap_or((&need.resource, ""));
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": need.verb, "group": need.group, "resource": resource,
                "subresource": subresource, "namespace": need.namespace.clone().unwrap_or_default(),
            }},
        });
        let request = ApiRequest::new(ApiVerb::Create, REVIEWS).body(body);
        let review: Review = client.typed(&request, ANSWERS_WITHIN).await?;
        if !review.status.allowed {
            lacking.push(need.clone());
        }
    }
    Ok(lacking)
}

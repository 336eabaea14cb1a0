//! Asking the API server to evict a pod, as a drain does: it may refuse for a budget's sake.

use serde_json::json;

use super::FaultError;
use super::object::{delete_options, read};
use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::host::{Host, HostError};
use crate::model::cluster::ObjectIdentity;
use crate::model::history::Finding;
use crate::model::units::Span;

/// What the server made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evicted {
    Yes,
    /// A `PodDisruptionBudget` does not allow it now. Told as a finding.
    Refused,
}

/// What is wrong with a grace, in words.
pub(super) fn wrong_grace(grace: Option<Span>) -> Vec<String> {
    let wrong = grace.is_some_and(|grace| grace.0.subsec_nanos() != 0);
    wrong.then(|| "a grace is in whole seconds; write `1s`".to_owned()).into_iter().collect()
}

/// Asks once, for that very pod. Errors: `Void` when it is gone or was replaced.
pub(super) fn evict(
    host: &mut dyn Host,
    pod: &ObjectIdentity,
    grace: Option<u64>,
) -> Result<Evicted, FaultError> {
    let body = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "deleteOptions": delete_options(pod, grace),
    });
    let path = format!("{}/eviction", pod.path());
    let gone = || FaultError::Void(format!("{} is gone, or was replaced", pod.words()));
    match host.ask(&pod.cluster, &ApiRequest::new(ApiVerb::Create, path).body(body)) {
        Ok(_) => Ok(Evicted::Yes),
        Err(HostError::Refused { why, budget: true }) => {
            host.find(Finding::EvictionRefused { pod: name(pod), why });
            Ok(Evicted::Refused)
        }
        Err(HostError::Gone(_)) => Err(gone()),
        Err(HostError::Refused { why, budget }) => match read(host, pod)? {
            None => Err(gone()),
            Some(_) => Err(HostError::Refused { why, budget }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// `shop/web-1`.
fn name(pod: &ObjectIdentity) -> String {
    format!("{}/{}", pod.namespace.as_deref().unwrap_or_default(), pod.name)
}

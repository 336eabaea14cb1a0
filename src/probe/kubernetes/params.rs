//! What is asked, and of whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::cluster::ApiRequest;

/// One workload, Service or Lease, `NAMESPACE/NAME`, and at least one thing to be true of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// The context of the kubeconfig; the drill's only cluster unless told. A target must be in it.
    #[serde(default)]
    pub context: Option<String>,
    #[serde(default)]
    pub deployment: Option<String>,
    #[serde(default)]
    pub stateful_set: Option<String>,
    #[serde(default)]
    pub daemon_set: Option<String>,
    /// Of a workload: so many of its pods are ready.
    #[serde(default)]
    pub ready_at_least: Option<u32>,
    /// Of a workload: its newest template is everywhere, and every pod available.
    #[serde(default)]
    pub rollout_complete: bool,
    /// Of a workload: its containers were restarted no more often in their lives.
    #[serde(default)]
    pub restarts_at_most: Option<u32>,
    #[serde(default)]
    pub service: Option<String>,
    /// Of a Service: so many endpoints get traffic.
    #[serde(default)]
    pub endpoints_at_least: Option<u32>,
    /// A Lease; somebody must hold it and go on renewing it.
    #[serde(default)]
    pub lease: Option<String>,
}

/// The request of every slot, and what its answer must say.
pub struct Asked {
    pub request: ApiRequest,
    /// Where the pods of the namespace are listed.
    pub pods: String,
    pub wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub ready_at_least: Option<u32>,
    pub rollout_complete: bool,
    pub restarts_at_most: Option<u32>,
    pub endpoints_at_least: Option<u32>,
    /// It is a Lease, and somebody must hold it.
    pub held: bool,
}

impl Params {
    /// Errors: in words, with the remedy after `; `.
    pub fn asked(&self) -> Result<Asked, String> {
        let things = [
            ("deployments", &self.deployment),
            ("statefulsets", &self.stateful_set),
            ("daemonsets", &self.daemon_set),
            ("service", &self.service),
            ("leases", &self.lease),
        ];
        let given = || things.iter().filter_map(|(kind, name)| Some((*kind, name.as_ref()?)));
        let (Some((kind, name)), 1) = (given().next(), given().count()) else {
            return Err("it asks of one thing; give one of `deployment`, `statefulSet`, \
                        `daemonSet`, `service`, `lease`"
                .to_owned());
        };
        let two = name.split_once('/').filter(|(namespace, name)| {
            !namespace.is_empty() && !name.is_empty() && !name.contains('/')
        });
        let (namespace, name) = two.ok_or_else(|| {
            format!("`{name}` does not say in which namespace; write NAMESPACE/NAME")
        })?;
        self.check(kind)?;
        Ok(Asked {
            request: request(kind, namespace, name),
            pods: format!("/api/v1/namespaces/{namespace}/pods"),
            wanted: Wanted {
                ready_at_least: self.ready_at_least,
                rollout_complete: self.rollout_complete,
                restarts_at_most: self.restarts_at_most,
                endpoints_at_least: self.endpoints_at_least,
                held: kind == "leases",
            },
        })
    }

    /// Does what is wanted fit what is asked?
    fn check(&self, kind: &str) -> Result<(), String> {
        let of_workload = self.ready_at_least.is_some()
            || self.rollout_complete
            || self.restarts_at_most.is_some();
        let of_service = self.endpoints_at_least.is_some();
        match kind {
            "service" if of_workload => {
                Err("a Service has endpoints only; give `endpointsAtLeast`".to_owned())
            }
            "service" if !of_service => {
                Err("nothing is wanted of the Service; give `endpointsAtLeast`".to_owned())
            }
            "leases" if of_workload || of_service => {
                Err("a Lease is held or not; take the other conditions out".to_owned())
            }
            "service" | "leases" => Ok(()),
            _ if of_service => {
                Err("a workload has no endpoints; ask its Service of them".to_owned())
            }
            _ if !of_workload => Err("nothing is wanted of the workload; give `readyAtLeast`, \
                                      `rolloutComplete` or `restartsAtMost`"
                .to_owned()),
            _ => Ok(()),
        }
    }
}

fn request(kind: &str, namespace: &str, name: &str) -> ApiRequest {
    if kind == "service" {
        let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        let of = format!("kubernetes.io/service-name={name}");
        return ApiRequest::get(path).with("labelSelector", of);
    }
    let group = if kind == "leases" { "coordination.k8s.io" } else { "apps" };
    ApiRequest::get(format!("/apis/{group}/v1/namespaces/{namespace}/{kind}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<Asked, String> {
        serde_saphyr::from_str::<Params>(text).unwrap().asked()
    }

    #[test]
    fn one_thing_is_asked_of_what_it_has() {
        for (text, path) in [
            (
                "{deployment: shop/web, readyAtLeast: 2}",
                "/apis/apps/v1/namespaces/shop/deployments/web",
            ),
            (
                "{daemonSet: kube-system/proxy, rolloutComplete: true}",
                "/apis/apps/v1/namespaces/kube-system/daemonsets/proxy",
            ),
            ("{lease: shop/l}", "/apis/coordination.k8s.io/v1/namespaces/shop/leases/l"),
            (
                "{service: shop/web, endpointsAtLeast: 1}",
                "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
            ),
        ] {
            assert_eq!(asked(text).map(|asked| asked.request.path).unwrap(), path);
        }
        for (text, says) in [
            ("{readyAtLeast: 2}", "one thing"),
            ("{deployment: a/b, service: a/b, readyAtLeast: 2}", "one thing"),
            ("{deployment: web, readyAtLeast: 2}", "NAMESPACE/NAME"),
            ("{deployment: a/b/c, readyAtLeast: 2}", "NAMESPACE/NAME"),
            ("{deployment: /web, readyAtLeast: 2}", "NAMESPACE/NAME"),
            ("{deployment: a/b}", "nothing is wanted"),
            ("{deployment: a/b, readyAtLeast: 1, endpointsAtLeast: 1}", "no endpoints"),
            ("{service: a/b}", "nothing is wanted"),
            ("{service: a/b, endpointsAtLeast: 1, rolloutComplete: true}", "endpoints only"),
            ("{lease: a/b, restartsAtMost: 1}", "held or not"),
        ] {
            let why = asked(text).map(|_| ()).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}

//! The pods among which targets are found, listed once: a plan over ten thousand pods asks for them
//! once, and looks them up by namespace, node and workload.

use std::collections::{BTreeMap, BTreeSet};

use super::found::Look;
use super::pods;
use super::things::Pod;
use crate::host::kube::ApiError;
use crate::model::selector::Selector;

/// Every pod of some namespaces, or of the whole cluster, that has not ended.
#[derive(Default)]
pub struct Around {
    pods: Vec<Pod>,
    namespaces: BTreeMap<String, Vec<usize>>,
    nodes: BTreeMap<String, Vec<usize>>,
    workloads: BTreeMap<String, Vec<usize>>,
}

impl Around {
    /// Lists what the selectors may mean and what falls with it. `everywhere`: nodes may be hit.
    pub async fn list<'a>(
        look: &Look<'_>,
        selectors: impl Iterator<Item = &'a Selector>,
        everywhere: bool,
    ) -> Result<Around, ApiError> {
        let mut namespaces: BTreeSet<&str> = BTreeSet::new();
        let mut everywhere = everywhere;
        for selector in selectors {
            match selector {
                Selector::Nodes(_) => everywhere = true,
                Selector::Pods(_) | Selector::Workload(_) => {
                    namespaces.extend(selector.namespace());
                }
                Selector::Lab(_) | Selector::Object(_) => {}
            }
        }
        if everywhere {
            return Ok(Around::of(pods::all(look, None).await?));
        }
        let mut all = Vec::new();
        for namespace in namespaces {
            all.extend(pods::all(look, Some(namespace)).await?);
        }
        Ok(Around::of(all))
    }

    fn of(mut pods: Vec<Pod>) -> Around {
        pods.retain(|pod| !pod.has_ended());
        let mut around = Around { pods, ..Around::default() };
        for (place, pod) in around.pods.iter().enumerate() {
            let namespace = pod.metadata.namespace.clone();
            around.namespaces.entry(namespace).or_default().push(place);
            around.nodes.entry(pod.spec.node_name.clone()).or_default().push(place);
            around.workloads.entry(pod.service()).or_default().push(place);
        }
        around
    }

    pub fn in_namespace(&self, name: &str) -> impl Iterator<Item = &Pod> {
        self.at(self.namespaces.get(name))
    }

    pub fn on_node(&self, name: &str) -> impl Iterator<Item = &Pod> {
        self.at(self.nodes.get(name))
    }

    /// By what its pods are counted by: `deployment shop/web`.
    pub fn of_workload(&self, service: &str) -> impl Iterator<Item = &Pod> {
        self.at(self.workloads.get(service))
    }

    /// Ready pods of each workload.
    pub fn ready(&self) -> BTreeMap<String, usize> {
        let ready = |(service, places): (&String, &Vec<usize>)| {
            let count =
                self.at(Some(places)).filter(|pod| pod.is_ready() && !pod.is_over()).count();
            (service.clone(), count)
        };
        self.workloads.iter().map(ready).collect()
    }

    fn at(&self, places: Option<&Vec<usize>>) -> impl Iterator<Item = &Pod> {
        places.into_iter().flatten().filter_map(|place| self.pods.get(*place))
    }
}

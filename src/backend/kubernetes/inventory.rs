//! What a plan has to know of one cluster: everything that its targets find, and who answers for
//! the namespaces and nodes that they are in.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::found::Look;
use super::things::{ENVIRONMENT, Thing};
use crate::host::cluster::ApiRequest;
use crate::host::kube::{ApiClient, ApiError};
use crate::model::cluster::{ClusterIdentity, ObjectIdentity, PlannedCluster, Resource};
use crate::model::inventory::Candidate;
use crate::model::selector::Selector;

/// A list of ten thousand pods comes in pages; this is for one.
const PAGE_WITHIN: Duration = Duration::from_secs(10);

/// Where a cluster is reached, and what is looked for in it.
pub struct Wanted<'a> {
    pub kubeconfig: &'a Path,
    pub context: &'a str,
    /// Is it the lab's own?
    pub lab: bool,
    /// Does the plan have others beside it?
    pub several: bool,
    pub selectors: BTreeMap<&'a str, &'a Selector>,
}

/// Looks once. Errors: the server cannot be reached, or may not be asked.
pub async fn inventory(wanted: &Wanted<'_>) -> Result<PlannedCluster, ApiError> {
    let client = ApiClient::open(wanted.kubeconfig, wanted.context).await?;
    let uid = client.uid(PAGE_WITHIN).await?;
    let version = client.version(PAGE_WITHIN).await?;
    let cluster = ClusterIdentity { context: wanted.context.to_owned(), uid };
    let mut look = Look::at(&client, &cluster, PAGE_WITHIN).await?;
    look.prefix = wanted.several;
    let mut planned = PlannedCluster {
        cluster: cluster.clone(),
        kubeconfig: wanted.kubeconfig.display().to_string(),
        lab: wanted.lab,
        version,
        found: BTreeMap::new(),
        population: Vec::new(),
        environments: BTreeMap::new(),
        timers: BTreeMap::new(),
    };
    let mut population: BTreeMap<_, Candidate> = BTreeMap::new();
    for (target, selector) in &wanted.selectors {
        let found = look.find(selector, true).await?;
        let names = found.candidates.iter().map(|candidate| candidate.name.clone()).collect();
        planned.found.insert((*target).to_owned(), names);
        for candidate in found.candidates.into_iter().chain(found.beside) {
            population.insert(candidate.name.clone(), candidate);
        }
    }
    let objects = planned.found.values().flatten().filter_map(|name| population.get(name));
    let owners = objects.filter_map(|candidate| candidate.object.as_ref()).map(owner);
    for (owner, path) in owners.collect::<BTreeMap<_, _>>() {
        let thing: Thing = client.typed(&ApiRequest::get(path), PAGE_WITHIN).await?;
        planned.environments.insert(owner, thing.metadata.labels.get(ENVIRONMENT).cloned());
    }
    planned.population = population.into_values().collect();
    Ok(planned)
}

/// Who answers for an object, and where that is read.
fn owner(object: &ObjectIdentity) -> (String, String) {
    match &object.namespace {
        Some(name) => (format!("namespace {name}"), format!("/api/v1/namespaces/{name}")),
        None => (object.words(), format!("{}/{}", Resource::Node.path(None), object.name)),
    }
}

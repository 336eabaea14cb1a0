//! What a plan has to know of one cluster: everything that its targets find, and who answers for
//! the namespaces and nodes that they are in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::around::Around;
use super::found::{Look, NODE};
use super::things::{ENVIRONMENT, Thing};
use super::timing;
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
    /// May its nodes be hit as hosts of the lab?
    pub with_hosts: bool,
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
    for selector in wanted.selectors.values() {
        check_namespace(&look, selector).await?;
    }
    let around = Around::list(&look, wanted.selectors.values().copied(), wanted.with_hosts).await?;
    let mut planned = PlannedCluster {
        cluster: cluster.clone(),
        kubeconfig: wanted.kubeconfig.display().to_string(),
        lab: wanted.lab,
        version,
        found: BTreeMap::new(),
        population: Vec::new(),
        environments: BTreeMap::new(),
        timers: BTreeMap::new(),
        everything: BTreeMap::new(),
        ready: around.ready(),
    };
    planned.ready.insert(NODE.to_owned(), look.ready_nodes);
    let mut population: BTreeMap<_, Candidate> = BTreeMap::new();
    let mut add = |candidates: Vec<Candidate>| {
        population.extend(candidates.into_iter().map(|one| (one.name.clone(), one)));
    };
    for (target, selector) in &wanted.selectors {
        let found = look.find(selector, Some(&around)).await;
        let found = found.map_err(|error| of_target(target, error))?;
        let names = found.candidates.iter().map(|candidate| candidate.name.clone()).collect();
        planned.found.insert((*target).to_owned(), names);
        planned.everything.extend(found.everything.map(|all| ((*target).to_owned(), all)));
        add(found.beside);
        add(found.candidates);
        if let Selector::Workload(one) = selector {
            timing::of_workload(&look, one, &mut planned.timers).await?;
        }
    }
    if wanted.with_hosts {
        add(look.hosts(&around));
    }
    let objects = planned.found.values().flatten().filter_map(|name| population.get(name));
    let owners = objects.filter_map(|candidate| candidate.object.as_ref()).map(owner);
    for (owner, path) in owners.collect::<BTreeMap<_, _>>() {
        let thing: Thing = client.typed(&ApiRequest::get(path), PAGE_WITHIN).await?;
        planned.environments.insert(owner, thing.metadata.labels.get(ENVIRONMENT).cloned());
    }
    planned.population = population.into_values().collect();
    keep_timers(&look, &around, &mut planned).await?;
    // Of what is not counted nobody asks how it is.
    let counted: BTreeSet<&str> = planned.population.iter().map(|c| c.service.as_str()).collect();
    planned.ready.retain(|service, _| counted.contains(service.as_str()));
    Ok(planned)
}

/// Of the workloads that are counted, and of the first node that is.
async fn keep_timers(
    look: &Look<'_>,
    around: &Around,
    planned: &mut PlannedCluster,
) -> Result<(), ApiError> {
    let counted: BTreeSet<&str> = planned.population.iter().map(|c| c.service.as_str()).collect();
    for workload in &counted {
        timing::of_pods(around.of_workload(workload).take(1), &mut planned.timers);
    }
    let node = planned.population.iter().find(|c| c.resource() == Some(Resource::Node));
    match node {
        Some(node) => timing::of_node(look, &node.host.name, &mut planned.timers).await,
        None => Ok(()),
    }
}

/// Errors: it is not there, or is being deleted and takes everything in it along.
async fn check_namespace(look: &Look<'_>, selector: &Selector) -> Result<(), ApiError> {
    let Some(name) = selector.namespace() else { return Ok(()) };
    let request = ApiRequest::get(format!("/api/v1/namespaces/{name}"));
    match look.client.typed::<Thing>(&request, look.within).await {
        Ok(thing) if thing.metadata.deletion_timestamp.is_some() => Err(ApiError::NotNow(format!(
            "plan for namespace {name}: it is being deleted, with everything in it"
        ))),
        Ok(_) => Ok(()),
        Err(ApiError::NotFound { .. }) => {
            let all = ApiRequest::get("/api/v1/namespaces");
            let all: Vec<Thing> = look.client.list(&all, look.within).await.unwrap_or_default();
            let known: Vec<String> = all.into_iter().map(|thing| thing.metadata.name).collect();
            let context = look.client.context();
            let known = known.join(", ");
            let why = format!("find namespace {name} in cluster {context}, which has {known}");
            Err(ApiError::Unusable(why))
        }
        Err(error) => Err(error),
    }
}

/// What the server does not understand stands in the file.
fn of_target(target: &str, error: ApiError) -> ApiError {
    match error {
        ApiError::Refused { code: 400 | 422, why, .. } => ApiError::Unusable(format!(
            "use spec.targets.{target}: the API server does not take its selector: {why}"
        )),
        other => other,
    }
}

/// Who answers for an object, and where that is read.
fn owner(object: &ObjectIdentity) -> (String, String) {
    match &object.namespace {
        Some(name) => (format!("namespace {name}"), format!("/api/v1/namespaces/{name}")),
        None => (object.words(), format!("{}/{}", Resource::Node.path(None), object.name)),
    }
}

//! The facts that rules ask for, found out before a drill. What nobody knows stays unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::guard::{Facts, Marker, Running};
use crate::injection::journal::store;
use crate::injection::recovery;
use crate::model::cluster::{PlannedCluster, Resource};
use crate::model::id::DrillId;
use crate::model::inventory::{Candidate, InstanceName};
use crate::model::plan::Plan;

use super::approval;
use super::failure::Failure;
use super::prepare::Prepared;
use super::seat::{self, Door};
use super::state::StateFolder;
use super::surroundings::runner;
use crate::host::linux::holders;

/// `attached`: to a lab that others may use too; else the lab is ours alone.
pub fn facts(
    prepared: &Prepared,
    running: Vec<Running>,
    approvals: &[PathBuf],
    attached: bool,
) -> Result<Facts, Failure> {
    let plan = &prepared.plan;
    let is_lab = plan.is_all_ours();
    Ok(Facts {
        now: Some(jiff::Timestamp::now()),
        runner: Some(runner()),
        is_lab: Some(is_lab),
        markers: (is_lab || !plan.clusters.is_empty()).then(|| markers(plan)),
        approvals: Some(approvals.iter().map(|p| approval::read(p)).collect::<Result<_, _>>()?),
        running: Some(running),
        places: Some(places(plan, attached)),
        healthy: Some(healthy(plan)),
        opted_in: Some(opted_in(plan)),
    })
}

/// What the owners of namespaces and nodes have set, of clusters that are not a lab's.
fn markers(plan: &Plan) -> Vec<Marker> {
    let standing = plan.clusters.iter().filter(|cluster| !cluster.lab);
    let marker = |(owner, environment): (&String, &Option<String>)| Marker {
        owner: owner.clone(),
        environment: environment.clone(),
    };
    standing.flat_map(|cluster| cluster.environments.iter().map(marker)).collect()
}

/// A lab is its own owner; a pod's owner agrees by an annotation.
fn opted_in(plan: &Plan) -> BTreeSet<InstanceName> {
    let lab = plan.lab.iter().flat_map(|lab| &lab.candidates).map(|c| c.name.clone());
    let found = |cluster: &PlannedCluster| {
        let agreed = cluster.population.iter().filter(|c| cluster.lab || c.opted_in);
        agreed.map(|c| c.name.clone()).collect::<Vec<_>>()
    };
    lab.chain(plan.clusters.iter().flat_map(found)).collect()
}

/// A lab of our own is nobody else's place.
fn places(plan: &Plan, attached: bool) -> BTreeSet<String> {
    let lab = plan.lab.as_ref().filter(|_| attached).map(|lab| format!("lab {}", lab.name));
    lab.into_iter().chain(cluster_places(plan)).collect()
}

/// The workloads that may be hit, each by the UID of its cluster.
#[must_use]
pub fn cluster_places(plan: &Plan) -> BTreeSet<String> {
    let place = |candidate: &Candidate| {
        let object = candidate.object.as_ref()?;
        let node = object.resource == Resource::Node;
        let what = if node { object.words() } else { candidate.service.clone() };
        Some(format!("{what} of cluster {:.8}", object.cluster.uid))
    };
    plan.may_hit().filter_map(place).collect()
}

/// Every instance of a lab must be ready before the steady state is watched; of pods and nodes
/// those count that were ready when the plan was made.
fn healthy(plan: &Plan) -> BTreeMap<String, usize> {
    let mut healthy = BTreeMap::new();
    for candidate in plan.lab.iter().flat_map(|lab| &lab.candidates) {
        *healthy.entry(candidate.service.clone()).or_insert(0) += 1;
    }
    for (service, ready) in plan.clusters.iter().flat_map(|cluster| &cluster.ready) {
        *healthy.entry(service.clone()).or_insert(0) += ready;
    }
    healthy
}

/// Drills that live, those included whose lab is still coming up; what dead ones left was undone
/// before anybody asks.
pub fn running(state: &StateFolder, door: &Door) -> Result<Vec<Running>, Failure> {
    // In this order: a drill has its seat for as long as its journal, and longer.
    let live = recovery::find(&state.journals())?.live;
    let begun = live.iter().filter_map(|drill| described(state, drill).transpose());
    Ok(with(begun.collect::<Result<_, _>>()?, door.seated()?))
}

/// The same without taking or removing a journal, for who changes nothing: a drill lives while
/// somebody holds its journal.
pub fn seen_running(state: &StateFolder) -> Result<Vec<Running>, Failure> {
    let journals = store::list(&state.journals())?;
    let live = journals.iter().filter(|(_, path)| !holders::of(path).is_empty());
    let begun = live.filter_map(|(drill, _)| described(state, drill).transpose());
    Ok(with(begun.collect::<Result<_, _>>()?, seat::seen_seated(&state.seats())?))
}

/// A drill that has a journal says itself what it touches.
fn with(mut begun: Vec<Running>, seated: Vec<Running>) -> Vec<Running> {
    for one in seated {
        if begun.iter().all(|other| other.drill != one.drill) {
            begun.push(one);
        }
    }
    begun
}

/// None: it vanished since it was found, and so has just ended.
fn described(state: &StateFolder, drill: &DrillId) -> Result<Option<Running>, Failure> {
    let contents = store::peek_if_there(&state.journals().join(drill.as_str()))?;
    let Some(contents) = contents else { return Ok(None) };
    let Some(opened) = contents.opened else {
        return Ok(Some(Running { drill: drill.to_string(), places: BTreeSet::new() }));
    };
    let lab = opened.lab.map(|lab| format!("lab {}", lab.name));
    let places = lab.into_iter().chain(opened.places).collect();
    Ok(Some(Running { drill: drill.to_string(), places }))
}

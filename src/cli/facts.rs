//! The facts that rules ask for, found out before a drill. What nobody knows stays unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::guard::{Facts, Running};
use crate::injection::journal::store;
use crate::injection::recovery;
use crate::model::id::DrillId;
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
    let is_lab = plan.lab.is_some();
    Ok(Facts {
        now: Some(jiff::Timestamp::now()),
        runner: Some(runner()),
        is_lab: Some(is_lab),
        markers: is_lab.then(Vec::new),
        approvals: Some(approvals.iter().map(|p| approval::read(p)).collect::<Result<_, _>>()?),
        running: Some(running),
        places: is_lab.then(|| places(plan, attached)),
        healthy: is_lab.then(|| healthy(plan)),
        opted_in: plan
            .lab
            .as_ref()
            .map(|lab| lab.candidates.iter().map(|c| c.name.clone()).collect()),
    })
}

/// A lab of our own is nobody else's place.
fn places(plan: &Plan, attached: bool) -> BTreeSet<String> {
    let lab = plan.lab.as_ref().filter(|_| attached);
    lab.map(|lab| format!("lab {}", lab.name)).into_iter().collect()
}

/// Every instance of a lab must be ready before the steady state is watched.
fn healthy(plan: &Plan) -> BTreeMap<String, usize> {
    let mut healthy = BTreeMap::new();
    for candidate in plan.lab.iter().flat_map(|lab| &lab.candidates) {
        *healthy.entry(candidate.service.clone()).or_insert(0) += 1;
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
    let lab = contents.opened.and_then(|opened| opened.lab);
    let places = lab.map(|lab| format!("lab {}", lab.name)).into_iter().collect();
    Ok(Some(Running { drill: drill.to_string(), places }))
}

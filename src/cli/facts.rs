//! The facts that rules ask for, found out before a drill. What nobody knows stays unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::guard::{Facts, Running};
use crate::injection::journal::store;
use crate::injection::recovery;
use crate::model::plan::Plan;

use super::approval;
use super::failure::Failure;
use super::prepare::Prepared;
use super::state::StateFolder;
use super::surroundings::runner;

/// `attached`: to a lab that others may use too; else the lab is ours alone.
pub fn facts(
    prepared: &Prepared,
    state: &StateFolder,
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
        running: Some(running(state)?),
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

/// Drills that live; what dead ones left was undone before anybody asks.
fn running(state: &StateFolder) -> Result<Vec<Running>, Failure> {
    let mut running = Vec::new();
    for drill in recovery::find(&state.journals())?.live {
        // One that vanished since it was found has just ended.
        let Ok(contents) = store::peek(&state.journals().join(drill.as_str())) else { continue };
        let lab = contents.opened.and_then(|opened| opened.lab);
        let places = lab.map(|lab| format!("lab {}", lab.name)).into_iter().collect();
        running.push(Running { drill: drill.to_string(), places });
    }
    Ok(running)
}

//! A map out of the reports of its drills: who was hurt, and whether the map's claims hold.
//!
//! Nothing is measured here: a cell is the claim of its drill about its journey. What was not
//! measured hurts nobody and spares nobody: it is inconclusive, and so is a claim about it.

use std::collections::BTreeMap;

use crate::model::blast::{
    BLAST_VERSION, BlastClaim, BlastClaimReport, BlastMap, BlastReport, Cell, Effect, Loss,
    Survives,
};
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::model::verdict::{ClaimReport, Outage, ProbeReport, Report};

/// The claim that every drill of a map makes of every journey.
const CLAIM: &str = "longestOutage";

/// What is known of a series beside its drills.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub squall: String,
    /// RFC 3339 with offset.
    pub started: String,
    pub seed: u64,
}

/// The row of a service whose drill came to an end. `folder` is where its report lies.
#[must_use]
pub fn loss(service: &str, report: &Report, folder: &str) -> Loss {
    let first = report.injections.first();
    let ends = first.and_then(|i| Some((i.effective_seconds?, i.gone_seconds?)));
    let cells = report.probes.iter().map(|(name, probe)| {
        let claim = report.claims.iter().find(|c| c.check == CLAIM && c.probe == *name);
        (name.clone(), cell(claim, probe))
    });
    Loss {
        service: service.to_owned(),
        what: first.map(|injection| injection.summary.clone()).unwrap_or_default(),
        drill: report.drill.clone(),
        folder: folder.to_owned(),
        outcome: Some(report.verdict),
        reason: report.reason.clone(),
        in_force_seconds: ends.map(|(from, to)| to - from),
        cells: cells.collect(),
    }
}

/// The row of a service that was not lost, and why not.
#[must_use]
pub fn spared(service: &str, why: &str) -> Loss {
    Loss {
        service: service.to_owned(),
        what: String::new(),
        drill: String::new(),
        folder: String::new(),
        outcome: None,
        reason: why.to_owned(),
        in_force_seconds: None,
        cells: BTreeMap::new(),
    }
}

fn cell(claim: Option<&ClaimReport>, probe: &ProbeReport) -> Cell {
    let effect = match claim.map(|claim| claim.verdict) {
        Some(ClaimVerdict::Held) => Effect::Unhurt,
        Some(ClaimVerdict::Deviated) => Effect::Hurt,
        Some(ClaimVerdict::Inconclusive) | None => Effect::Inconclusive,
    };
    let length = |outage: &&Outage| outage.length_seconds;
    let longest = probe.outages.iter().max_by(|a, b| length(a).total_cmp(&length(b)));
    let most = longest.and_then(|outage| outage.errors.iter().max_by_key(|(_, count)| **count));
    Cell {
        effect,
        unavailable_percent: probe.availability_by_request.map(|good| 100.0 - good),
        longest_seconds: longest.map(|outage| outage.length_seconds),
        error_seconds: longest.map(|outage| outage.error_seconds),
        ended: longest.is_none_or(|outage| outage.ended),
        error: most.map(|(class, _)| class.clone()),
        finding: claim.map(|claim| claim.finding.clone()).unwrap_or_default(),
    }
}

/// The whole map. `losses` are in the order of the map's services.
#[must_use]
pub fn map(map: &BlastMap, losses: Vec<Loss>, series: Series) -> BlastReport {
    let claims: Vec<BlastClaimReport> = map
        .claims
        .iter()
        .map(|claim| match claim {
            BlastClaim::Survives(survives) => survives_report(survives, &losses),
        })
        .collect();
    let (verdict, reason) = verdict(map, &losses, &claims);
    BlastReport {
        version: BLAST_VERSION,
        map: map.name.clone(),
        title: map.title.clone(),
        squall: series.squall,
        started: series.started,
        seed: series.seed,
        hurt_by_seconds: map.hurt_by.seconds(),
        journeys: map.journeys.clone(),
        losses,
        claims,
        verdict,
        reason,
    }
}

fn survives_report(survives: &Survives, losses: &[Loss]) -> BlastClaimReport {
    let journey = &survives.journey;
    let cell_of = |service: &String| {
        losses.iter().find(|loss| loss.service == *service).and_then(|loss| loss.cells.get(journey))
    };
    let (mut hurt, mut unknown) = (Vec::new(), Vec::new());
    for service in &survives.losing {
        match cell_of(service) {
            Some(cell) if cell.effect == Effect::Hurt => {
                hurt.push(format!("losing {service} hurt it: {}", cell.finding));
            }
            Some(cell) if cell.effect == Effect::Unhurt => {}
            _ => unknown.push(service.as_str()),
        }
    }
    let (verdict, finding) = if !hurt.is_empty() {
        (ClaimVerdict::Deviated, hurt.join("; "))
    } else if !unknown.is_empty() {
        let why = format!("not known of the loss of {}", unknown.join(", "));
        (ClaimVerdict::Inconclusive, why)
    } else {
        (ClaimVerdict::Held, format!("none of {} hurt it", counted(survives.losing.len())))
    };
    let claim = format!("{journey} survives the loss of {}", survives.losing.join(", "));
    BlastClaimReport { claim, verdict, finding }
}

/// Stuck, deviated, aborted, inconclusive, held: in this order, as a drill's.
fn verdict(map: &BlastMap, losses: &[Loss], claims: &[BlastClaimReport]) -> (Outcome, String) {
    let ended = |outcome: Outcome| losses.iter().find(|loss| loss.outcome == Some(outcome));
    if let Some(loss) = ended(Outcome::Stuck) {
        return (Outcome::Stuck, format!("the loss of {} is stuck: {}", loss.service, loss.reason));
    }
    if let Some(claim) = claims.iter().find(|c| c.verdict == ClaimVerdict::Deviated) {
        return (Outcome::Deviated, format!("not true: {}: {}", claim.claim, claim.finding));
    }
    if let Some(loss) = ended(Outcome::Aborted) {
        return (Outcome::Aborted, format!("the loss of {}: {}", loss.service, loss.reason));
    }
    let unknown = |loss: &&Loss| {
        let known = |journey: &String| {
            loss.cells.get(journey).is_some_and(|cell| cell.effect != Effect::Inconclusive)
        };
        !map.journeys.iter().all(known)
    };
    if let Some(loss) = losses.iter().find(unknown) {
        let why = format!("the loss of {} is not known: {}", loss.service, loss.reason);
        return (Outcome::Inconclusive, why);
    }
    if let Some(claim) = claims.iter().find(|c| c.verdict == ClaimVerdict::Inconclusive) {
        return (Outcome::Inconclusive, format!("{}: {}", claim.claim, claim.finding));
    }
    let hurts = |loss: &&Loss| loss.with(Effect::Hurt, &map.journeys).next().is_some();
    let (all, hurting) = (losses.len(), losses.iter().filter(hurts).count());
    let why = format!("{} lost, one at a time: {hurting} of them hurt somebody", counted(all));
    (Outcome::Held, why)
}

fn counted(services: usize) -> String {
    if services == 1 { "1 service".to_owned() } else { format!("{services} services") }
}

#[cfg(test)]
mod tests;

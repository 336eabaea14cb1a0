//! Everything that checks judge by, put together from the parts of this folder.

use std::collections::BTreeMap;

use super::axis::millis;
use super::hit::{self, Drawn, Hit, Hits};
use super::lag::{self, OwnLag};
use super::probe::{self, ProbeFigures};
use super::role::{self, RoleMoves};
use super::timeline::Timeline;
use super::window::Frame;
use super::{hold, injection, ready, stage, watched};
use crate::judge::JudgeError;
use crate::judge::claim::{Asked, Figure};
use crate::judge::doubt::{Doubt, Weight};
use crate::judge::ledger::ledger;
use crate::model::history::Phase;
use crate::model::plan::Plan;
use crate::model::verdict::{ClaimReport, InjectionReport, RoleSpan, Stage};

/// Everything that checks judge by.
#[derive(Debug, Clone)]
pub struct Measured<'a> {
    pub plan: &'a Plan,
    /// All machinery, no fault.
    pub null: bool,
    pub frame: Frame,
    pub probes: BTreeMap<String, ProbeFigures>,
    pub moves: RoleMoves,
    /// What became of targets in clusters.
    pub hits: Hits<'a>,
    pub stages: Vec<Stage>,
    pub roles: Vec<RoleSpan>,
    pub injections: Vec<InjectionReport>,
    pub lag: OwnLag,
    /// What weakens every claim.
    pub doubts: Vec<Doubt>,
}

impl<'a> Measured<'a> {
    /// Errors: a histogram that cannot be made.
    pub fn of(timeline: &Timeline<'a>) -> Result<Measured<'a>, JudgeError> {
        let plan = &timeline.opened.plan;
        let frame = Frame::of(timeline);
        let lag = lag::own_lag(timeline, &frame);
        let mut probes = BTreeMap::new();
        for (name, spec) in &plan.experiment.probes {
            let slots = timeline.slots.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            let mut figures = probe::figures(spec, slots, &frame)?;
            figures.prober_doubts = prober_doubts(timeline, lag);
            figures.report.ledger = ledger(slots, timeline.reads.get(name.as_str()), &frame);
            probes.insert(name.clone(), figures);
        }
        let moves = role::moves(timeline, &frame);
        let hits = hit::hits(timeline, &frame, &watched::clusters(timeline));
        Ok(Measured {
            plan,
            null: timeline.opened.null,
            stages: stage::stages(timeline, &frame, &probes, &moves, &hits),
            roles: role::spans(timeline, &frame)
                .into_iter()
                .chain(ready::spans(&hits, &frame))
                .collect(),
            injections: injection::injections(timeline, &frame, &moves, &hits),
            doubts: drill_doubts(timeline, &frame),
            frame,
            probes,
            moves,
            hits,
            lag,
        })
    }

    /// Everything that weakens a claim on this probe.
    #[must_use]
    pub fn doubts_on<'m>(&'m self, probe: &'m ProbeFigures) -> Vec<&'m Doubt> {
        self.doubts.iter().chain(&probe.doubts).chain(&probe.prober_doubts).collect()
    }
}

impl Measured<'_> {
    /// Weighs a figure of a probe; without the probe, or without a figure, nothing holds.
    pub fn on_probe(
        &self,
        asked: Asked,
        figure: impl FnOnce(&ProbeFigures) -> Result<Figure, String>,
    ) -> ClaimReport {
        let Some(probe) = self.probes.get(&asked.probe) else {
            let why = format!("the plan has no probe {}", asked.probe);
            return asked.unknown(why);
        };
        match figure(probe) {
            Ok(figure) => asked.weigh(figure, &self.doubts_on(probe)),
            Err(why) => asked.unknown(why),
        }
    }

    /// Weighs a figure of a target in a cluster. Without the target, without a watch of what it
    /// `needs`, and with a gap in the watch before the moment that the figure is drawn from,
    /// nothing is known.
    pub fn on_hit(
        &self,
        asked: Asked,
        (target, needs): (&str, &[&str]),
        draw: impl FnOnce(&Hit) -> Result<Drawn, String>,
    ) -> ClaimReport {
        let hit = match self.hits.get(target) {
            None => return asked.unknown(format!("the plan has no target {target}")),
            Some(Err(why)) => return asked.unknown(why.clone()),
            Some(Ok(hit)) => hit,
        };
        let doubts: Vec<&Doubt> = self.doubts.iter().collect();
        if let Some(void) = doubts.iter().find(|doubt| doubt.weight == Weight::Voids) {
            return asked.unknown(void.why.clone());
        }
        // Who was not watched when the fault came is not looked at.
        if let Err(why) = hit.watched.told(needs, (hit.began_ns, hit.began_ns)) {
            return asked.unknown(why);
        }
        match draw(hit) {
            Err(why) => asked.unknown(why),
            Ok(drawn) => match hit.watched.told(needs, (hit.began_ns, drawn.to_ns)) {
                Err(why) => asked.unknown(format!("{}; {why}", drawn.figure.finding)),
                Ok(()) => asked.weigh(drawn.figure, &doubts),
            },
        }
    }

    /// What weakens a ledger: it is counted, not timed, so slots that were invalid take nothing
    /// from it.
    #[must_use]
    pub fn doubts_on_ledger<'m>(&'m self, probe: &'m ProbeFigures) -> Vec<&'m Doubt> {
        self.doubts.iter().chain(&probe.prober_doubts).collect()
    }
}

fn prober_doubts(timeline: &Timeline, lag: OwnLag) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if let Some(why) = timeline.prober_lost() {
        doubts.push(Doubt::weakens(format!("the prober was lost: {why}")));
    }
    if lag.stalled_too_long {
        let stalled = lag.report.stalled;
        doubts.push(Doubt::weakens(format!("the prober did not run for {stalled:.0} ms")));
    }
    doubts
}

fn drill_doubts(timeline: &Timeline, frame: &Frame) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    if !timeline.closed {
        doubts.push(breaks_off(timeline, frame));
    } else if !frame.in_force {
        doubts.push(Doubt::voids(never_in_force(timeline)));
    }
    if let Some(why) = timeline.cut_short() {
        doubts.push(Doubt::weakens(format!("the drill was cut short: {why}")));
    }
    if frame.in_force && timeline.closed && !frame.complete {
        doubts.push(Doubt::weakens("the history lacks the end of the recovery watch"));
    }
    for (at_ns, _, why) in &timeline.disturbed {
        if (frame.began_ns..=frame.end_ns).contains(at_ns) {
            let at = frame.axis().at(*at_ns);
            doubts.push(Doubt::weakens(format!("disturbed at {at:.3} s: {why}")));
        }
    }
    // Where nothing was in force at all, that is said already.
    if frame.in_force {
        doubts.extend(hold::doubts(timeline));
    }
    doubts
}

/// Whoever wrote the history died: what it does not say may have happened all the same. What it
/// does say of a fault in force stands.
fn breaks_off(timeline: &Timeline, frame: &Frame) -> Doubt {
    let at = frame.axis().at(timeline.last_ns);
    let why = format!("the history breaks off at {at:.3} s; what happened after is not known");
    if frame.in_force { Doubt::weakens(why) } else { Doubt::voids(why) }
}

/// Why a drill that came to its end broke nothing.
fn never_in_force(timeline: &Timeline) -> String {
    const NOTHING: &str = "so nothing was injected";
    let waited = timeline.began(Phase::Steady).is_some();
    let unsteady = timeline.unsteady.is_some() || timeline.began(Phase::Method).is_none();
    if !waited || !unsteady {
        return "no fault was ever in force".to_owned();
    }
    let lag = lag::before_the_method(timeline);
    let stood = format!("the prober did not run for {:.0} ms", millis(lag.stalled_ns));
    if lag.stalled_ns > 0 && !lag.system_failed {
        return format!("the steady state was not seen, {NOTHING}: {stood}");
    }
    let mut why = format!("the steady state was not reached, {NOTHING}");
    if let Some(unsteady) = timeline.unsteady {
        why.push_str(": ");
        why.push_str(unsteady);
    }
    if lag.stalled_ns > 0 {
        why.push_str("; ");
        why.push_str(&stood);
    }
    why
}

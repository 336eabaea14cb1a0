//! Did every fault stay in force for all of its hold? Every claim is about a system that was
//! broken for that long: a hold that ended early, whoever ended it, proves nothing of the rest.
//!
//! There is no tolerance. A hold counts from the moment at which the fault was certainly in force,
//! and its undo is ordered when it is over, so one that ran its course is never shorter.

use super::timeline::Timeline;
use crate::judge::doubt::Doubt;
use crate::judge::words;
use crate::model::experiment::Step;
use crate::model::history::Effective;
use crate::model::id::InjectionId;

/// What weakens every claim: holds that were cut short, and those of which that is not known.
#[must_use]
pub fn doubts(timeline: &Timeline) -> Vec<Doubt> {
    let in_force = timeline.effective.iter().filter_map(|effective| cut(timeline, effective));
    let never = timeline.void.iter().filter(|(id, _)| !was_in_force(timeline, id));
    let never = never.map(|(id, why)| format!("{id} was never in force: {why}"));
    let steps = steps_never_in_force(timeline);
    let never_came = |(number, _)| format!("step {number} of the plan was never in force");
    // Where the history breaks off, that is not known, and is said already.
    let steps = steps.filter(|_| timeline.closed).map(never_came);
    in_force.chain(never).chain(steps).map(Doubt::weakens).collect()
}

/// Steps of the plan that no fault came of, numbered from 1. A null drill breaks nothing on
/// purpose.
pub fn steps_never_in_force<'a>(timeline: &'a Timeline) -> impl Iterator<Item = (usize, &'a Step)> {
    let method =
        if timeline.opened.null { &[][..] } else { &timeline.opened.plan.experiment.method[..] };
    let came = |index| timeline.effective.iter().any(|effective| effective.step == index);
    method.iter().enumerate().filter(move |(index, _)| !came(*index)).map(|(i, s)| (i + 1, s))
}

fn was_in_force(timeline: &Timeline, id: &InjectionId) -> bool {
    timeline.effective.iter().any(|effective| effective.injection == *id)
}

/// Why this injection cannot be relied on to have been in force for all of its hold.
fn cut(timeline: &Timeline, effective: &Effective) -> Option<String> {
    let id = &effective.injection;
    let what = format!("{} on {}", effective.kind, effective.instance);
    if let Some((_, why)) = timeline.void.iter().find(|(void, _)| *void == id) {
        let ended = ended(timeline, effective);
        let held = ended.and_then(|at_ns| short(timeline, effective, at_ns));
        let held = held.unwrap_or_else(|| "held for nobody knows how long".to_owned());
        return Some(format!("{what} {held}, its target is lost: {why}"));
    }
    // What is stuck is in force for longer than asked, and decides the outcome by itself.
    if timeline.stuck.iter().any(|(stuck, _)| *stuck == id) {
        return None;
    }
    match timeline.reverted.iter().find(|reverted| reverted.injection == *id) {
        None => Some(format!("how {what} ended is unknown")),
        Some(reverted) => {
            short(timeline, effective, reverted.gone_ns).map(|held| format!("{what} {held}"))
        }
    }
}

/// When the process of the target ended while the fault was on it, as far as that was seen.
fn ended(timeline: &Timeline, effective: &Effective) -> Option<u64> {
    let theirs = timeline.processes.iter().filter(|(_, who, _)| *who == &effective.instance);
    let ends = theirs.filter(|(at_ns, _, running)| !running && *at_ns >= effective.effective_ns);
    ends.map(|(at_ns, _, _)| *at_ns).min()
}

/// Who is hit because it took the place of another is held for what is left of the step.
fn planned_ns(timeline: &Timeline, step: &Step, effective: &Effective) -> u64 {
    let targets = &timeline.opened.plan.experiment.targets;
    let mut subjects = step.facts.subjects.iter().filter_map(|name| targets.get(name));
    if !subjects.any(|target| target.follow) {
        return step.hold.nanos();
    }
    let of_step = timeline.effective.iter().filter(|other| other.step == effective.step);
    let first = of_step.map(|other| other.effective_ns).min().unwrap_or(effective.effective_ns);
    (first + step.hold.nanos()).saturating_sub(effective.effective_ns)
}

/// `held for 0.8 s of 5 s`; None where it held for all of it.
fn short(timeline: &Timeline, effective: &Effective, gone_ns: u64) -> Option<String> {
    let step = timeline.opened.plan.experiment.method.get(effective.step)?;
    let planned = planned_ns(timeline, step, effective);
    let held_ns = gone_ns.saturating_sub(effective.effective_ns);
    let (held, of) = (words::plain(held_ns), words::plain(planned));
    (held_ns < planned).then(|| format!("held for {held} of {of}"))
}

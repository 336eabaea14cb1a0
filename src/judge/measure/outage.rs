//! Outages: how long each lasted and how well that is known.
//!
//! The length runs from the last good completion before the first slot that was not good to the
//! first good completion after the last one. Completions, not due times: a slot that waits out the
//! end of a stall completes when the stall ends, however long before that it was due.
//!
//! **Error.** Each edge lies between two neighbouring slots, so 2/rate. Where a slot at an edge got
//! no answer within its deadline (`stalls`), the moment at which the silence began to count is one
//! deadline soft. Slots at an edge that are invalid or missing widen it by the time they cover. So
//! do good completions that came in *after* the first failure had been seen: then the service was
//! both up and down for that long.
//!
//! What was seen through somebody else's samples is as old as they are. The last good slot then
//! only says that the service was up when its sample was taken, and the last bad one that it was
//! down at its own: both ages widen their edge, which makes it at least as soft as the samples are
//! apart.
//!
//! **No end.** Without a good slot after it the outage is `ended: false` and its length reaches to
//! the end of the last slot that is known not to be good: a lower bound.

use std::collections::BTreeMap;

use super::axis::{count, length, seconds};
use super::run::{MERGED_GAP, Run, is_outage, runs};
use super::window::Frame;
use crate::model::observation::{ErrorClass, Grade, Observation};
use crate::model::verdict::{Outage, error_key};

/// The beat of a probe.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    pub interval_ns: f64,
    pub deadline_ns: u64,
}

/// An outage and the slots it is made of.
#[derive(Debug, Clone)]
pub struct Found {
    pub run: Run,
    pub outage: Outage,
    /// Seconds of it without a single success.
    pub hard_seconds: f64,
}

/// Where an edge was seen.
struct Edge {
    ns: u64,
    /// By how much it is softer than 1/rate, nanoseconds.
    wider_ns: f64,
}

/// Every outage that touches the window. `slots` are all slots due before the window's end, in the
/// order of their due times.
#[must_use]
pub fn outages(slots: &[&Observation], beat: Beat, frame: &Frame) -> Vec<Found> {
    runs(slots)
        .into_iter()
        .filter(|run| slots[run.last].due_ns >= frame.began_ns)
        .filter(|run| is_outage(*run, slots, beat.deadline_ns))
        .map(|run| found(run, slots, beat, frame))
        .collect()
}

fn found(run: Run, slots: &[&Observation], beat: Beat, frame: &Frame) -> Found {
    let from = last_good_before(run, slots, beat);
    let end = first_good_after(run, slots, beat);
    let stalls = stalled(slots[run.first], beat) || stalled(slots[run.last], beat);
    let to_ns = end.as_ref().map_or(slots[run.last].done_ns.min(frame.end_ns), |edge| edge.ns);
    // What was out before the fault is not the fault's: only its part in the window counts.
    let counted_from_ns =
        if frame.precedes(slots[run.first], beat) { from.ns.max(frame.zero_ns) } else { from.ns };
    let softness_ns = from.wider_ns
        + end.as_ref().map_or(0.0, |edge| edge.wider_ns)
        + aged(slots[run.last])
        + if stalls { count(beat.deadline_ns) } else { 0.0 };
    let successes = successes(run, slots);
    let span_ns = to_ns.saturating_sub(counted_from_ns);
    let axis = frame.axis();
    Found {
        run,
        hard_seconds: seconds(silent_ns(counted_from_ns, to_ns, &successes, beat)),
        outage: Outage {
            from_seconds: axis.at(from.ns),
            to_seconds: axis.at(to_ns),
            length_seconds: seconds(span_ns),
            error_seconds: (2.0 * beat.interval_ns + softness_ns) / 1e9,
            slots: length(not_good(run, slots).count()),
            ended: end.is_some(),
            hard: successes.is_empty(),
            errors: errors(not_good(run, slots)),
            character: character(slots[run.last], stalls).to_owned(),
        },
    }
}

/// Which rule gave the error.
fn character(last: &Observation, stalls: bool) -> &'static str {
    match last.age_ns {
        Some(_) => "samples",
        None if stalls => "stalls",
        None => "refusals",
    }
}

fn not_good<'a>(run: Run, slots: &'a [&Observation]) -> impl Iterator<Item = &'a Observation> {
    let inside = slots[run.first..=run.last].iter().copied();
    inside.filter(|slot| matches!(slot.grade, Grade::Late | Grade::Bad))
}

/// Did this slot get no answer at all within its deadline?
fn stalled(slot: &Observation, beat: Beat) -> bool {
    slot.grade == Grade::Late
        || slot.error == Some(ErrorClass::Timeout)
        || slot.done_ns.saturating_sub(slot.due_ns) > beat.deadline_ns
}

/// How old what a slot saw was, nanoseconds.
pub fn aged(slot: &Observation) -> f64 {
    slot.age_ns.map_or(0.0, count)
}

/// The last good completion before the first failure was seen.
fn last_good_before(run: Run, slots: &[&Observation], beat: Beat) -> Edge {
    let first = slots[run.first];
    let before = slots[..run.first].iter().rev().filter(|slot| slot.grade != Grade::Invalid);
    let Some(neighbour) = before.clone().next() else {
        return Edge { ns: first.due_ns, wider_ns: 0.0 };
    };
    let mut last_ns: Option<u64> = None;
    let mut after_failure_ns = first.done_ns;
    for slot in before.filter(|slot| slot.grade == Grade::Good) {
        // A good slot completes within its deadline: older ones cannot complete later than this.
        if last_ns.is_some_and(|last| slot.due_ns + beat.deadline_ns < last) {
            break;
        }
        if slot.done_ns <= first.done_ns {
            last_ns = last_ns.max(Some(slot.done_ns));
        } else {
            after_failure_ns = after_failure_ns.max(slot.done_ns);
        }
    }
    Edge {
        ns: last_ns.unwrap_or(first.due_ns),
        wider_ns: unseen_ns(neighbour.slot, first.slot, beat)
            + aged(neighbour)
            + count(after_failure_ns - first.done_ns),
    }
}

/// The first good completion among the slots due after the run.
fn first_good_after(run: Run, slots: &[&Observation], beat: Beat) -> Option<Edge> {
    let after = slots[run.last + 1..].iter().filter(|slot| slot.grade == Grade::Good);
    let neighbour = after.clone().next()?;
    let mut first_ns = neighbour.done_ns;
    for slot in after {
        if slot.due_ns >= first_ns {
            break;
        }
        first_ns = first_ns.min(slot.done_ns);
    }
    Some(Edge { ns: first_ns, wider_ns: unseen_ns(slots[run.last].slot, neighbour.slot, beat) })
}

/// The time that invalid and missing slots between two neighbours cover.
fn unseen_ns(before: u64, after: u64, beat: Beat) -> f64 {
    count(after.saturating_sub(before).saturating_sub(1)) * beat.interval_ns
}

/// When the service answered rightly in the midst of an outage, in order: a good slot, or a late
/// answer that came while later slots were still failing.
fn successes(run: Run, slots: &[&Observation]) -> Vec<u64> {
    let last_due_ns = slots[run.last].due_ns;
    let mut done: Vec<u64> = slots[run.first..=run.last]
        .iter()
        .filter(|slot| match slot.grade {
            Grade::Good => true,
            Grade::Late => slot.done_ns < last_due_ns,
            Grade::Bad | Grade::Invalid => false,
        })
        .map(|slot| slot.done_ns)
        .collect();
    done.sort_unstable();
    done
}

/// Silences in an outage that a run of slots would not bridge: hard-down. The rest is brown-out.
fn silent_ns(from_ns: u64, to_ns: u64, successes: &[u64], beat: Beat) -> u64 {
    if successes.is_empty() {
        return to_ns.saturating_sub(from_ns);
    }
    let bridged_ns = count(MERGED_GAP + 1) * beat.interval_ns;
    let ends = successes.iter().copied().chain([to_ns]);
    let mut since_ns = from_ns;
    let mut silent_ns = 0;
    for at_ns in ends {
        let gap_ns = at_ns.min(to_ns).saturating_sub(since_ns);
        if count(gap_ns) > bridged_ns {
            silent_ns += gap_ns;
        }
        since_ns = since_ns.max(at_ns);
    }
    silent_ns
}

/// How often each class of error was seen; a bad slot without a class counts as `unclassified`.
pub fn errors<'a>(slots: impl Iterator<Item = &'a Observation>) -> BTreeMap<String, u64> {
    let mut errors = BTreeMap::new();
    for slot in slots.filter(|slot| slot.grade == Grade::Bad) {
        let key = slot.error.map_or_else(|| "unclassified".to_owned(), error_key);
        *errors.entry(key).or_insert(0) += 1;
    }
    errors
}

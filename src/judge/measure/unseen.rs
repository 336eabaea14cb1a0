//! Time in the window at which a probe did not look: slots that are invalid, and slots that ought
//! to be in the history and are not. What was not seen is not known to be good.

use super::axis::{count, length, whole};
use super::outage::{Beat, Found};
use super::run::MERGED_GAP;
use super::window::Frame;
use crate::model::observation::{Grade, Observation};

/// How much of the window a probe missed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Unseen {
    /// Slots of the window that the history has.
    pub recorded: u64,
    pub invalid: u64,
    /// Slots of the window that the history lacks.
    pub missing: u64,
    /// Seconds in stretches too long to be bridged, outside outages: an outage could hide there.
    pub blind_seconds: f64,
}

impl Unseen {
    /// `slots` are all slots due before the window's end, in the order of their due times.
    #[must_use]
    pub fn of(slots: &[&Observation], beat: Beat, frame: &Frame, outages: &[Found]) -> Unseen {
        let inside = || slots.iter().filter(|slot| frame.holds(slot.due_ns));
        Unseen {
            recorded: length(inside().count()),
            invalid: length(inside().filter(|slot| slot.grade == Grade::Invalid).count()),
            missing: head(slots, beat, frame) + gaps(slots, beat, frame) + tail(slots, beat, frame),
            blind_seconds: blind(slots, beat, frame, outages),
        }
    }

    /// Slots that should have told something and did not.
    #[must_use]
    pub fn slots(self) -> u64 {
        self.invalid + self.missing
    }

    /// All slots that are due in the window.
    #[must_use]
    pub fn due(self) -> u64 {
        self.recorded + self.missing
    }

    /// 1 % of the window or more: then its figures prove nothing good.
    #[must_use]
    pub fn too_many(self) -> bool {
        self.slots() * 100 >= self.due()
    }
}

/// Slots between the window's beginning and the first slot, where nothing was seen before it.
fn head(slots: &[&Observation], beat: Beat, frame: &Frame) -> u64 {
    slots.first().map_or(0, |first| slots_between(frame.zero_ns, first.due_ns, beat))
}

/// Slots between the last slot and the window's end. The last deadline and two slots are left out:
/// those were still under way when the prober was told to stop.
fn tail(slots: &[&Observation], beat: Beat, frame: &Frame) -> u64 {
    let under_way_ns = beat.deadline_ns + whole(2.0 * beat.interval_ns);
    slots.last().map_or(0, |last| {
        let from_ns = last.due_ns.max(frame.zero_ns);
        slots_between(from_ns, frame.end_ns.saturating_sub(under_way_ns), beat)
    })
}

fn slots_between(from_ns: u64, to_ns: u64, beat: Beat) -> u64 {
    whole(count(to_ns.saturating_sub(from_ns)) / beat.interval_ns)
}

/// Numbers left out between neighbours, as far as they were due in the window.
fn gaps(slots: &[&Observation], beat: Beat, frame: &Frame) -> u64 {
    let missing = |pair: &[&Observation]| {
        let skipped = pair[1].slot.saturating_sub(pair[0].slot).saturating_sub(1);
        let before = frame.zero_ns.saturating_sub(pair[0].due_ns);
        skipped.saturating_sub(whole(count(before) / beat.interval_ns))
    };
    slots.windows(2).map(missing).sum()
}

fn blind(slots: &[&Observation], beat: Beat, frame: &Frame, outages: &[Found]) -> f64 {
    let valid: Vec<usize> =
        (0..slots.len()).filter(|at| slots[*at].grade != Grade::Invalid).collect();
    let mut outages = outages.iter().map(|found| found.run).peekable();
    let mut blind = 0;
    for pair in valid.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        while outages.next_if(|run| run.last < before).is_some() {}
        // The edges of an outage account for what is unseen beside them.
        let at_outage = outages.peek().is_some_and(|run| run.first <= after);
        if !at_outage && frame.holds(slots[after].due_ns) {
            let skipped = slots[after].slot.saturating_sub(slots[before].slot).saturating_sub(1);
            blind += if skipped > MERGED_GAP { skipped } else { 0 };
        }
    }
    count(blind) * beat.interval_ns / 1e9
}

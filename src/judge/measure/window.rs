//! The window: from the first fault effective to the end of the recovery watch. Every figure is
//! over it. In a null drill, which has no fault, it begins with the method.

use super::axis::{Axis, count};
use super::outage::Beat;
use super::timeline::Timeline;
use crate::model::history::Phase;
use crate::model::observation::Observation;
use crate::model::verdict::Window;

/// The window and its neighbourhood, nanoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Second 0: the first fault was certainly in force.
    pub zero_ns: u64,
    /// Just before the call that put it in force. What breaks between here and zero was broken
    /// by it, too.
    pub began_ns: u64,
    /// The last fault was gone: `during` ends and `after` begins.
    pub lifted_ns: u64,
    pub end_ns: u64,
    pub seen_from_ns: u64,
    pub seen_to_ns: u64,
    /// The end of the recovery watch is on record.
    pub complete: bool,
    /// There was a fault, or none was meant to be.
    pub in_force: bool,
}

impl Frame {
    #[must_use]
    pub fn of(timeline: &Timeline) -> Frame {
        let all = || timeline.slots.values().flatten();
        let seen_from_ns = all().map(|slot| slot.due_ns).min().unwrap_or(timeline.opened_ns);
        let seen_to_ns = all().map(|slot| slot.done_ns).max().unwrap_or(timeline.opened_ns);
        let first = timeline.effective.iter().min_by_key(|effective| effective.effective_ns);
        let method_ns = timeline.began(Phase::Method).unwrap_or(timeline.opened_ns);
        let zero_ns = first.map_or(method_ns, |first| first.effective_ns);
        let began_ns = first.map_or(zero_ns, |first| first.began_ns).min(zero_ns);
        let watched_to_ns = timeline.ended(Phase::Recover);
        let end_ns = watched_to_ns.unwrap_or(seen_to_ns).max(zero_ns);
        let gone_ns = timeline.reverted.iter().map(|reverted| reverted.gone_ns).max();
        let lifted_ns = gone_ns.or(timeline.began(Phase::Recover)).unwrap_or(end_ns);
        Frame {
            zero_ns,
            began_ns,
            lifted_ns: lifted_ns.clamp(zero_ns, end_ns),
            end_ns,
            seen_from_ns,
            seen_to_ns,
            complete: watched_to_ns.is_some(),
            in_force: first.is_some() || timeline.opened.null,
        }
    }

    #[must_use]
    pub fn axis(&self) -> Axis {
        Axis { zero_ns: self.zero_ns }
    }

    /// Is a slot due then counted?
    #[must_use]
    pub fn holds(&self, due_ns: u64) -> bool {
        (self.zero_ns..=self.end_ns).contains(&due_ns)
    }

    /// Had this slot failed before the fault came? One that was just under way then is the
    /// fault's: it was due before and lost its answer after. Beyond the resolution of a refusal,
    /// two slots, its silence is older.
    #[must_use]
    pub fn precedes(&self, slot: &Observation, beat: Beat) -> bool {
        let failed = slot.done_ns < self.began_ns;
        let lead_ns = count(self.began_ns.saturating_sub(slot.due_ns));
        slot.due_ns < self.began_ns && (failed || lead_ns > 2.0 * beat.interval_ns)
    }

    /// Length of the window in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.axis().at(self.end_ns)
    }

    /// How uncertain second 0 is, seconds.
    #[must_use]
    pub fn zero_error(&self) -> f64 {
        -self.axis().at(self.began_ns)
    }

    #[must_use]
    pub fn window(&self) -> Window {
        let axis = self.axis();
        Window {
            zero_ns: self.zero_ns,
            from_seconds: 0.0,
            to_seconds: axis.at(self.end_ns),
            seen_from_seconds: axis.at(self.seen_from_ns),
            seen_to_seconds: axis.at(self.seen_to_ns),
        }
    }
}

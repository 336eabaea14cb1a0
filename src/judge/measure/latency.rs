//! Latencies by phase of the drill. They count from the due time of a slot, so that a system that
//! makes its clients wait is not excused for the requests that it kept from being sent.
//!
//! Counted are right answers, in time or late, and slots that timed out. Refusals are quick and no
//! answer; they belong to outages and stay out.
//!
//! **No answer.** When a slot gave up says how patient the probe was and not how slow the system
//! is: it may have given up at once, where it had waited for a connection. So a slot without an
//! answer is slower than every slot that has one. A quantile that falls among them is only known to
//! be at least as long as the slowest answer, and as the same quantile of what all slots waited.

use std::collections::BTreeMap;

use hdrhistogram::{CreationError, Histogram};

use super::axis::millis;
use super::window::Frame;
use crate::model::observation::{ErrorClass, Grade, Observation};
use crate::model::verdict::{Latency, is_unanswered};

/// The longest latency told apart from longer ones: one hour, nanoseconds.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Three significant digits: a figure is within 0.1 % of what was measured.
const DIGITS: u8 = 3;

/// When a slot was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stretch {
    Before,
    /// From the first fault effective until the last was gone.
    During,
    After,
    /// During and after.
    Window,
}

/// Nanoseconds, by when a slot was due.
#[derive(Debug, Clone)]
pub struct Latencies {
    before: Timed,
    during: Timed,
    after: Timed,
    window: Timed,
}

/// The slots of one stretch.
#[derive(Debug, Clone)]
pub struct Timed {
    /// Every slot; one without an answer counts as [`LONGEST_NS`].
    ranked: Histogram<u64>,
    /// Every slot, with what it waited for its answer or in vain.
    waited: Histogram<u64>,
    slowest_answer_ns: u64,
    unanswered: u64,
}

/// A quantile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantile {
    pub ns: u64,
    /// It falls among slots without an answer: it is at least so long.
    pub least: bool,
}

impl Latencies {
    /// `slots` are all slots due before the window's end.
    pub fn of(slots: &[&Observation], frame: &Frame) -> Result<Latencies, CreationError> {
        let empty = Timed::empty;
        let mut latencies =
            Latencies { before: empty()?, during: empty()?, after: empty()?, window: empty()? };
        for slot in slots.iter().filter(|slot| has_latency(slot)) {
            if slot.due_ns < frame.began_ns {
                latencies.before.record(slot);
                continue;
            }
            let stretch = if slot.due_ns < frame.lifted_ns {
                &mut latencies.during
            } else {
                &mut latencies.after
            };
            stretch.record(slot);
            latencies.window.record(slot);
        }
        Ok(latencies)
    }

    #[must_use]
    pub fn stretch(&self, stretch: Stretch) -> &Timed {
        match stretch {
            Stretch::Before => &self.before,
            Stretch::During => &self.during,
            Stretch::After => &self.after,
            Stretch::Window => &self.window,
        }
    }

    /// As a report has them; a stretch without a figure is left out.
    #[must_use]
    pub fn report(&self) -> BTreeMap<String, Latency> {
        [("before", &self.before), ("during", &self.during), ("after", &self.after)]
            .into_iter()
            .filter(|(_, timed)| timed.slots() > 0)
            .map(|(name, timed)| (name.to_owned(), timed.summary()))
            .collect()
    }
}

impl Timed {
    fn empty() -> Result<Timed, CreationError> {
        let empty = || Histogram::new_with_bounds(1, LONGEST_NS, DIGITS);
        Ok(Timed { ranked: empty()?, waited: empty()?, slowest_answer_ns: 0, unanswered: 0 })
    }

    fn record(&mut self, slot: &Observation) {
        let waited_ns = slot.done_ns.saturating_sub(slot.due_ns).max(1);
        self.waited.saturating_record(waited_ns);
        if slot.grade == Grade::Bad {
            self.ranked.saturating_record(LONGEST_NS);
            self.unanswered += 1;
        } else {
            self.ranked.saturating_record(waited_ns);
            self.slowest_answer_ns = self.slowest_answer_ns.max(waited_ns);
        }
    }

    #[must_use]
    pub fn slots(&self) -> u64 {
        self.ranked.len()
    }

    /// How many of the slots got no answer.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// `fraction` from 0 to 1.
    #[must_use]
    pub fn at(&self, fraction: f64) -> Quantile {
        if is_unanswered(fraction, self.slots(), self.unanswered) {
            let waited_ns = self.waited.value_at_quantile(fraction);
            Quantile { ns: waited_ns.max(self.slowest_answer_ns), least: true }
        } else {
            Quantile { ns: self.ranked.value_at_quantile(fraction), least: false }
        }
    }

    fn summary(&self) -> Latency {
        let at = |fraction| millis(self.at(fraction).ns);
        Latency {
            count: self.slots(),
            unanswered: self.unanswered,
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(self.waited.max()),
        }
    }
}

fn has_latency(slot: &Observation) -> bool {
    match slot.grade {
        Grade::Good | Grade::Late => true,
        Grade::Bad => slot.error == Some(ErrorClass::Timeout),
        Grade::Invalid => false,
    }
}

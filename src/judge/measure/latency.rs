//! Latencies by phase of the drill. They count from the due time of a slot, so that a system that
//! makes its clients wait is not excused for the requests that it kept from being sent.
//!
//! Counted are right answers, in time or late, and slots that timed out: those waited at least that
//! long. Refusals are quick and no answer; they belong to outages and stay out.

use std::collections::BTreeMap;

use hdrhistogram::{CreationError, Histogram};

use super::axis::millis;
use super::window::Frame;
use crate::model::observation::{ErrorClass, Grade, Observation};
use crate::model::verdict::Latency;

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
    before: Histogram<u64>,
    during: Histogram<u64>,
    after: Histogram<u64>,
    window: Histogram<u64>,
}

impl Latencies {
    /// `slots` are all slots due before the window's end.
    pub fn of(slots: &[&Observation], frame: &Frame) -> Result<Latencies, CreationError> {
        let empty = || Histogram::new_with_bounds(1, LONGEST_NS, DIGITS);
        let mut latencies =
            Latencies { before: empty()?, during: empty()?, after: empty()?, window: empty()? };
        for slot in slots.iter().filter(|slot| has_latency(slot)) {
            let taken_ns = slot.done_ns.saturating_sub(slot.due_ns).max(1);
            if slot.due_ns < frame.began_ns {
                latencies.before.saturating_record(taken_ns);
                continue;
            }
            let stretch = if slot.due_ns < frame.lifted_ns {
                &mut latencies.during
            } else {
                &mut latencies.after
            };
            stretch.saturating_record(taken_ns);
            latencies.window.saturating_record(taken_ns);
        }
        Ok(latencies)
    }

    #[must_use]
    pub fn histogram(&self, stretch: Stretch) -> &Histogram<u64> {
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
            .filter(|(_, histogram)| !histogram.is_empty())
            .map(|(name, histogram)| (name.to_owned(), summary(histogram)))
            .collect()
    }
}

fn has_latency(slot: &Observation) -> bool {
    match slot.grade {
        Grade::Good | Grade::Late => true,
        Grade::Bad => slot.error == Some(ErrorClass::Timeout),
        Grade::Invalid => false,
    }
}

fn summary(histogram: &Histogram<u64>) -> Latency {
    let at = |quantile| millis(histogram.value_at_quantile(quantile));
    Latency {
        count: histogram.len(),
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        max: millis(histogram.max()),
    }
}

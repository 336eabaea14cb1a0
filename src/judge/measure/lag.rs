//! The prober's own lag in the window. A prober that did not run cannot have seen an outage.

use super::axis::{count, millis, seconds};
use super::timeline::Timeline;
use super::window::Frame;
use crate::model::history::{Lag, Phase};
use crate::model::observation::Grade;
use crate::model::verdict::LagReport;

/// The lag as reported, and the time at a standstill.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnLag {
    pub report: LagReport,
    pub stalled_ns: u64,
    /// 1 % of the window or more at a standstill.
    pub stalled_too_long: bool,
}

/// Every line speaks of the time since the one before, so the first line after the window's end
/// still counts.
#[must_use]
pub fn own_lag(timeline: &Timeline, frame: &Frame) -> OwnLag {
    let mut total = Lag::default();
    let mut p50_weighted = 0.0;
    let mut covered_to_ns = 0;
    for (at_ns, lag) in timeline.lag.iter().filter(|(at_ns, _)| *at_ns > frame.zero_ns) {
        if covered_to_ns >= frame.end_ns {
            break;
        }
        covered_to_ns = *at_ns;
        total.slots += lag.slots;
        total.stalled_ns += lag.stalled_ns;
        total.max_ns = total.max_ns.max(lag.max_ns);
        // Quantiles cannot be merged: the worst line's p99 is an upper bound, and said to be p99.
        total.p99_ns = total.p99_ns.max(lag.p99_ns);
        p50_weighted += count(lag.slots) * count(lag.p50_ns);
    }
    let p50_ns = if total.slots > 0 { p50_weighted / count(total.slots) } else { 0.0 };
    OwnLag {
        report: LagReport {
            slots: total.slots,
            p50: p50_ns / 1e6,
            p99: millis(total.p99_ns),
            max: millis(total.max_ns),
            stalled: millis(total.stalled_ns),
        },
        stalled_ns: total.stalled_ns,
        stalled_too_long: total.stalled_ns > 0
            && seconds(total.stalled_ns) * 100.0 >= frame.seconds(),
    }
}

/// What kept a steady state from being seen.
#[derive(Debug, Clone, Copy)]
pub struct BeforeTheMethod {
    pub stalled_ns: u64,
    /// A probe of the steady state that did look saw the system fail.
    pub system_failed: bool,
}

/// Whose fault it is that nothing could be injected: ours, or the system's.
#[must_use]
pub fn before_the_method(timeline: &Timeline) -> BeforeTheMethod {
    let end_ns = timeline.ended(Phase::Steady).unwrap_or(u64::MAX);
    let probes = &timeline.opened.plan.experiment.probes;
    let steady = |name: &str| probes.get(name).is_some_and(|spec| spec.steady);
    let failed = |grade: Grade| matches!(grade, Grade::Late | Grade::Bad);
    let mut slots = timeline.slots.iter().filter(|(name, _)| steady(name)).flat_map(|(_, s)| s);
    // A line speaks of the time before it, so the first one after the end still counts.
    let later = timeline.lag.iter().position(|(at_ns, _)| *at_ns > end_ns);
    let lines = &timeline.lag[..later.map_or(timeline.lag.len(), |first| first + 1)];
    BeforeTheMethod {
        stalled_ns: lines.iter().map(|(_, lag)| lag.stalled_ns).sum(),
        system_failed: slots.any(|slot| slot.due_ns <= end_ns && failed(slot.grade)),
    }
}

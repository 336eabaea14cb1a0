//! Everything that one probe saw, in figures.

use hdrhistogram::CreationError;

use super::axis::{count, length, percent, seconds};
use super::budget::{DAYS, Spent, budget};
use super::latency::Latencies;
use super::outage::{Beat, Found, aged, errors, outages};
use super::ribbon::ribbon;
use super::run::MERGED_GAP;
use super::unseen::Unseen;
use super::window::Frame;
use crate::judge::claim::Figure;
use crate::judge::doubt::Doubt;
use crate::judge::words;
use crate::model::experiment::ProbeSpec;
use crate::model::observation::{Grade, Observation};
use crate::model::verdict::{Outage, ProbeReport};

/// A probe as it is reported, and what only checks need.
#[derive(Debug, Clone)]
pub struct ProbeFigures {
    pub report: ProbeReport,
    pub latency: Latencies,
    pub unseen: Unseen,
    /// What can be told apart where no outage was seen: 2/rate, the deadline, and the age of the
    /// oldest sample where somebody else took them, seconds.
    pub resolution: f64,
    pub recovery: Recovery,
    /// What weakens the figures of this probe.
    pub doubts: Vec<Doubt>,
    /// What weakens all that the prober did.
    pub prober_doubts: Vec<Doubt>,
}

/// From fault effective until good for good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recovery {
    pub seconds: f64,
    pub error: f64,
    /// False: it had not come to rest when the watch ended; `seconds` is a lower bound.
    pub stable: bool,
}

/// `all` are the slots of this probe in the order of their due times.
pub fn figures(
    spec: &ProbeSpec,
    all: &[&Observation],
    frame: &Frame,
) -> Result<ProbeFigures, CreationError> {
    let beat = Beat { interval_ns: spec.rate.interval_ns(), deadline_ns: spec.deadline.nanos() };
    let slots = &all[..all.partition_point(|slot| slot.due_ns <= frame.end_ns)];
    let found = outages(slots, beat, frame);
    let unseen = Unseen::of(slots, beat, frame, &found);
    let latency = Latencies::of(slots, frame)?;
    let recovery = recovery(slots, beat, &found, frame);
    let mut report = counted(spec, slots, frame);
    time_figures(&mut report, &found, frame);
    edges(&mut report, slots, &found, frame);
    report.stable_seconds = (recovery.stable && report.slots > 0).then_some(recovery.seconds);
    report.latency = latency.report();
    report.ribbon = ribbon(all, beat, frame);
    let mut figures = ProbeFigures {
        doubts: doubts((slots, beat), &found, unseen, frame),
        prober_doubts: Vec::new(),
        resolution: resolution(slots, beat),
        report,
        latency,
        unseen,
        recovery,
    };
    let spent = Spent { seconds: figures.report.downtime_seconds, error: figures.downtime_error() };
    figures.report.slo = spec.slo.and_then(|slo| budget(slo, DAYS, spent));
    Ok(figures)
}

impl ProbeFigures {
    /// Error of all outages together, seconds.
    #[must_use]
    pub fn downtime_error(&self) -> f64 {
        let outages = &self.report.outages;
        let seen: f64 = outages.iter().map(|outage| outage.error_seconds).sum();
        let base = if outages.is_empty() { self.resolution } else { seen };
        base + self.unseen.blind_seconds
    }

    /// The longest outage; the earliest of several that are as long.
    #[must_use]
    pub fn longest(&self) -> Option<&Outage> {
        let longer = |longest: &'_ &Outage, other: &'_ &Outage| {
            longest.length_seconds.total_cmp(&other.length_seconds)
        };
        self.report.outages.iter().rev().max_by(longer)
    }

    #[must_use]
    pub fn outages(&self) -> u64 {
        length(self.report.outages.len())
    }

    /// The longest outage as a figure.
    #[must_use]
    pub fn longest_figure(&self) -> Figure {
        let blind = self.unseen.blind_seconds;
        let Some(longest) = self.longest() else {
            return Figure {
                measured: 0.0,
                error: self.downtime_error(),
                finding: "no outage".to_owned(),
                bound: None,
            };
        };
        let error = longest.error_seconds + blind;
        let figure = words::seconds_with_error(longest.length_seconds, error);
        let outages = words::counted(self.outages(), "outage");
        Figure {
            measured: longest.length_seconds,
            error,
            finding: format!("{figure} of {}, the longest of {outages}", longest.character),
            bound: self.never_ended(),
        }
    }

    /// Why figures over this window are only a bound, if they are.
    #[must_use]
    pub fn never_ended(&self) -> Option<String> {
        let open = self.report.outages.iter().any(|outage| !outage.ended);
        open.then(|| "still out when the watch ended, so this is the least it can be".to_owned())
    }
}

fn counted(spec: &ProbeSpec, slots: &[&Observation], frame: &Frame) -> ProbeReport {
    let inside = || slots.iter().copied().filter(|slot| frame.holds(slot.due_ns));
    let graded = |grade| length(inside().filter(|slot| slot.grade == grade).count());
    let (good, late, bad, invalid) =
        (graded(Grade::Good), graded(Grade::Late), graded(Grade::Bad), graded(Grade::Invalid));
    ProbeReport {
        kind: spec.kind.clone(),
        rate_per_second: spec.rate.0,
        deadline_seconds: spec.deadline.seconds(),
        slots: good + late + bad + invalid,
        good,
        late,
        bad,
        invalid,
        availability_by_request: percent(count(good), count(good + late + bad)),
        errors: errors(inside()),
        ..ProbeReport::default()
    }
}

fn time_figures(report: &mut ProbeReport, found: &[Found], frame: &Frame) {
    let sum = |figure: fn(&Found) -> f64| found.iter().map(figure).sum::<f64>();
    report.outages = found.iter().map(|found| found.outage.clone()).collect();
    report.downtime_seconds = sum(|found| found.outage.length_seconds);
    report.hard_down_seconds = sum(|found| found.hard_seconds);
    report.brown_out_seconds = sum(|found| found.outage.length_seconds - found.hard_seconds);
    let window = frame.seconds();
    let seen = report.good + report.late + report.bad > 0;
    let up = (window - report.downtime_seconds).max(0.0);
    report.availability_by_time = percent(up, window).filter(|_| seen);
}

/// First and last bad, and the first success between or after them.
fn edges(report: &mut ProbeReport, slots: &[&Observation], found: &[Found], frame: &Frame) {
    let axis = frame.axis();
    let (Some(first), Some(last)) = (found.first(), found.last()) else { return };
    report.first_bad_seconds = Some(axis.at(slots[first.run.first].due_ns));
    report.last_bad_seconds = Some(axis.at(slots[last.run.last].due_ns));
    let good_after = slots[first.run.first..].iter().filter(|slot| slot.grade == Grade::Good);
    report.first_good_seconds = good_after.map(|slot| slot.done_ns).min().map(|ns| axis.at(ns));
}

/// Seconds. What is shorter can lie between two looks.
fn resolution(slots: &[&Observation], beat: Beat) -> f64 {
    let oldest = slots.iter().map(|slot| aged(slot)).fold(0.0, f64::max);
    (2.0 * beat.interval_ns + count(beat.deadline_ns) + oldest) / 1e9
}

/// Stable is what was good to the end of the watch, and for longer than a gap in an outage.
fn recovery(slots: &[&Observation], beat: Beat, found: &[Found], frame: &Frame) -> Recovery {
    let axis = frame.axis();
    let Some(last) = found.last() else {
        return Recovery { seconds: 0.0, error: resolution(slots, beat), stable: true };
    };
    let after = &slots[last.run.last + 1..];
    let good = length(after.iter().filter(|slot| slot.grade == Grade::Good).count());
    let stable = good > MERGED_GAP;
    let last_bad = axis.at(slots[last.run.last].due_ns);
    Recovery {
        seconds: if stable { last.outage.to_seconds } else { last_bad },
        error: last.outage.error_seconds + frame.zero_error(),
        stable,
    }
}

fn doubts(
    (slots, beat): (&[&Observation], Beat),
    found: &[Found],
    unseen: Unseen,
    frame: &Frame,
) -> Vec<Doubt> {
    if unseen.recorded == 0 {
        return vec![Doubt::voids("no slot of this probe lies in the window")];
    }
    if unseen.recorded == unseen.invalid {
        return vec![Doubt::voids("every slot of this probe in the window is invalid")];
    }
    if !slots.iter().any(|slot| slot.grade == Grade::Good) {
        return vec![Doubt::voids("this probe was never good, so it measured no change")];
    }
    let mut doubts = Vec::new();
    if unseen.too_many() {
        doubts.push(Doubt::weakens(format!(
            "{} of {} slots in the window are invalid or missing",
            unseen.slots(),
            unseen.due()
        )));
    }
    let first = found.first().map(|found| slots[found.run.first]);
    if let Some(slot) = first.filter(|slot| frame.precedes(slot, beat)) {
        let since = seconds(frame.began_ns.saturating_sub(slot.due_ns));
        doubts.push(Doubt::weakens(format!("it was out {since:.3} s before the fault began")));
    }
    doubts
}

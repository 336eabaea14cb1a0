//! What every drawing of a drill has in common: the stretch of time it shows, and what colour a
//! moment of a ribbon has.

use crate::model::observation::Grade;
use crate::model::verdict::{InjectionReport, Report, RibbonRun};

/// A stretch of time in seconds from the first fault effective; `to` is after `from`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    pub from: f64,
    pub to: f64,
}

impl Extent {
    #[must_use]
    pub fn length(self) -> f64 {
        self.to - self.from
    }

    /// Where in it that moment is, 0 to 1; moments outside are at the ends, and what is no moment
    /// is at the beginning.
    #[must_use]
    pub fn fraction(self, at: f64) -> f64 {
        let fraction = (at - self.from) / self.length();
        if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) }
    }

    #[must_use]
    pub fn holds(self, at: f64) -> bool {
        (self.from..=self.to).contains(&at)
    }

    /// The part of a span that lies inside, if any of it does.
    #[must_use]
    pub fn clip(self, from: f64, to: f64) -> Option<(f64, f64)> {
        let (from, to) = (from.max(self.from), to.min(self.to));
        (from <= to).then_some((from, to))
    }
}

/// Everything that was seen.
#[must_use]
pub fn whole(report: &Report) -> Extent {
    let window = &report.window;
    let mut moments = vec![window.seen_from_seconds, window.seen_to_seconds];
    moments.extend([window.from_seconds, window.to_seconds]);
    for probe in report.probes.values() {
        moments.extend(probe.ribbon.first().map(|run| run.from_seconds));
        moments.extend(probe.ribbon.last().map(|run| run.to_seconds));
    }
    moments.extend(report.stages.iter().map(|stage| stage.at_seconds));
    hull(&moments).unwrap_or(Extent { from: 0.0, to: 1.0 })
}

/// The stretch in which something happened, with some air: outages, stages, faults. None where
/// nothing did, or where it fills most of what was seen.
#[must_use]
pub fn detail(report: &Report) -> Option<Extent> {
    const MOST_OF_IT: f64 = 0.4;
    let mut moments: Vec<f64> = report.stages.iter().map(|stage| stage.at_seconds).collect();
    for outage in report.probes.values().flat_map(|probe| &probe.outages) {
        moments.extend([outage.from_seconds, outage.to_seconds]);
    }
    moments.extend(report.injections.iter().filter_map(|i| i.effective_seconds));
    let busy = hull(&moments)?;
    let all = whole(report);
    let air = busy.length() * 0.12;
    let shown = Extent { from: (busy.from - air).max(all.from), to: (busy.to + air).min(all.to) };
    (shown.length() < all.length() * MOST_OF_IT).then_some(shown)
}

/// When it was in force, as far as known: begin, and end where it has one.
#[must_use]
pub fn in_force(injection: &InjectionReport) -> Option<(f64, Option<f64>)> {
    let from = injection.effective_seconds.filter(|s| s.is_finite())?;
    Some((from, injection.gone_seconds.filter(|s| s.is_finite() && *s >= from)))
}

/// The grade of a run; none for a word that this version does not know.
#[must_use]
pub fn grade(run: &RibbonRun) -> Option<Grade> {
    match run.grade.as_str() {
        "good" => Some(Grade::Good),
        "late" => Some(Grade::Late),
        "bad" => Some(Grade::Bad),
        "invalid" => Some(Grade::Invalid),
        _ => None,
    }
}

/// The worst that a ribbon saw in each of so many equal parts; none where it saw nothing.
///
/// The worst, not the most frequent: a single bad slot stays visible at any width.
#[must_use]
pub fn resampled(ribbon: &[RibbonRun], extent: Extent, parts: usize) -> Vec<Option<Grade>> {
    let mut cells = vec![None; parts];
    for run in ribbon {
        let Some((from, to)) = extent.clip(run.from_seconds, run.to_seconds) else { continue };
        let Some(grade) = grade(run) else { continue };
        let first = part_of(extent.fraction(from), parts);
        // A run that ends on a border does not reach into the next part.
        let last = part_of((extent.fraction(to) - 1e-9).max(extent.fraction(from)), parts);
        for cell in cells.iter_mut().take(last + 1).skip(first) {
            if cell.is_none_or(|seen| weight(grade) > weight(seen)) {
                *cell = Some(grade);
            }
        }
    }
    cells
}

/// Which of so many equal parts a fraction of the whole falls into.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a fraction from 0 to 1 of a count of terminal columns or pixels"
)]
pub fn part_of(fraction: f64, parts: usize) -> usize {
    let place = (fraction.clamp(0.0, 1.0) * parts as f64).floor() as usize;
    place.min(parts.saturating_sub(1))
}

fn weight(grade: Grade) -> u8 {
    match grade {
        Grade::Good => 0,
        Grade::Invalid => 1,
        Grade::Late => 2,
        Grade::Bad => 3,
    }
}

fn hull(moments: &[f64]) -> Option<Extent> {
    let known = moments.iter().copied().filter(|m| m.is_finite());
    let from = known.clone().fold(f64::INFINITY, f64::min);
    let to = known.fold(f64::NEG_INFINITY, f64::max);
    (to > from).then_some(Extent { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(grade: &str, from_seconds: f64, to_seconds: f64) -> RibbonRun {
        RibbonRun { grade: grade.to_owned(), from_seconds, to_seconds, slots: 1 }
    }

    #[test]
    fn a_single_bad_slot_stays_visible_at_any_width() {
        let ribbon = [run("good", 0.0, 5.0), run("bad", 5.0, 5.001), run("good", 5.001, 100.0)];
        let cells = resampled(&ribbon, Extent { from: 0.0, to: 100.0 }, 10);
        assert_eq!(cells.iter().filter(|c| **c == Some(Grade::Bad)).count(), 1);
        assert_eq!(cells[0], Some(Grade::Bad));
        assert_eq!(cells[9], Some(Grade::Good));
    }

    #[test]
    fn a_run_that_ends_on_a_border_stays_on_its_side() {
        let ribbon = [run("bad", 0.0, 5.0), run("good", 5.0, 10.0)];
        let cells = resampled(&ribbon, Extent { from: 0.0, to: 10.0 }, 2);
        assert_eq!(cells, [Some(Grade::Bad), Some(Grade::Good)]);
    }

    #[test]
    fn where_nothing_was_seen_nothing_is_drawn() {
        let ribbon = [run("good", 0.0, 1.0), run("sparkling", 1.0, 2.0)];
        let cells = resampled(&ribbon, Extent { from: 0.0, to: 4.0 }, 4);
        assert_eq!(cells, [Some(Grade::Good), None, None, None]);
    }

    #[test]
    fn moments_that_are_no_numbers_stretch_nothing() {
        assert_eq!(hull(&[f64::NAN, 1.0, f64::INFINITY, 3.0]), Some(Extent { from: 1.0, to: 3.0 }));
        assert_eq!(hull(&[2.0, 2.0]), None);
        assert_eq!(hull(&[]), None);
    }

    #[test]
    fn moments_outside_are_at_the_ends() {
        let extent = Extent { from: -2.0, to: 8.0 };
        assert!((extent.fraction(-9.0) - 0.0).abs() < 1e-12);
        assert!((extent.fraction(0.0) - 0.2).abs() < 1e-12);
        assert!((extent.fraction(99.0) - 1.0).abs() < 1e-12);
        assert!((extent.fraction(f64::INFINITY) - 1.0).abs() < 1e-12);
        assert!((extent.fraction(f64::NAN) - 0.0).abs() < 1e-12);
        assert_eq!(extent.clip(9.0, 12.0), None);
        assert_eq!(part_of(1.0, 10), 9);
    }
}

//! Small drawings for a cell of a table: a figure against its limit, a leg of a failover, a
//! range of latencies. They repeat what the cells beside them say in figures, so they are hidden
//! from those who listen.

use maud::{Markup, html};

use super::pen::px;
use crate::model::outcome::ClaimVerdict;
use crate::model::verdict::{ClaimReport, Latency};
use crate::report::timeline::Extent;

const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 16.0;

/// Where the axis of a claim begins and ends, and which side of the limit is allowed.
struct Bullet {
    axis: Extent,
    allowed: (f64, f64),
}

/// The figure as a dot with its error, the allowed range as a band, the limit as a line.
///
/// The axis begins at 0 where less is better. Where more is better it ends at 100 percent and is
/// cut at the left, so a dot is drawn and not a bar.
#[must_use]
pub fn bullet(claim: &ClaimReport) -> Markup {
    let Some(measured) = claim.measured.filter(|m| m.is_finite()) else { return html! {} };
    let error = claim.error.filter(|e| e.is_finite()).unwrap_or(0.0);
    let Bullet { axis, allowed } = bullet_axis(claim, measured, error);
    let x = |value: f64| 4.0 + axis.fraction(value) * (WIDTH - 8.0);
    let class = match claim.verdict {
        ClaimVerdict::Held => "dot held",
        ClaimVerdict::Deviated => "dot deviated",
        ClaimVerdict::Inconclusive => "dot inconclusive",
    };
    html! { svg class="cell" aria-hidden="true" viewBox=(view_box()) {
        rect class="allowed" x=(px(x(allowed.0))) y="4" height="8"
            width=(px(x(allowed.1) - x(allowed.0))) {}
        line class="limit" x1=(px(x(claim.limit))) x2=(px(x(claim.limit))) y1="1" y2="15" {}
        line class="whisker" x1=(px(x(measured - error))) x2=(px(x(measured + error))) y1="8" y2="8" {}
        circle class=(class) cx=(px(x(measured))) cy="8" r="3.5" {}
    } }
}

/// Is more better? The claim does not say in a figure; its verdict tells by the side it is on.
fn more_is_better(claim: &ClaimReport, measured: f64) -> bool {
    match claim.verdict {
        ClaimVerdict::Held => measured > claim.limit,
        ClaimVerdict::Deviated => measured < claim.limit,
        ClaimVerdict::Inconclusive => claim.unit == "percent" && claim.limit > 50.0,
    }
}

fn bullet_axis(claim: &ClaimReport, measured: f64, error: f64) -> Bullet {
    let limit = claim.limit;
    if more_is_better(claim, measured) {
        let top = if claim.unit == "percent" { 100.0 } else { measured.max(limit) * 1.15 };
        let low = measured.min(limit) - error;
        let axis = Extent { from: low - (top - low).max(1e-6) * 0.25, to: top };
        return Bullet { axis, allowed: (limit, top) };
    }
    let top = limit.max(measured + error).max(1e-6) * 1.15;
    Bullet { axis: Extent { from: 0.0, to: top }, allowed: (0.0, limit) }
}

/// One step of a waterfall: where in the whole it begins and ends.
#[must_use]
pub fn leg(whole: Extent, from: f64, to: f64) -> Markup {
    if !(from.is_finite() && to.is_finite()) {
        return html! {};
    }
    let x = |at: f64| 2.0 + whole.fraction(at) * (WIDTH - 4.0);
    html! { svg class="cell" aria-hidden="true" viewBox=(view_box()) {
        line class="track" x1="2" x2=(px(WIDTH - 2.0)) y1="8" y2="8" {}
        rect class="leg" x=(px(x(from))) y="3" height="10" width=(px((x(to) - x(from)).max(1.5))) {}
    } }
}

/// Median as a dot, a line to the maximum with a tick at p99 and p99.9, on a logarithmic axis
/// that all rows of a table share.
#[must_use]
pub fn range(latency: &Latency, axis: Extent) -> Markup {
    let x = |ms: f64| 4.0 + axis.fraction(ms.max(1e-6).log10()) * (WIDTH - 8.0);
    if latency.count == 0 {
        return html! {};
    }
    html! { svg class="cell" aria-hidden="true" viewBox=(view_box()) {
        line class="track" x1="4" x2=(px(WIDTH - 4.0)) y1="14" y2="14" {}
        line class="whisker" x1=(px(x(latency.p50))) x2=(px(x(latency.max))) y1="8" y2="8" {}
        @for at in [latency.p99, latency.p999] {
            line class="whisker" x1=(px(x(at))) x2=(px(x(at))) y1="4" y2="12" {}
        }
        circle class="dot" cx=(px(x(latency.p50))) cy="8" r="3" {}
    } }
}

/// The whole powers of ten round all latencies, as exponents.
#[must_use]
pub fn decades<'a>(latencies: impl Iterator<Item = &'a Latency>) -> Extent {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for latency in latencies.filter(|latency| latency.count > 0) {
        low = low.min(latency.p50.max(1e-3).log10().floor());
        high = high.max(latency.max.max(1e-3).log10().ceil());
    }
    if low.is_finite() && high > low {
        Extent { from: low, to: high }
    } else {
        Extent { from: -1.0, to: 3.0 }
    }
}

fn view_box() -> String {
    format!("0 0 {} {}", px(WIDTH), px(HEIGHT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(verdict: ClaimVerdict, measured: f64, limit: f64, unit: &str) -> ClaimReport {
        ClaimReport {
            check: "downtime".to_owned(),
            probe: "proxy".to_owned(),
            verdict,
            measured: Some(measured),
            error: Some(0.02),
            limit,
            unit: unit.to_owned(),
            claim: String::new(),
            finding: String::new(),
            stop_condition: false,
        }
    }

    #[test]
    fn the_allowed_side_follows_from_the_verdict() {
        assert!(!more_is_better(&claim(ClaimVerdict::Held, 2.3, 6.0, "seconds"), 2.3));
        assert!(!more_is_better(&claim(ClaimVerdict::Deviated, 9.0, 6.0, "seconds"), 9.0));
        assert!(more_is_better(&claim(ClaimVerdict::Held, 99.95, 99.9, "percent"), 99.95));
        assert!(more_is_better(&claim(ClaimVerdict::Deviated, 88.0, 99.9, "percent"), 88.0));
    }

    #[test]
    fn an_axis_holds_figure_error_and_limit() {
        for (verdict, measured, limit, unit) in [
            (ClaimVerdict::Held, 2.3, 6.0, "seconds"),
            (ClaimVerdict::Deviated, 40.0, 6.0, "seconds"),
            (ClaimVerdict::Held, 0.0, 0.0, "writes"),
            (ClaimVerdict::Held, 99.99, 99.9, "percent"),
            (ClaimVerdict::Deviated, 50.0, 99.9, "percent"),
        ] {
            let claim = claim(verdict, measured, limit, unit);
            let axis = bullet_axis(&claim, measured, 0.02).axis;
            assert!(axis.length() > 0.0 && axis.length().is_finite());
            assert!(axis.holds(measured) && axis.holds(limit), "{axis:?} {measured} {limit}");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        let mut claim = claim(ClaimVerdict::Inconclusive, 1.0, 6.0, "seconds");
        claim.measured = None;
        assert_eq!(bullet(&claim).into_string(), "");
        assert_eq!(range(&Latency::default(), decades([].iter())).into_string(), "");
    }

    #[test]
    fn all_latencies_lie_within_the_decades() {
        let latency =
            Latency { count: 9, unanswered: 0, p50: 0.4, p99: 3.0, p999: 12.0, max: 251.0 };
        assert_eq!(decades([latency].iter()), Extent { from: -1.0, to: 3.0 });
    }
}

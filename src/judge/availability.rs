//! `availability`: the share of the window that was not in an outage, or the share of requests that
//! got a right answer in time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::{count, percent};
use super::measure::probe::ProbeFigures;
use super::{Asked, CheckKind, Figure, Measured, Side};
use crate::model::units::Percent;
use crate::model::verdict::ClaimReport;

/// `availability: {probe: proxy, atLeast: 99.9%, by: request}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    pub at_least: Percent,
    #[serde(default)]
    pub by: By,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum By {
    /// Seconds of the window that are in no outage.
    #[default]
    Time,
    /// Good slots of those that are not invalid.
    Request,
}

pub struct Availability;

impl CheckKind for Availability {
    type Params = Params;

    const KIND: &'static str = "availability";
    const SUMMARY: &'static str = "the share of the window, or of requests, that was served";
    const EXAMPLE: &'static str = "availability: {probe: proxy, atLeast: 99.9%, by: request}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let by = match params.by {
            By::Time => "time",
            By::Request => "request",
        };
        let asked = Asked {
            check: Self::KIND,
            probe: params.probe.clone(),
            claim: format!("availability of {} by {by} at least {}", params.probe, params.at_least),
            limit: params.at_least.0,
            unit: "percent",
            side: Side::AtLeast,
        };
        let window = measured.frame.seconds();
        measured.on_probe(asked, |probe| match params.by {
            By::Time => by_time(probe, window),
            By::Request => by_request(probe),
        })
    }
}

fn by_time(probe: &ProbeFigures, window: f64) -> Result<Figure, String> {
    let error = percent(probe.downtime_error(), window);
    let (Some(measured), Some(error)) = (probe.report.availability_by_time, error) else {
        return Err("the window has no length".to_owned());
    };
    let down = probe.report.downtime_seconds;
    Ok(Figure {
        measured,
        error,
        finding: format!("{measured:.3} % ± {error:.3} %: {down:.2} s of {window:.2} s out"),
        bound: probe.never_ended(),
    })
}

/// Every slot that told nothing could have been one or the other.
fn by_request(probe: &ProbeFigures) -> Result<Figure, String> {
    let report = &probe.report;
    let valid = report.slots - report.invalid;
    let error = percent(count(probe.unseen.slots()), count(probe.unseen.due()));
    let (Some(measured), Some(error)) = (report.availability_by_request, error) else {
        return Err("no valid slot lies in the window".to_owned());
    };
    Ok(Figure {
        measured,
        error,
        finding: format!("{measured:.3} % ± {error:.3} %: {} of {valid} slots good", report.good),
        bound: probe.never_ended(),
    })
}

//! `latency`: a quantile of the latency of a probe. See `measure::latency` for what counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::{count, millis};
use super::measure::latency::Stretch;
use super::{Asked, CheckKind, Figure, Measured, Side};
use crate::model::units::{Percent, Span};
use crate::model::verdict::ClaimReport;

/// `latency: {probe: proxy, quantile: 99%, atMost: 250ms, during: after}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    pub quantile: Percent,
    pub at_most: Span,
    #[serde(default)]
    pub during: When,
}

/// Which slots are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// While a fault was in force.
    During,
    /// From the last fault gone to the end of the watch.
    After,
    /// Both.
    #[default]
    Window,
}

pub struct Latency;

impl CheckKind for Latency {
    type Params = Params;

    const KIND: &'static str = "latency";
    const SUMMARY: &'static str = "a quantile of a probe's latency, counted from the due time";
    const EXAMPLE: &'static str =
        "latency: {probe: proxy, quantile: 99%, atMost: 250ms, during: after}";

    fn probe(params: &Params) -> Option<&str> {
        Some(&params.probe)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (stretch, when) = match params.during {
            When::During => (Stretch::During, "during the fault"),
            When::After => (Stretch::After, "after the fault"),
            When::Window => (Stretch::Window, "in the window"),
        };
        let (probe, quantile, limit) = (&params.probe, params.quantile, params.at_most);
        let asked = Asked {
            check: Self::KIND,
            probe: probe.clone(),
            claim: format!("{quantile} of the latencies of {probe} {when} at most {limit}"),
            limit: limit.seconds() * 1e3,
            unit: "milliseconds",
            side: Side::AtMost,
        };
        let own_lag = measured.lag.report.p99;
        measured.on_probe(asked, |probe| {
            let histogram = probe.latency.histogram(stretch);
            if histogram.is_empty() {
                return Err(format!("no slot {when} got an answer"));
            }
            let at = millis(histogram.value_at_quantile(quantile.fraction()));
            // The histogram's resolution, and what our own lag may have added.
            let error = at / 1e3 + own_lag;
            let slots = histogram.len();
            let mut finding = format!("{at:.2} ms ± {error:.2} ms of {slots} slots");
            if count(slots) * (1.0 - quantile.fraction()) < 1.0 {
                finding.push_str(", too few to tell it from the slowest");
            }
            Ok(Figure { measured: at, error, finding, bound: None })
        })
    }
}

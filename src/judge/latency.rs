//! `latency`: a quantile of the latency of a probe. See `measure::latency` for what counts.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::{count, millis};
use super::measure::latency::{Quantile, Stretch};
use super::{Asked, CheckKind, Figure, Measured, Side};
use crate::model::units::{Percent, Span};
use crate::model::verdict::ClaimReport;

/// `latency: {probe: proxy, quantile: 99%, atMost: 250ms, during: after}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub probe: String,
    /// A slot that timed out is slower than any answer; where the quantile falls among those, the
    /// claim can deviate, and never holds. Refusals do not count.
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

const BOUND: &str = "it falls among slots without an answer, so this is the least it can be";

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
            let timed = probe.latency.stretch(stretch);
            let slots = timed.slots();
            if slots == 0 {
                return Err(format!("no slot {when} got an answer"));
            }
            let Quantile { ns, least } = timed.at(quantile.fraction());
            let at = millis(ns);
            // The histogram's resolution, and what our own lag may have added.
            let error = at / 1e3 + own_lag;
            let mut finding = format!("{at:.2} ms ± {error:.2} ms of {slots} slots");
            if least {
                finding.insert_str(0, "at least ");
            }
            if timed.unanswered() > 0 {
                let _ = write!(finding, ", {} of them without an answer", timed.unanswered());
            }
            if count(slots) * (1.0 - quantile.fraction()) < 1.0 {
                finding.push_str(", too few to tell it from the slowest");
            }
            let bound = least.then(|| BOUND.to_owned());
            Ok(Figure { measured: at, error, finding, bound })
        })
    }
}

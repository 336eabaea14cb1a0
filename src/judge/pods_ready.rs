//! `podsReady`: the workload of the target has as many ready pods again as it wanted when the fault
//! came, for good. A workload that never had too few was back at once.
//!
//! A pod that is told to end counts no more, however well it still answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::axis::seconds;
use super::measure::hit::{Drawn, Hit};
use super::measure::ready::{self, Back};
use super::{Asked, CheckKind, Figure, Measured, words};
use crate::model::units::Span;
use crate::model::verdict::ClaimReport;

/// `podsReady: {target: web, within: 30s}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    pub target: String,
    /// From fault effective.
    pub within: Span,
    /// So many ready pods are enough; all that were wanted when the fault came unless told.
    #[serde(default)]
    pub at_least: Option<u64>,
}

pub struct PodsReady;

impl CheckKind for PodsReady {
    type Params = Params;

    const KIND: &'static str = "podsReady";
    const SUMMARY: &'static str = "the target's workload has all its ready pods again in time";
    const EXAMPLE: &'static str = "podsReady: {target: web, within: 30s}";
    const IN_CLUSTER: bool = true;

    fn target(params: &Params) -> Option<&str> {
        Some(&params.target)
    }

    fn judge(params: &Params, measured: &Measured) -> ClaimReport {
        let (target, within) = (&params.target, params.within);
        let number = params.at_least.map_or("all".to_owned(), |n| format!("at least {n}"));
        let claim = format!("{number} pods of {target} ready within {within}");
        let asked = Asked::at_most(Self::KIND, "", (claim, within));
        measured.on_hit(asked, (target, &["pods"]), |hit| drawn(hit, params.at_least))
    }
}

fn drawn(hit: &Hit, at_least: Option<u64>) -> Result<Drawn, String> {
    let ready = ready::ready(hit, at_least)?;
    let (worst, wanted, of) = (ready.worst, ready.wanted, hit.words());
    Ok(match ready.back {
        Back::NeverShort => {
            let finding = format!("never fewer than {worst} ready, of {wanted} wanted, of {of}");
            let figure = Figure { measured: 0.0, error: hit.zero_error(), finding, bound: None };
            Drawn { figure, to_ns: hit.end_ns }
        }
        Back::At { at_ns, late_ns } => {
            let (measured, error) = (hit.after(at_ns), seconds(late_ns) + hit.zero_error());
            let after = words::seconds_with_error(measured, error);
            let finding = format!(
                "{wanted} ready of {of} after {after}, at worst {worst} (watch, our arrival time)"
            );
            let figure = Figure { measured, error, finding, bound: None };
            // For good: the rest of the window had to be watched, too.
            Drawn { figure, to_ns: hit.end_ns }
        }
        Back::NotYet => {
            let last = ready.at_last;
            let finding = format!("{last} of {wanted} pods of {of} ready at the end");
            let finding = match hit.pending().first() {
                Some(pending) => format!("{finding}; {pending}"),
                None => finding,
            };
            hit.not_yet(finding, "they were ready")
        }
    })
}

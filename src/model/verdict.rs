//! What a drill showed: every claim with its figure and the figure's error, and everything that a
//! report draws. This is the published shape of `report.json`.
//!
//! Seconds count from the first fault effective (`window.zero`), so what was before is negative.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::history::Environment;
use super::observation::ErrorClass;
use super::outcome::{ClaimVerdict, Outcome};

/// The version of this format.
pub const REPORT_VERSION: u32 = 1;

/// `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Report {
    pub version: u32,
    pub experiment: String,
    pub title: String,
    pub drill: String,
    pub squall: String,
    /// RFC 3339 with offset.
    pub started: String,
    pub verdict: Outcome,
    /// One sentence: why it is that verdict.
    pub reason: String,
    pub seed: u64,
    pub digest: String,
    pub intent_digest: String,
    /// All machinery, no fault.
    pub null: bool,
    pub window: Window,
    pub claims: Vec<ClaimReport>,
    pub probes: BTreeMap<String, ProbeReport>,
    pub stages: Vec<Stage>,
    pub injections: Vec<InjectionReport>,
    /// Who was what, when.
    pub roles: Vec<RoleSpan>,
    /// What of ours was still in the world at the end; empty is the only good answer.
    pub residue: Vec<String>,
    /// False: the world was not read back after the drill, so an empty `residue` says nothing.
    pub read_back: bool,
    /// Doubts, losses of parts, disturbances: everything that weakens a figure.
    pub notes: Vec<String>,
    pub lag: LagReport,
    pub environment: Environment,
    /// The plan as a person reads it.
    pub plan: String,
    pub replay: Replay,
}

/// The files that it takes to run the same plan again, besides the seed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replay {
    /// Path of the experiment, as it was given.
    pub experiment: String,
    /// Path of the lab, where another took the place of the one that the experiment names.
    pub lab: Option<String>,
    /// Names of the policies that were in force; `default` is built in.
    pub policies: Vec<String>,
    /// Paths of the policies, as they were given.
    pub policy_files: Vec<String>,
}

/// From the first fault effective to the end of the recovery watch; every figure is over it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// Nanoseconds of `CLOCK_MONOTONIC` of second 0.
    pub zero_ns: u64,
    pub from_seconds: f64,
    pub to_seconds: f64,
    /// Where observation began and ended; slots outside the window are drawn but not counted.
    pub seen_from_seconds: f64,
    pub seen_to_seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimReport {
    pub check: String,
    /// Empty where the check has no probe.
    pub probe: String,
    pub verdict: ClaimVerdict,
    /// The figure in the unit of the check; null where nothing could be measured.
    pub measured: Option<f64>,
    /// Half-width of the figure's resolution, same unit.
    pub error: Option<f64>,
    pub limit: f64,
    /// `seconds`, `percent`, `writes`, `milliseconds`.
    pub unit: String,
    /// The claim in words: `downtime of proxy at most 6s`.
    pub claim: String,
    /// The finding in words: `2.31 s ± 0.02 s in 1 outage`.
    pub finding: String,
    /// Set when the claim came from a stop condition.
    pub stop_condition: bool,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeReport {
    pub kind: String,
    pub rate_per_second: f64,
    pub deadline_seconds: f64,
    /// Slots in the window, by grade.
    pub slots: u64,
    pub good: u64,
    pub late: u64,
    pub bad: u64,
    pub invalid: u64,
    /// Share of the window that was not in an outage, percent.
    pub availability_by_time: Option<f64>,
    /// Good slots of those that are not invalid, percent.
    pub availability_by_request: Option<f64>,
    pub downtime_seconds: f64,
    pub hard_down_seconds: f64,
    pub brown_out_seconds: f64,
    pub outages: Vec<Outage>,
    pub first_bad_seconds: Option<f64>,
    pub last_bad_seconds: Option<f64>,
    /// From fault effective to the first good after the first bad.
    pub first_good_seconds: Option<f64>,
    /// From fault effective until good for good.
    pub stable_seconds: Option<f64>,
    pub errors: BTreeMap<String, u64>,
    /// Latency in milliseconds by phase of the drill: `before`, `during`, `after`.
    pub latency: BTreeMap<String, Latency>,
    pub slo: Option<ErrorBudget>,
    pub ledger: Option<LedgerReport>,
    /// Runs of slots of one grade in time order, for the availability ribbon.
    pub ribbon: Vec<RibbonRun>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outage {
    /// Last good completion before it.
    pub from_seconds: f64,
    /// First good completion after it; the end of observation where there was none.
    pub to_seconds: f64,
    pub length_seconds: f64,
    pub error_seconds: f64,
    pub slots: u64,
    /// False: still out when we stopped looking; the length is a lower bound.
    pub ended: bool,
    /// No success at all inside.
    pub hard: bool,
    /// Errors by class, most frequent first.
    pub errors: BTreeMap<String, u64>,
    /// `refusals`, `stalls` or `samples` (which somebody else took): which rule gave the error.
    pub character: String,
}

/// Milliseconds. A slot that timed out has no answer, and is slower than every slot that has one:
/// a figure that falls among the `unanswered` slowest of `count` is the least that it can be.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Latency {
    /// Slots with an answer, and those that timed out.
    pub count: u64,
    /// Slots that timed out.
    pub unanswered: u64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Does the quantile `fraction` (0 to 1) of so many slots fall among those without an answer, which
/// are the slowest?
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of slots are small")]
pub fn is_unanswered(fraction: f64, count: u64, unanswered: u64) -> bool {
    fraction * count as f64 > count.saturating_sub(unanswered) as f64
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorBudget {
    /// The objective, percent.
    pub slo: f64,
    /// Days over which the budget runs.
    pub days: f64,
    /// Seconds of budget in those days.
    pub budget_seconds: f64,
    pub spent_seconds: f64,
    pub spent_percent: f64,
    /// How many such failovers the budget allows in those days.
    pub affordable: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerReport {
    pub attempted: u64,
    pub acknowledged: u64,
    pub failed: u64,
    pub indeterminate: u64,
    /// Acknowledged, and absent in the last read.
    pub lost: u64,
    /// Indeterminate, and absent: with `lost` the upper bound.
    pub indeterminate_absent: u64,
    /// Indeterminate, and present.
    pub recovered: u64,
    /// Absent in the first final read and present in the second, or refused and yet present.
    pub resurrected: u64,
    pub duplicate: u64,
    /// Present, but never written by this drill.
    pub phantom: u64,
    /// From the acknowledgement of the earliest lost write to the fault effective; negative where
    /// it was acknowledged after it.
    pub lost_before_fault_seconds: Option<f64>,
    /// From the first lost acknowledgement to the last.
    pub loss_span_seconds: Option<f64>,
    /// The lost entries, at most 1000 of them.
    pub lost_entries: Vec<u64>,
    pub reads: u8,
    pub read_error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stage {
    /// `fault effective`, `first bad`, `role moved`, `first good`, `stable`; where a cluster mends,
    /// also `endpoint dropped`, `node not ready`, `pod evicted`, `pod scheduled`, `pods ready`.
    pub name: String,
    pub at_seconds: f64,
    pub error_seconds: f64,
    /// Who saw it, and how often it looked: `redis@r2 asked every 20ms`.
    pub seen_by: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InjectionReport {
    pub id: String,
    pub kind: String,
    pub instance: String,
    pub summary: String,
    pub effective_seconds: Option<f64>,
    pub error_seconds: Option<f64>,
    /// Null where nothing was undone: a kill is over when the system has repaired it.
    pub gone_seconds: Option<f64>,
    /// `reverted`, `void`, `stuck`, `never in force`, `relied on the system`, `unknown` where the
    /// history does not say.
    pub ended: String,
    /// Who undid it; where it relied on the system, what was seen to repair it.
    pub by: String,
    pub evidence: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleSpan {
    pub instance: String,
    /// `unknown` while it did not answer.
    pub role: String,
    pub from_seconds: f64,
    pub to_seconds: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RibbonRun {
    pub from_seconds: f64,
    pub to_seconds: f64,
    /// `good`, `late`, `bad`, `invalid`.
    pub grade: String,
    pub slots: u64,
}

/// Our own lag, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LagReport {
    pub slots: u64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    pub stalled: f64,
}

/// The error class as it stands in a report's keys.
#[must_use]
pub fn error_key(class: ErrorClass) -> String {
    class.words().to_owned()
}

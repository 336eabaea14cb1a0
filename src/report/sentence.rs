//! Sentences that stand in more than one face, so that they say the same everywhere.

use std::collections::BTreeMap;

use super::figure::{self, count, counted, milliseconds, seconds};
use super::inline;
use crate::model::outcome::ClaimVerdict;
use crate::model::verdict::{
    ClaimReport, InjectionReport, LagReport, LedgerReport, Outage, ProbeReport, Replay, Report,
    Window,
};

/// Beside every figure: one event has no distribution.
pub const ONE_EVENT: &str =
    "n=1: bounds no RTO. Each figure is of this one event; ± is its resolution.";

/// Where nothing is left.
const NOTHING_LEFT: &str = "nothing of the drill is left";

/// Where nobody looked.
const NOT_READ_BACK: &str =
    "whether anything of the drill is left is not known: the world was not read back";

/// What to do where something is left.
pub const UNDO: &str = "squall undo --all";

/// `our own lag: p50 0.06 ms, p99 0.21 ms, max 1.10 ms over 6,000 slots`.
#[must_use]
pub fn lag(lag: &LagReport) -> String {
    if lag.slots == 0 {
        return "our own lag: not measured".to_owned();
    }
    let stalled = match lag.stalled {
        s if s > 0.0 => format!("; the prober stood still for {}", milliseconds(s)),
        _ => String::new(),
    };
    format!(
        "our own lag: p50 {}, p99 {}, max {} over {}{stalled}",
        milliseconds(lag.p50),
        milliseconds(lag.p99),
        milliseconds(lag.max),
        counted(lag.slots, "slot"),
    )
}

/// `window 0.00 s to 18.00 s; seen from -2.00 s to 18.00 s`; none where nothing was looked at.
#[must_use]
pub fn window(window: &Window) -> Option<String> {
    if window.seen_to_seconds <= window.seen_from_seconds {
        return None;
    }
    Some(format!(
        "window {} to {}; seen from {} to {}",
        seconds(window.from_seconds),
        seconds(window.to_seconds),
        seconds(window.seen_from_seconds),
        seconds(window.seen_to_seconds),
    ))
}

/// What the words and the errors of the outages mean.
#[must_use]
pub fn outage_terms(report: &Report) -> String {
    let mut outages = report.probes.values().flat_map(|probe| &probe.outages);
    if outages.any(|outage| outage.character == "samples") {
        format!("{OUTAGE_TERMS} {SAMPLES_TERM}")
    } else {
        OUTAGE_TERMS.to_owned()
    }
}

const OUTAGE_TERMS: &str = "hard down: not one good answer in it; brown-out: some. \
    ± of refusals is two slots of the probe; of stalls, where an edge is a slot without an answer \
    in time, its deadline more.";

const SAMPLES_TERM: &str = "Of samples that somebody else took, their age at both edges more.";

/// What is said where nothing was found to be left.
#[must_use]
pub fn nothing_found(report: &Report) -> &'static str {
    if report.read_back { NOTHING_LEFT } else { NOT_READ_BACK }
}

/// `2 of 5 claims deviated, 1 inconclusive`.
#[must_use]
pub fn claims(claims: &[ClaimReport]) -> String {
    let of = |verdict| claims.iter().filter(|claim| claim.verdict == verdict).count();
    match (of(ClaimVerdict::Deviated), of(ClaimVerdict::Inconclusive), claims.len()) {
        (_, _, 0) => "no claim was judged".to_owned(),
        (0, 0, 1) => "the one claim held".to_owned(),
        (0, 0, all) => format!("all {all} claims held"),
        (1, 0, 1) => "the one claim deviated".to_owned(),
        (0, 1, 1) => "the one claim is inconclusive".to_owned(),
        (0, open, all) => format!("{open} of {all} claims inconclusive"),
        (wrong, 0, all) => format!("{wrong} of {all} claims deviated"),
        (wrong, open, all) => format!("{wrong} of {all} claims deviated, {open} inconclusive"),
    }
}

/// `2.31 s ± 0.02 s`, or the lower bound where it never ended.
#[must_use]
pub fn outage_length(outage: &Outage) -> String {
    let length = figure::seconds_within(outage.length_seconds, Some(outage.error_seconds));
    if outage.ended { length } else { format!("at least {length}, still out at the end") }
}

/// `1 outage, 2.31 s ± 0.02 s, hard down, refusals`; of several, the longest.
#[must_use]
pub fn outages(probe: &ProbeReport) -> String {
    let by_length = |a: &&Outage, b: &&Outage| a.length_seconds.total_cmp(&b.length_seconds);
    let Some(longest) = probe.outages.iter().max_by(by_length) else {
        return "no outage".to_owned();
    };
    let number = counted(probe.outages.len() as u64, "outage");
    let which = if probe.outages.len() > 1 { "longest " } else { "" };
    let depth = depth(longest);
    format!("{number}, {which}{}, {depth}, {}", outage_length(longest), longest.character)
}

/// Was there any success inside?
#[must_use]
pub fn depth(outage: &Outage) -> &'static str {
    if outage.hard { "hard down" } else { "brown-out" }
}

/// `refused 312, timeout 48`, most frequent first.
#[must_use]
pub fn errors(errors: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<_> = errors.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let parts: Vec<_> = sorted.iter().map(|(class, n)| format!("{class} {}", count(**n))).collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// The ledger in one sentence: what was written and what became of it.
#[must_use]
pub fn ledger(ledger: &LedgerReport) -> String {
    if let Some(error) = &ledger.read_error {
        return format!(
            "{} acknowledged writes could not be read back, so nothing is known of them: {error}",
            count(ledger.acknowledged)
        );
    }
    if ledger.reads == 0 {
        let acknowledged = count(ledger.acknowledged);
        return format!("{acknowledged} acknowledged writes were never read back");
    }
    format!(
        "{} of {} acknowledged writes lost; {} indeterminate ({} absent, {} present); \
         {} resurrected, {} duplicate, {} phantom; read back {}",
        count(ledger.lost),
        count(ledger.acknowledged),
        count(ledger.indeterminate),
        count(ledger.indeterminate_absent),
        count(ledger.recovered),
        count(ledger.resurrected),
        count(ledger.duplicate),
        count(ledger.phantom),
        times(ledger.reads),
    )
}

/// Measured RPO in writes and in time; none where nothing is known or nothing went.
#[must_use]
pub fn loss(ledger: &LedgerReport) -> Option<String> {
    let known = ledger.reads > 0 && ledger.read_error.is_none();
    if !known || ledger.lost + ledger.indeterminate_absent == 0 {
        return None;
    }
    let upper = ledger.lost + ledger.indeterminate_absent;
    let mut parts = vec![if ledger.lost == upper {
        format!("measured RPO: {}", counted(upper, "write"))
    } else {
        format!("measured RPO: between {} and {} writes", count(ledger.lost), count(upper))
    }];
    if let Some(before) = ledger.lost_before_fault_seconds {
        let side = if before < 0.0 { "after" } else { "before" };
        let before = seconds(before.abs());
        parts.push(format!("the earliest lost was acknowledged {before} {side} the fault"));
    }
    let span = ledger.loss_span_seconds;
    parts.extend(span.map(|span| format!("first to last lost {}", seconds(span))));
    Some(parts.join("; "))
}

/// Is there any outage that [`outage_terms`] are needed for?
#[must_use]
pub fn any_outage(report: &Report) -> bool {
    report.probes.values().any(|probe| !probe.outages.is_empty())
}

/// How an injection ended, and who ended it.
#[must_use]
pub fn ending(injection: &InjectionReport) -> String {
    match (injection.ended.as_str(), injection.by.as_str()) {
        (ended, "") => ended.to_owned(),
        ("relied on the system", seen) => format!("relied on the system: {seen}"),
        (ended, by) => format!("{ended}, by {by}"),
    }
}

/// The command that runs the same plan again, from the folder in which the drill was run. It can
/// be pasted into a shell as it is.
#[must_use]
pub fn replay(report: &Report) -> String {
    let Replay { experiment, lab, policy_files, .. } = &report.replay;
    let lab = lab.as_ref().map(|lab| format!(" --lab {}", argument(lab))).unwrap_or_default();
    let policies = policy_files.iter().map(|file| format!(" --policy {}", argument(file)));
    let policies: String = policies.collect();
    let null = if report.null { " --null" } else { "" };
    let line =
        format!("squall run {}{lab}{policies} --seed {}{null}", argument(experiment), report.seed);
    inline::one_line(&line)
}

/// What the command of [`replay`] cannot know, and how to see that it is the same plan.
#[must_use]
pub fn replay_note(report: &Report) -> String {
    let names: Vec<&str> = report.replay.policies.iter().map(String::as_str).collect();
    let policies = match names.as_slice() {
        _ if !report.replay.policy_files.is_empty() => String::new(),
        [] | ["default"] => String::new(),
        names => format!("give the policies again, by --policy: {}; ", names.join(", ")),
    };
    format!("{policies}it is the same plan if its digest is {}", report.digest)
}

/// A path as one word of a shell's line, and never as an option.
fn argument(path: &str) -> String {
    let path = if path.starts_with('-') { format!("./{path}") } else { path.to_owned() };
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn times(reads: u8) -> String {
    match reads {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

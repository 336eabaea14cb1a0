//! The parts of the text, in the order in which a person asks: did it hold, by how much, when,
//! why, and is anything left.

use super::columns::{Cell, grid, hanging};
use super::drawing;
use super::style::{Style, Tone};
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::model::verdict::{ClaimReport, InjectionReport, ProbeReport, Report};
use crate::report::{figure, sentence, stages as legs};

/// The column of a claim that wraps.
pub const CLAIM_WORDS: usize = 1;

type Lines = Vec<String>;

/// Verdict, name, title, reason.
pub fn head(report: &Report, style: &Style) -> Lines {
    let verdict = report.verdict.to_string();
    let null = if report.null { " (null: all machinery, no fault)" } else { "" };
    let name = format!("{}{null}", report.experiment);
    let mut lines = hanging(style, &format!("{verdict}  "), &name);
    lines[0] = lines[0].replacen(&verdict, &style.paint(report.verdict.into(), &verdict), 1);
    if !report.title.is_empty() {
        lines.extend(hanging(style, "  ", &report.title));
    }
    lines.extend(hanging(style, "  ", &report.reason));
    let seen = sentence::window(&report.window);
    let seen = seen.map(|window| format!(", {window}")).unwrap_or_default();
    let when = format!("drill {}, {}{seen}", report.drill, figure::moment(&report.started));
    lines.extend(hanging(style, "  ", &when).iter().map(|line| style.paint(Tone::Dim, line)));
    lines
}

/// For who wants to know whether it held, and else what went wrong.
pub fn brief(report: &Report, style: &Style, files: &[String]) -> Lines {
    let whole = head(report, style);
    let held = report.verdict == Outcome::Held;
    let mut lines = vec![whole[0].clone()];
    if !held {
        lines.extend(hanging(style, "  ", &report.reason));
    }
    let rows: Vec<_> = report.claims.iter().map(|claim| claim_row(claim, style)).collect();
    lines.extend(grid(style, &rows, CLAIM_WORDS));
    lines.extend(findings(report, style));
    if !held {
        lines.extend(report.notes.iter().flat_map(|note| hanging(style, "  - ", note)));
    }
    lines.extend(residue(report, style));
    lines.extend(files.iter().map(|path| format!("report: {}", style.say(path))));
    lines
}

/// What was found of each claim that did not hold.
fn findings(report: &Report, style: &Style) -> Lines {
    let mut lines = Vec::new();
    for claim in report.claims.iter().filter(|c| c.verdict != ClaimVerdict::Held) {
        let prefix = format!("    {}: ", style.say(&subject(claim)));
        lines.extend(hanging(style, &prefix, &claim.finding));
    }
    lines
}

/// One line per claim; what was found where it did not hold.
pub fn claims(report: &Report, style: &Style) -> Lines {
    let mut lines = vec![heading(style, "Claims")];
    let rows: Vec<_> = report.claims.iter().map(|claim| claim_row(claim, style)).collect();
    lines.extend(grid(style, &rows, CLAIM_WORDS));
    if rows.is_empty() {
        lines.extend(hanging(style, "  ", &sentence::claims(&report.claims)));
        return lines;
    }
    lines.extend(findings(report, style));
    for text in [sentence::ONE_EVENT, &sentence::lag(&report.lag)] {
        lines.extend(hanging(style, "  ", text).iter().map(|l| style.paint(Tone::Dim, l)));
    }
    lines
}

/// What a finding is about: `downtime of proxy`.
fn subject(claim: &ClaimReport) -> String {
    match claim.probe.as_str() {
        "" => claim.check.clone(),
        probe => format!("{} of {probe}", claim.check),
    }
}

/// Verdict, words, figure, limit.
pub fn claim_row(claim: &ClaimReport, style: &Style) -> Vec<Cell> {
    let words = if claim.stop_condition {
        format!("{} (stop condition)", claim.claim)
    } else {
        claim.claim.clone()
    };
    let tone = claim.verdict.into();
    vec![
        Cell::new(style, &claim.verdict.to_string()).tone(tone),
        Cell::new(style, &words),
        Cell::figure(style, &figure::measured(claim)).tone(tone),
        Cell::new(style, &format!("limit {}", figure::limit(claim))).tone(Tone::Dim),
    ]
}

/// The drawing; none where nothing was seen and nothing was done.
pub fn timeline(report: &Report, style: &Style) -> Lines {
    if report.probes.is_empty() && report.injections.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Timeline, in seconds from the first fault effective")];
    lines.extend(drawing::timeline(report, style));
    lines
}

/// When each stage was reached, how long it took from the one before, who saw it.
pub fn stages(report: &Report, style: &Style) -> Lines {
    if report.stages.is_empty() {
        return Vec::new();
    }
    let legs = legs::legs(&report.stages);
    let rows: Vec<_> = report
        .stages
        .iter()
        .enumerate()
        .map(|(index, stage)| {
            let at = figure::seconds_within(stage.at_seconds, Some(stage.error_seconds));
            let leg =
                index.checked_sub(1).map(|before| figure::signed_seconds(legs[before].seconds));
            vec![
                Cell::new(style, &drawing::mark(index).to_string()).tone(Tone::Heading),
                Cell::new(style, &stage.name),
                Cell::figure(style, &at),
                Cell::figure(style, &leg.unwrap_or_default()),
                Cell::new(style, &stage.seen_by).tone(Tone::Dim),
            ]
        })
        .collect();
    let mut lines = vec![heading(style, "Stages")];
    lines.extend(grid(style, &rows, 4));
    lines.extend(legs::longest(&report.stages).iter().flat_map(|l| hanging(style, "  ", l)));
    lines
}

/// What each probe saw: availability, outages, errors, ledger.
pub fn probes(report: &Report, style: &Style) -> Lines {
    if report.probes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Probes")];
    for (name, probe) in &report.probes {
        let prefix = format!("  {}: ", style.say(name));
        lines.extend(hanging(style, &prefix, &availability(probe)));
        lines.extend(hanging(style, "    ", &sentence::outages(probe)));
        if !probe.errors.is_empty() {
            lines.extend(hanging(style, "    errors: ", &sentence::errors(&probe.errors)));
        }
        if let Some(ledger) = &probe.ledger {
            lines.extend(hanging(style, "    ledger: ", &sentence::ledger(ledger)));
            let loss = sentence::loss(ledger);
            lines.extend(loss.iter().flat_map(|loss| hanging(style, "    ", loss)));
        }
    }
    if sentence::any_outage(report) {
        let terms = hanging(style, "  ", &sentence::outage_terms(report));
        lines.extend(terms.iter().map(|line| style.paint(Tone::Dim, line)));
    }
    lines
}

fn availability(probe: &ProbeReport) -> String {
    let invalid = match probe.invalid {
        0 => String::new(),
        n => format!(", {} invalid", figure::count(n)),
    };
    format!(
        "{} available by time, {} by request; {} at {}/s: {} good, {} late, {} bad{invalid}",
        figure::percent(probe.availability_by_time),
        figure::percent(probe.availability_by_request),
        figure::counted(probe.slots, "slot"),
        probe.rate_per_second,
        figure::count(probe.good),
        figure::count(probe.late),
        figure::count(probe.bad),
    )
}

/// Each fault: when in force, how it ended.
pub fn faults(report: &Report, style: &Style) -> Lines {
    if report.injections.is_empty() {
        return Vec::new();
    }
    let rows: Vec<_> = report.injections.iter().map(|i| fault_row(i, style)).collect();
    let mut lines = vec![heading(style, "Faults")];
    lines.extend(grid(style, &rows, 2));
    lines
}

fn fault_row(injection: &InjectionReport, style: &Style) -> Vec<Cell> {
    let in_force = injection.effective_seconds.map(|from| {
        let to = injection.gone_seconds.map(figure::seconds);
        let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
        format!("from {}{to}", figure::seconds(from))
    });
    let tone = if injection.ended == "stuck" { Tone::Stuck } else { Tone::Plain };
    vec![
        Cell::new(style, &format!("{} {}", injection.kind, injection.instance)),
        Cell::new(style, &in_force.unwrap_or_default()),
        Cell::new(style, &sentence::ending(injection)).tone(tone),
    ]
}

/// Everything that weakens a figure.
pub fn notes(report: &Report, style: &Style) -> Lines {
    if report.notes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Notes")];
    lines.extend(report.notes.iter().flat_map(|note| hanging(style, "  - ", note)));
    lines
}

/// Residue, how to run it again, the files, and the verdict as the last word.
pub fn end(report: &Report, style: &Style, files: &[String]) -> Lines {
    let mut lines = residue(report, style);
    // Never wrapped: it is there to be copied.
    lines.push(format!("replay: {}", style.say(&sentence::replay(report))));
    let digest = format!("digest {}", figure::short_digest(&report.digest));
    lines.extend(hanging(style, "        ", &digest).iter().map(|l| style.paint(Tone::Dim, l)));
    lines.extend(files.iter().map(|path| format!("report: {}", style.say(path))));
    let verdict = report.verdict.to_string();
    let count = sentence::claims(&report.claims);
    lines.push(format!("{count}; verdict: {}", style.paint(report.verdict.into(), &verdict)));
    lines
}

fn residue(report: &Report, style: &Style) -> Lines {
    if report.residue.is_empty() && report.verdict != Outcome::Stuck {
        return hanging(style, "", sentence::nothing_found(report));
    }
    let title = match report.residue.len() {
        0 => "STUCK: a fault could not be undone, or not be seen to be gone".to_owned(),
        left => format!("STILL THERE: {} of this drill", figure::counted(left as u64, "thing")),
    };
    let mut lines = vec![style.paint(Tone::Stuck, &title)];
    lines.extend(report.residue.iter().flat_map(|thing| hanging(style, "  - ", thing)));
    lines.extend(hanging(style, "  remove it with: ", sentence::UNDO));
    lines
}

fn heading(style: &Style, text: &str) -> String {
    style.paint(Tone::Heading, text)
}

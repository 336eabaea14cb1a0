//! What each probe saw, in figures.

use maud::{Markup, html};

use super::head::item;
use super::table::{Column, figures, say, table, word, words};
use crate::model::verdict::{LedgerReport, ProbeReport, Report, is_unanswered};
use crate::report::figure::{self, count, percent};
use crate::report::svg::cell;
use crate::report::timeline::Extent;
use crate::report::{inline, sentence};

/// The phases of a drill in their order; others follow by name.
const PHASES: [&str; 3] = ["before", "during", "after"];

pub fn outages(report: &Report) -> Markup {
    const COLUMNS: [Column; 8] = [
        word("probe"),
        figures("from"),
        figures("to"),
        figures("length ± resolution"),
        figures("slots"),
        word("depth"),
        word("seen as"),
        words("errors"),
    ];
    let all = report.probes.iter().flat_map(|(name, p)| p.outages.iter().map(move |o| (name, o)));
    let rows: Vec<_> = all
        .map(|(name, outage)| {
            vec![
                say(name),
                html! { (figure::seconds(outage.from_seconds)) },
                html! { @if outage.ended { (figure::seconds(outage.to_seconds)) } @else { "not ended" } },
                html! { @if !outage.ended { "at least " }
                    (figure::seconds_within(outage.length_seconds, Some(outage.error_seconds))) },
                html! { (count(outage.slots)) },
                html! { (sentence::depth(outage)) },
                say(&outage.character),
                say(&sentence::errors(&outage.errors)),
            ]
        })
        .collect();
    html! { section {
        h2 { "Outages" }
        @if rows.is_empty() {
            p { "No probe saw an outage." }
        } @else {
            (table("From the last good answer before to the first good answer after.", &COLUMNS, rows))
            p class="fine" { (inline::capital(&sentence::outage_terms(report))) }
        }
    } }
}

pub fn summary(report: &Report) -> Markup {
    const COLUMNS: [Column; 14] = [
        word("probe"),
        figures("available by time"),
        figures("by request"),
        figures("slots"),
        figures("good"),
        figures("late"),
        figures("bad"),
        figures("invalid"),
        figures("down"),
        figures("hard down"),
        figures("brown-out"),
        figures("first bad"),
        figures("first good"),
        figures("stable"),
    ];
    if report.probes.is_empty() {
        return html! {};
    }
    let rows = report.probes.iter().map(|(name, probe)| summary_row(name, probe)).collect();
    let errors: Vec<_> = report.probes.iter().filter(|(_, p)| !p.errors.is_empty()).collect();
    html! { section {
        h2 { "Probes" }
        (table("Over the window.", &COLUMNS, rows))
        @if !errors.is_empty() {
            ul class="plain fine" { @for (name, probe) in errors {
                li { "errors of " (inline::one_line(name)) ": "
                    (inline::one_line(&sentence::errors(&probe.errors))) }
            } }
        }
    } }
}

fn summary_row(name: &str, probe: &ProbeReport) -> Vec<Markup> {
    let moment = |at: Option<f64>| html! { @if let Some(at) = at { (figure::seconds(at)) } };
    vec![
        html! { (inline::one_line(name))
        div class="fine" { (inline::one_line(&probe.kind)) ", " (probe.rate_per_second) "/s, deadline "
            (figure::exact(probe.deadline_seconds * 1e3, "milliseconds")) } },
        html! { (percent(probe.availability_by_time)) },
        html! { (percent(probe.availability_by_request)) },
        html! { (count(probe.slots)) },
        html! { (count(probe.good)) },
        html! { (count(probe.late)) },
        html! { (count(probe.bad)) },
        html! { (count(probe.invalid)) },
        html! { (figure::seconds(probe.downtime_seconds)) },
        html! { (figure::seconds(probe.hard_down_seconds)) },
        html! { (figure::seconds(probe.brown_out_seconds)) },
        moment(probe.first_bad_seconds),
        moment(probe.first_good_seconds),
        moment(probe.stable_seconds),
    ]
}

pub fn latency(report: &Report) -> Markup {
    const COLUMNS: [Column; 9] = [
        word("probe"),
        word("phase"),
        figures("slots"),
        figures("unanswered"),
        figures("p50"),
        figures("p99"),
        figures("p99.9"),
        figures("max"),
        word("p50 to max"),
    ];
    let all = report.probes.values().flat_map(|probe| probe.latency.values());
    let axis = cell::decades(all);
    let rows: Vec<_> =
        report.probes.iter().flat_map(|(name, probe)| latency_rows(name, probe, axis)).collect();
    if rows.is_empty() {
        return html! {};
    }
    html! { section {
        h2 { "Latency" }
        (table(&latency_caption(axis), &COLUMNS, rows))
    } }
}

fn latency_caption(axis: Extent) -> String {
    let end = |exponent: f64| figure::exact(10_f64.powf(exponent), "milliseconds");
    format!(
        "From the due time of a slot, before, during and after the faults. A slot that timed out is \
         unanswered and slower than any answer; a figure that falls among those is at least so \
         long. The drawing runs from {} to {}, logarithmic: the dot is the median, the ticks are p99 and \
         p99.9.",
        end(axis.from),
        end(axis.to)
    )
}

fn latency_rows(name: &str, probe: &ProbeReport, axis: Extent) -> Vec<Vec<Markup>> {
    let mut phases: Vec<_> = probe.latency.iter().collect();
    let order =
        |phase: &str| PHASES.iter().position(|known| *known == phase).unwrap_or(PHASES.len());
    phases.sort_by_key(|(phase, _)| order(phase));
    phases
        .into_iter()
        .map(|(phase, latency)| {
            let ms = |fraction: f64, value: f64| {
                html! { @if latency.count > 0 {
                    @if is_unanswered(fraction, latency.count, latency.unanswered) { "at least " }
                    (figure::milliseconds(value))
                } }
            };
            vec![
                say(name),
                say(phase),
                html! { (count(latency.count)) },
                html! { (count(latency.unanswered)) },
                ms(0.5, latency.p50),
                ms(0.99, latency.p99),
                ms(0.999, latency.p999),
                ms(1.0, latency.max),
                cell::range(latency, axis),
            ]
        })
        .collect()
}

pub fn ledgers(report: &Report) -> Markup {
    let kept = report.probes.iter().filter_map(|(name, p)| p.ledger.as_ref().map(|l| (name, l)));
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() {
        return html! {};
    }
    html! { section {
        h2 { "Ledger" }
        @for (name, ledger) in kept {
            h3 { "Probe " (inline::one_line(name)) }
            p { (inline::capital(&inline::one_line(&sentence::ledger(ledger)))) "." }
            @if let Some(loss) = sentence::loss(ledger) { p { (inline::capital(&loss)) "." } }
            (ledger_figures(ledger))
            @if !ledger.lost_entries.is_empty() {
                p class="fine" { "Lost entries: " (entries(&ledger.lost_entries)) }
            }
        }
    } }
}

fn ledger_figures(ledger: &LedgerReport) -> Markup {
    let known = ledger.reads > 0 && ledger.read_error.is_none();
    let figure = |name: &str, value: u64| item(name, &html! { (count(value)) });
    // What only a reading back can tell is not known without one.
    let read = |name: &str, value: u64| {
        item(name, &html! { @if known { (count(value)) } @else { "unknown" } })
    };
    html! { dl {
        (figure("attempted", ledger.attempted))
        (figure("acknowledged", ledger.acknowledged))
        (figure("failed for sure", ledger.failed))
        (figure("indeterminate", ledger.indeterminate))
        (read("lost", ledger.lost))
        (read("indeterminate, absent", ledger.indeterminate_absent))
        (read("indeterminate, present", ledger.recovered))
        (read("resurrected", ledger.resurrected))
        (read("duplicate", ledger.duplicate))
        (read("phantom", ledger.phantom))
        (figure("final reads", ledger.reads.into()))
    } }
}

/// Runs are joined, and only the first hundred are named; the JSON has more.
fn entries(lost: &[u64]) -> String {
    const NAMED: usize = 100;
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for entry in lost {
        match runs.last_mut() {
            Some(run) if run.1.checked_add(1) == Some(*entry) => run.1 = *entry,
            _ => runs.push((*entry, *entry)),
        }
    }
    let name = |(from, to): &(u64, u64)| {
        if from == to { from.to_string() } else { format!("{from} to {to}") }
    };
    let named: Vec<_> = runs.iter().take(NAMED).map(name).collect();
    let more = if runs.len() > NAMED { ", and more in report.json" } else { "" };
    named.join(", ") + more
}

pub fn budgets(report: &Report) -> Markup {
    const COLUMNS: [Column; 7] = [
        word("probe"),
        figures("objective"),
        figures("over"),
        figures("budget"),
        figures("spent"),
        figures("of the budget"),
        figures("such failovers it allows"),
    ];
    let rows: Vec<_> = report
        .probes
        .iter()
        .filter_map(|(name, probe)| probe.slo.as_ref().map(|slo| (name, slo)))
        .map(|(name, slo)| {
            vec![
                say(name),
                html! { (figure::exact(slo.slo, "percent")) },
                html! { (figure::exact(slo.days, "days")) },
                html! { (figure::seconds(slo.budget_seconds)) },
                html! { (figure::seconds(slo.spent_seconds)) },
                html! { (figure::number(slo.spent_percent, 2).unwrap_or_default()) "%" },
                html! { (figure::number(slo.affordable, 1).unwrap_or_default()) },
            ]
        })
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    html! { section {
        h2 { "Error budget" }
        (table("What this one event takes from the budget of the objective.", &COLUMNS, rows))
    } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::Latency;

    #[test]
    fn a_figure_among_slots_without_an_answer_is_said_to_be_a_bound() {
        let cells = |unanswered| {
            let latency =
                Latency { count: 100, unanswered, p50: 1.0, p99: 7.0, p999: 8.0, max: 9.0 };
            let mut probe = ProbeReport::default();
            probe.latency.insert("during".to_owned(), latency);
            let axis = cell::decades([latency].iter());
            let row = latency_rows("p", &probe, axis).remove(0);
            row[3..8].iter().map(|cell| cell.clone().into_string()).collect::<Vec<_>>()
        };
        assert_eq!(cells(0), ["0", "1.00 ms", "7.00 ms", "8.00 ms", "9.00 ms"]);
        let some = ["1", "1.00 ms", "7.00 ms", "at least 8.00 ms", "at least 9.00 ms"];
        assert_eq!(cells(1), some);
        assert!(cells(100)[1..].iter().all(|cell| cell.starts_with("at least ")));
    }
}

//! Claims, stages, faults, and what a reader needs to judge and to repeat them.

use maud::{Markup, html};

use super::head::{item, wide};
use super::table::{Column, figures, say, table, word, words};
use crate::model::verdict::{ClaimReport, InjectionReport, Report};
use crate::report::svg::cell;
use crate::report::timeline::Extent;
use crate::report::{figure, inline, sentence, stages as legs};

pub fn claims(report: &Report) -> Markup {
    const COLUMNS: [Column; 6] = [
        words("claim"),
        Column { head: "verdict", class: "v" },
        figures("measured ± resolution"),
        figures("limit"),
        word(""),
        words("found"),
    ];
    let rows = report.claims.iter().map(claim).collect();
    html! { section {
        h2 { "Claims" }
        @if report.claims.is_empty() {
            p { "No claim was judged." }
        } @else {
            (table("The band is what the claim allows, the line its limit, the dot the figure.",
                &COLUMNS, rows))
        }
        p class="fine" { (sentence::ONE_EVENT) }
        p class="fine" { (inline::capital(&sentence::lag(&report.lag))) "." }
    } }
}

fn claim(claim: &ClaimReport) -> Vec<Markup> {
    let verdict = claim.verdict.to_string();
    vec![
        html! { (inline::one_line(&claim.claim))
        @if claim.stop_condition { span class="muted" { " (stop condition)" } } },
        html! { span class=(verdict) { (verdict) } },
        html! { (figure::measured(claim)) },
        html! { (figure::limit(claim)) },
        cell::bullet(claim),
        say(&claim.finding),
    ]
}

pub fn stages(report: &Report) -> Markup {
    const COLUMNS: [Column; 6] = [
        word("stage"),
        figures("at"),
        figures("took"),
        word(""),
        words("what went on"),
        words("seen by"),
    ];
    let stages = &report.stages;
    let (Some(first), Some(last)) = (stages.first(), stages.last()) else { return html! {} };
    let to = last.at_seconds.max(first.at_seconds + 1e-3);
    let whole = Extent { from: first.at_seconds, to };
    let legs = legs::legs(stages);
    let rows = stages.iter().enumerate().map(|(index, stage)| {
        let leg = index.checked_sub(1).map(|before| &legs[before]);
        vec![
            say(&stage.name),
            html! { (figure::seconds_within(stage.at_seconds, Some(stage.error_seconds))) },
            html! { @if let Some(leg) = leg { (figure::seconds(leg.seconds)) } },
            html! { @if let Some(leg) = leg {
            (cell::leg(whole, leg.from.at_seconds, leg.to.at_seconds)) } },
            html! { @if let Some(leg) = leg { (inline::one_line(&leg.name())) } },
            say(&stage.seen_by),
        ]
    });
    html! { section {
        h2 { "Stages" }
        @if let Some(longest) = legs::longest(stages) { p { (inline::capital(&inline::one_line(&longest))) "." } }
        (table("Each bar runs from the stage before to this one.", &COLUMNS, rows.collect()))
    } }
}

pub fn faults(report: &Report) -> Markup {
    const COLUMNS: [Column; 6] = [
        words("fault"),
        word("target"),
        figures("effective"),
        figures("gone"),
        words("ended"),
        words("seen"),
    ];
    if report.injections.is_empty() {
        return html! {};
    }
    let rows = report.injections.iter().map(fault).collect();
    html! { section {
        h2 { "Faults" }
        (table("What was put in force, and what proves it.", &COLUMNS, rows))
    } }
}

fn fault(injection: &InjectionReport) -> Vec<Markup> {
    let effective = injection.effective_seconds.map_or_else(
        || "never".to_owned(),
        |at| figure::seconds_within(at, injection.error_seconds),
    );
    let stuck = (injection.ended == "stuck").then_some("stuck");
    vec![
        html! { (inline::one_line(&injection.kind))
        div class="fine" { (inline::one_line(&injection.summary)) " "
            code { (inline::one_line(&injection.id)) } } },
        say(&injection.instance),
        html! { (effective) },
        html! { @if let Some(gone) = injection.gone_seconds { (figure::seconds(gone)) } },
        html! { span class=[stuck] { (inline::one_line(&sentence::ending(injection))) } },
        html! { @for seen in &injection.evidence { div { (inline::one_line(seen)) } } },
    ]
}

pub fn notes(report: &Report) -> Markup {
    if report.notes.is_empty() {
        return html! {};
    }
    html! { section {
        h2 { "Notes" }
        ul class="plain" { @for note in &report.notes { li { (inline::one_line(note)) } } }
    } }
}

pub fn surroundings(report: &Report) -> Markup {
    let environment = &report.environment;
    html! { section {
        h2 { "Environment" }
        dl {
            (item("kernel", &say(&environment.kernel)))
            (item("cores", &html! { (environment.cores) }))
            (item("load over one minute at the start", &html! { (environment.load) }))
            (item("privilege", &say(&environment.privilege)))
            (item("scheduling of the prober", &say(&environment.prober_scheduling)))
            @for (name, carrier) in &environment.carriers {
                (item(&format!("carrier: {}", inline::one_line(name)), &say(carrier)))
            }
            (wide("replay", &html! { code { (sentence::replay(report)) } }))
            (wide("the same plan", &say(&sentence::replay_note(report))))
        }
    } }
}

pub fn plan(report: &Report) -> Markup {
    html! { section {
        h2 { "Plan" }
        pre { (inline::many_lines(&report.plan)) }
    } }
}

//! `blast.html`: the map, its claims, and a way to the report of each drill. It loads nothing.

use maud::{Markup, html};

use super::{sentence, svg};
use crate::model::blast::{BlastReport, Loss};
use crate::report::html::page;
use crate::report::html::table::{figures, say, table, word, words};
use crate::report::{figure, inline};

/// The page.
#[must_use]
pub fn render(report: &BlastReport) -> String {
    let title = format!("{}: {}", inline::one_line(&report.map), report.verdict);
    let body = html! {
        (head(report))
        main { (map(report)) (claims(report)) (losses(report)) }
    };
    page(&title, &body)
}

fn head(report: &BlastReport) -> Markup {
    let verdict = report.verdict.to_string();
    let item = |name: &str, value: Markup| html! { div { dt { (name) } dd { (value) } } };
    html! {
        header class=(verdict) {
            p class={ "verdict " (verdict) } { (verdict) }
            h1 { (inline::one_line(&report.map)) }
            p class="title" { (inline::one_line(&report.title)) }
            p class="reason" { (inline::one_line(&report.reason)) }
        }
        dl {
            (item("started", html! { (inline::one_line(&figure::moment(&report.started))) }))
            (item("seed", html! { code { (report.seed) } }))
            (item("squall", html! { (inline::one_line(&report.squall)) }))
            (item("hurt by", html! {
                "an outage of more than " (figure::exact(report.hurt_by_seconds, "seconds"))
            }))
        }
    }
}

fn map(report: &BlastReport) -> Markup {
    html! {
        h2 { "Who is hurt" }
        p class="caption" { "A row for each service that was lost, a column for each journey." }
        div class="chart" role="region" tabindex="0" aria-label="Who is hurt" {
            (svg::figure(report))
        }
        p class="key" {
            span { (sample("map-hurt")) "hurt: its longest outage, and what was answered" }
            span { svg viewBox="0 0 18 14" aria-hidden="true" {
                circle class="map-unhurt" cx="9" cy="7" r="4" {}
            } "not hurt" }
            span { (sample("map-unknown")) "not known" }
        }
    }
}

fn sample(class: &str) -> Markup {
    html! { svg viewBox="0 0 18 14" aria-hidden="true" {
        rect class=(class) x="1" y="1" width="16" height="12" rx="2" {}
    } }
}

fn claims(report: &BlastReport) -> Markup {
    if report.claims.is_empty() {
        return html! {};
    }
    let rows = report.claims.iter().map(|claim| {
        let verdict = claim.verdict.to_string();
        vec![
            say(&claim.claim),
            html! { span class=(verdict) { strong { (verdict) } } },
            say(&claim.finding),
        ]
    });
    let columns = [words("claim"), word("verdict"), words("found")];
    html! {
        h2 { "Claims" }
        (table("What the map as a whole must show.", &columns, rows.collect()))
    }
}

fn losses(report: &BlastReport) -> Markup {
    let rows = report.losses.iter().map(|loss| row(loss, &report.journeys)).collect();
    let columns =
        [word("lost"), words("how"), figures("in force"), words("who was hurt"), word("")];
    html! {
        h2 { "Losses" }
        (table("Each is a drill of its own, with its own report.", &columns, rows))
    }
}

fn row(loss: &Loss, journeys: &[String]) -> Vec<Markup> {
    let report = format!("{}/report.html", loss.folder);
    vec![
        say(&loss.service),
        say(&loss.what),
        html! { (loss.in_force_seconds.map(figure::seconds).unwrap_or_default()) },
        say(&sentence::loss(loss, journeys)),
        html! { @if !loss.folder.is_empty() { a href=(report) { "report" } } },
    ]
}

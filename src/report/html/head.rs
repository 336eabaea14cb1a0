//! What one reads first: the verdict, why, which drill, and whether anything is left.

use maud::{Markup, html};

use crate::model::outcome::Outcome;
use crate::model::verdict::Report;
use crate::report::{figure, inline, sentence};

pub fn header(report: &Report) -> Markup {
    let verdict = report.verdict.to_string();
    html! {
        header class=(verdict) {
            p class={ "verdict " (verdict) } { (verdict) }
            h1 { (inline::one_line(&report.experiment)) }
            @if !report.title.is_empty() { p class="title" { (inline::one_line(&report.title)) } }
            p class="reason" { (inline::one_line(&report.reason)) }
            @if report.null { p { "A null drill: all the machinery, no fault." } }
        }
        dl {
            (item("drill", &html! { code { (inline::one_line(&report.drill)) } }))
            (item("started", &html! { (inline::one_line(&figure::moment(&report.started))) }))
            (item("seed", &html! { code { (report.seed) } }))
            (item("squall", &html! { (inline::one_line(&report.squall)) }))
            (item("claims", &html! { (sentence::claims(&report.claims)) }))
            (item("window", &html! { (window(report)) }))
            (wide("digest of the plan", &html! { code { (inline::one_line(&report.digest)) } }))
            (wide("digest of the intent",
                &html! { code { (inline::one_line(&report.intent_digest)) } }))
        }
    }
}

fn window(report: &Report) -> String {
    let sentence = sentence::window(&report.window).unwrap_or_else(|| "none".to_owned());
    sentence.strip_prefix("window ").map(str::to_owned).unwrap_or(sentence)
}

/// A name and a value.
pub fn item(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// The same over the whole width.
pub fn wide(name: &str, value: &Markup) -> Markup {
    html! { div class="wide" { dt { (name) } dd { (value) } } }
}

/// One quiet line where nothing is left; a frame where something is.
pub fn residue(report: &Report) -> Markup {
    if report.residue.is_empty() && report.verdict != Outcome::Stuck {
        return html! { p class="fine" { "After the drill: " (sentence::nothing_found(report)) "." } };
    }
    html! {
        section class="loud" role="alert" {
            strong { "Still in the world after this drill" }
            ul class="plain" { @for thing in &report.residue { li { (inline::one_line(thing)) } } }
            p { "Remove it with " code { (sentence::UNDO) } "." }
        }
    }
}

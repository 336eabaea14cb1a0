//! The drawn timeline with its key, and closer where all of it happened in a small part.

use maud::{Markup, html};

use crate::model::verdict::Report;
use crate::report::svg::timeline::{View, draw};
use crate::report::timeline;

pub fn timeline(report: &Report) -> Markup {
    if report.probes.is_empty() && report.injections.is_empty() {
        return html! {};
    }
    let whole = timeline::whole(report);
    let detail = timeline::detail(report);
    let overview = View { extent: whole, detail, flags: detail.is_none(), id: "whole" };
    html! {
        section {
            h2 { "Timeline" }
            p class="fine" { "Seconds from the first fault effective. Grey is outside the window: \
                seen, not counted." }
            (key())
            (chart("the whole drill", &draw(report, overview)))
            @if let Some(extent) = detail {
                h3 { "The dashed part, closer" }
                (chart("the part in which it happened",
                    &draw(report, View { extent, detail: None, flags: true, id: "closer" })))
            }
        }
    }
}

/// A drawing in a box that scrolls where it is too narrow.
fn chart(label: &str, drawing: &Markup) -> Markup {
    html! { div class="chart" role="region" tabindex="0" aria-label=(label) { (drawing) } }
}

fn key() -> Markup {
    let shape = |class: &'static str, y: &'static str, height: &'static str| {
        html! { svg viewBox="0 0 18 14" aria-hidden="true" {
            rect class=(class) x="0" y=(y) width="18" height=(height) {}
        } }
    };
    html! { p class="key" {
        span { (shape("good", "9", "5")) "good" }
        span { (shape("late", "5", "9")) "late: right, after the deadline" }
        span { (shape("bad", "0", "14")) "bad" }
        span {
            svg viewBox="0 0 18 14" aria-hidden="true" {
                rect x="0" y="0" width="18" height="14" fill="url(#whole-hatch)" {}
            }
            "invalid: our own fault"
        }
        span { (shape("fault", "1", "12")) "fault in force" }
        span { (shape("role leads", "1", "12")) "takes writes" }
        span { (shape("role follows", "1", "12")) "other role" }
        span {
            svg viewBox="0 0 18 14" aria-hidden="true" {
                line class="silent" x1="0" x2="18" y1="7" y2="7" {}
            }
            "no answer"
        }
    } }
}

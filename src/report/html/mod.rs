//! `report.html`: one file that loads nothing, for the screen in light and dark, for a phone and
//! for paper.
//!
//! Everything passes through `maud`, which escapes; the page's own policy forbids scripts and
//! loads besides.

mod head;
mod probes;
mod sections;
pub mod table;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::inline;
use crate::model::verdict::Report;

/// No script, no load, no form: only the styles of this file.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";

/// The colours, for the screen in light and dark.
pub const PALETTE: &str = include_str!("palette.css");

const CSS: &str = concat!(include_str!("palette.css"), include_str!("style.css"));

/// The page.
#[must_use]
pub fn render(report: &Report) -> String {
    let title = format!("{}: {}", inline::one_line(&report.experiment), report.verdict);
    page(&title, &body(report))
}

/// Every page of ours: no script, nothing loaded, light and dark.
pub fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(CSS)) }
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

fn body(report: &Report) -> Markup {
    html! {
        (head::header(report))
        main {
            (head::residue(report))
            (sections::claims(report))
            (timeline::timeline(report))
            (sections::stages(report))
            (probes::outages(report))
            (probes::summary(report))
            (probes::latency(report))
            (probes::ledgers(report))
            (probes::budgets(report))
            (sections::faults(report))
            (sections::notes(report))
            (sections::surroundings(report))
            (sections::plan(report))
        }
    }
}

//! The verdict in a terminal: the end of `squall run`.
//!
//! The first and the last word is the verdict, in words and never by colour alone.

pub mod columns;
mod drawing;
mod sections;
pub mod style;

pub use style::Style;

use crate::model::verdict::{ClaimReport, Report};

/// The whole text, a line end at the end. `files` are the paths where the other faces lie; none
/// where nothing was written.
#[must_use]
pub fn render(report: &Report, style: &Style, files: &[String]) -> String {
    let parts = [
        sections::head(report, style),
        sections::claims(report, style),
        sections::timeline(report, style),
        sections::stages(report, style),
        sections::probes(report, style),
        sections::faults(report, style),
        sections::notes(report, style),
        sections::end(report, style, files),
    ];
    let shown: Vec<String> =
        parts.into_iter().filter(|part| !part.is_empty()).map(|part| part.join("\n")).collect();
    shown.join("\n\n") + "\n"
}

/// The verdict, a line for each claim, what went wrong, what is left, and where the rest lies.
#[must_use]
pub fn brief(report: &Report, style: &Style, files: &[String]) -> String {
    sections::brief(report, style, files).join("\n") + "\n"
}

/// One claim: verdict, words, figure, limit. It wraps where the terminal is narrow.
#[must_use]
pub fn claim_line(claim: &ClaimReport, style: &Style) -> String {
    columns::grid(style, &[sections::claim_row(claim, style)], sections::CLAIM_WORDS).join("\n")
}

//! `blast.md`: the map for a ticket or a page of documentation.

use super::sentence;
use crate::model::blast::{BlastReport, Effect};
use crate::model::outcome::ClaimVerdict;
use crate::report::markdown::{escaped, table};

/// The whole text, a line end at the end.
#[must_use]
pub fn render(report: &BlastReport) -> String {
    let mut text = format!(
        "## {}: {}\n\n{}\n\n{}.\n\n",
        report.verdict,
        escaped(&report.map),
        escaped(&report.title),
        escaped(&report.reason)
    );
    let heads: Vec<&str> =
        std::iter::once("lost").chain(report.journeys.iter().map(String::as_str)).collect();
    let rows = report.losses.iter().map(|loss| {
        let cells = report.journeys.iter().map(|name| {
            let cell = loss.cells.get(name);
            let hurt = cell.is_some_and(|cell| cell.effect == Effect::Hurt);
            let short = sentence::short(cell);
            if hurt { format!("**{short}**") } else { short }
        });
        std::iter::once(escaped(&loss.service)).chain(cells).collect()
    });
    text += &table(&heads, rows);
    text += &format!("\n{}\n", sentence::key(report));
    if !report.claims.is_empty() {
        let rows = report.claims.iter().map(|claim| {
            let verdict = match claim.verdict {
                ClaimVerdict::Held => "held".to_owned(),
                other => format!("**{other}**"),
            };
            vec![verdict, escaped(&claim.claim), escaped(&claim.finding)]
        });
        text += &format!("\n### Claims\n\n{}", table(&["verdict", "claim", "found"], rows));
    }
    text += "\n### Losses\n\n";
    for loss in &report.losses {
        let said = escaped(&sentence::loss(loss, &report.journeys));
        text += &format!("- {}: {said}\n", escaped(&loss.service));
    }
    text
}

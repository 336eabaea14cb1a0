//! The map in a terminal: a table where it is wide enough, and a line for each loss.

use super::sentence;
use crate::model::blast::{BlastReport, Effect};
use crate::report::figure;
use crate::report::text::columns::{self, Cell, grid, hanging};
use crate::report::text::style::{Style, Tone};

/// The whole text, a line end at the end. `files` are the paths of the other faces.
#[must_use]
pub fn render(report: &BlastReport, style: &Style, files: &[String]) -> String {
    let mut lines = head(report, style);
    lines.push(String::new());
    let table = table(report, style);
    let fits = table.iter().all(|line| columns::width(&line.text) <= style.columns());
    if fits {
        lines.extend(table.iter().map(|line| line.painted.clone()));
        lines.push(String::new());
        let key = hanging(style, "  ", &sentence::key(report));
        lines.extend(key.iter().map(|line| style.paint(Tone::Dim, line)));
        lines.push(String::new());
    }
    for loss in &report.losses {
        let prefix = format!("  {}: ", loss.service);
        lines.extend(hanging(style, &prefix, &sentence::loss(loss, &report.journeys)));
    }
    lines.push(String::new());
    lines.extend(claims(report, style));
    lines.extend(files.iter().map(|path| format!("map: {}", style.say(path))));
    lines.join("\n") + "\n"
}

fn head(report: &BlastReport, style: &Style) -> Vec<String> {
    let verdict = report.verdict.to_string();
    let mut lines = hanging(style, &format!("{verdict}  "), &report.map);
    lines[0] = lines[0].replacen(&verdict, &style.paint(report.verdict.into(), &verdict), 1);
    lines.extend(hanging(style, "  ", &report.title));
    lines.extend(hanging(style, "  ", &report.reason));
    let when = format!("seed {}, {}", report.seed, figure::moment(&report.started));
    lines.extend(hanging(style, "  ", &when).iter().map(|line| style.paint(Tone::Dim, line)));
    lines
}

fn claims(report: &BlastReport, style: &Style) -> Vec<String> {
    let row = |claim: &crate::model::blast::BlastClaimReport| {
        vec![
            Cell::new(style, &claim.verdict.to_string()).tone(claim.verdict.into()),
            Cell::new(style, &format!("{}: {}", claim.claim, claim.finding)),
        ]
    };
    let rows: Vec<Vec<Cell>> = report.claims.iter().map(row).collect();
    let mut lines = grid(style, &rows, 1);
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// A line as it is measured and as it is shown.
struct Line {
    text: String,
    painted: String,
}

/// A row for each service, a column for each journey.
fn table(report: &BlastReport, style: &Style) -> Vec<Line> {
    let services = report.losses.iter().map(|loss| columns::width(&loss.service));
    let first = services.max().unwrap_or(0).max("lost".len());
    let widths: Vec<usize> =
        report.journeys.iter().map(|name| columns::width(name).max("> 99.9 s".len())).collect();
    let heads = report.journeys.iter().map(|name| (name.clone(), Tone::Dim));
    let mut lines = vec![line(style, ("lost", first), heads.zip(&widths))];
    for loss in &report.losses {
        let cells = report.journeys.iter().map(|name| {
            let cell = loss.cells.get(name);
            let tone = match cell.map(|cell| cell.effect) {
                Some(Effect::Hurt) => Tone::Bad,
                Some(Effect::Unhurt) => Tone::Good,
                Some(Effect::Inconclusive) | None => Tone::Invalid,
            };
            (sentence::short(cell), tone)
        });
        lines.push(line(style, (&loss.service, first), cells.zip(&widths)));
    }
    lines
}

fn line<'a>(
    style: &Style,
    (first, width): (&str, usize),
    cells: impl Iterator<Item = ((String, Tone), &'a usize)>,
) -> Line {
    let begin = format!("  {}", columns::fitted(&style.say(first), width));
    let mut line = Line { text: begin.clone(), painted: begin };
    for ((word, tone), width) in cells {
        let word = style.say(&word);
        let gap = " ".repeat(2 + width.saturating_sub(columns::width(&word)));
        line.text += &format!("{gap}{word}");
        line.painted += &format!("{gap}{}", style.paint(tone, &word));
    }
    line
}

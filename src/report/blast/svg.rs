//! The map as a drawing: a row for each service, a column for each journey.
//!
//! A journey that was hurt is a full field with its longest outage in it, one that was not is a
//! small ring, one of which it is not known is hatched: shapes say what colours say.

use maud::{Markup, PreEscaped, html};

use super::sentence;
use crate::model::blast::{BlastReport, Cell, Effect, Loss};
use crate::report::html::PALETTE;
use crate::report::inline;
use crate::report::svg::pen::{clipped, px, text_width};

const HEAD: f64 = 30.0;
const ROW: f64 = 36.0;
const COLUMN: f64 = 104.0;
const NAME_MAX: f64 = 190.0;
const GAP: f64 = 3.0;
/// Around the drawing where it stands alone.
const MARGIN: f64 = 12.0;

const CSS: &str = include_str!("map.css");

/// A file of its own, in light and dark.
#[must_use]
pub fn render(report: &BlastReport) -> String {
    let size = size(report);
    let (width, height) = (size.0 + 2.0 * MARGIN, size.1 + 2.0 * MARGIN + 18.0);
    let reason = format!("{}: {}", report.verdict, inline::one_line(&report.reason));
    let style = format!(
        "{PALETTE}{CSS}text {{ font: 11px system-ui, \"Segoe UI\", Roboto, sans-serif; }}\n"
    );
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", px(width), px(height)))
            width=(px(width)) height=(px(height)) role="img" aria-label=(label(report)) {
            style { (PreEscaped(style)) }
            rect class="ground" width=(px(width)) height=(px(height)) {}
            g transform=(format!("translate({} {})", px(MARGIN), px(MARGIN))) {
                (defs()) (body(report))
                text class="map-note" x="0" y=(px(size.1 + 16.0)) {
                    (clipped(&reason, size.0))
                }
            }
        }
    };
    drawing.into_string() + "\n"
}

/// A part of a page, which has the colours.
pub fn figure(report: &BlastReport) -> Markup {
    let size = size(report);
    html! {
        style { (PreEscaped(CSS)) }
        svg class="map" viewBox=(format!("0 0 {} {}", px(size.0), px(size.1))) width=(px(size.0))
            role="img" aria-label=(label(report)) { (defs()) (body(report)) }
    }
}

fn label(report: &BlastReport) -> String {
    let said = report
        .losses
        .iter()
        .map(|loss| format!("{}: {}", loss.service, sentence::loss(loss, &report.journeys)));
    inline::one_line(&said.collect::<Vec<_>>().join(". "))
}

fn names_width(report: &BlastReport) -> f64 {
    let widest = report.losses.iter().map(|loss| text_width(&loss.service));
    widest.fold(text_width("lost"), f64::max).min(NAME_MAX) + 14.0
}

#[expect(clippy::cast_precision_loss, reason = "a map has few rows and columns")]
fn size(report: &BlastReport) -> (f64, f64) {
    let (columns, rows) = (report.journeys.len() as f64, report.losses.len() as f64);
    (names_width(report) + columns * COLUMN, HEAD + rows * ROW)
}

fn defs() -> Markup {
    html! { defs {
        pattern id="map-hatch" width="7" height="7" patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)" {
            rect class="ground" width="7" height="7" {}
            line class="hatch-line" x1="0" y1="0" x2="0" y2="7" {}
        }
    } }
}

#[expect(clippy::cast_precision_loss, reason = "a map has few rows and columns")]
fn body(report: &BlastReport) -> Markup {
    let left = names_width(report);
    let x = |column: usize| left + column as f64 * COLUMN;
    let y = |row: usize| HEAD + row as f64 * ROW;
    html! {
        text class="map-note" x="0" y="19" { "lost" }
        @for (column, journey) in report.journeys.iter().enumerate() {
            text class="map-head" x=(px(x(column) + COLUMN / 2.0)) y="19" text-anchor="middle" {
                (clipped(&inline::one_line(journey), COLUMN - 8.0))
            }
        }
        @for (row, loss) in report.losses.iter().enumerate() {
            line class="grid" x1="0" x2=(px(x(report.journeys.len())))
                y1=(px(y(row))) y2=(px(y(row))) {}
            text class="map-name" x="0" y=(px(y(row) + ROW / 2.0 + 4.0)) {
                (clipped(&inline::one_line(&loss.service), NAME_MAX))
            }
            @for (column, journey) in report.journeys.iter().enumerate() {
                g transform=(format!("translate({} {})", px(x(column)), px(y(row)))) {
                    title { (title(loss, journey)) }
                    (field(loss.cells.get(journey)))
                }
            }
        }
    }
}

fn title(loss: &Loss, journey: &str) -> String {
    let said = match loss.cells.get(journey) {
        Some(cell) if cell.effect == Effect::Inconclusive => format!("not known: {}", cell.finding),
        Some(cell) if cell.effect == Effect::Hurt => sentence::outage(cell),
        Some(cell) => format!("not hurt: {}", cell.finding),
        None => sentence::end(loss).unwrap_or_else(|| "not known".to_owned()),
    };
    inline::one_line(&format!("{} lost, {journey}: {said}", loss.service))
}

fn field(cell: Option<&Cell>) -> Markup {
    let (width, height) = (COLUMN - 2.0 * GAP, ROW - 2.0 * GAP);
    let class = match cell.map(|cell| cell.effect) {
        Some(Effect::Unhurt) => {
            let (x, y) = (px(COLUMN / 2.0), px(ROW / 2.0));
            return html! { circle class="map-unhurt" cx=(x) cy=(y) r="4" {} };
        }
        Some(Effect::Hurt) => "map-hurt",
        Some(Effect::Inconclusive) | None => "map-unknown",
    };
    let error = cell.filter(|c| c.effect == Effect::Hurt).and_then(|c| c.error.as_deref());
    let middle = px(COLUMN / 2.0);
    let first = if error.is_some() { ROW / 2.0 - 1.5 } else { ROW / 2.0 + 4.0 };
    html! {
        rect class=(class) x=(px(GAP)) y=(px(GAP)) width=(px(width)) height=(px(height)) rx="3" {}
        text class={ (class) "-ink map-figure" } x=(middle) y=(px(first)) text-anchor="middle" {
            (sentence::short(cell))
        }
        @if let Some(error) = error {
            text class={ (class) "-ink" } x=(middle) y=(px(ROW / 2.0 + 11.0)) text-anchor="middle" {
                (clipped(&inline::one_line(error), width - 6.0))
            }
        }
    }
}

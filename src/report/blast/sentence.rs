//! What every face of a map says in the same words.

use crate::model::blast::{BlastReport, Cell, Effect, Loss};
use crate::model::outcome::Outcome;
use crate::report::{figure, inline};

/// `hurts checkout (5.31 s ± 0.20 s, unavailable), login (4.10 s ± 0.20 s, timeout)`.
#[must_use]
pub fn loss(loss: &Loss, journeys: &[String]) -> String {
    if loss.cells.is_empty() {
        return format!("not lost: {}", inline::one_line(&loss.reason));
    }
    let named = |effect: Effect, with_figures: bool| -> Vec<String> {
        let figures = |name: &str| loss.cells.get(name).filter(|_| with_figures).map(outage);
        let each =
            |name| figures(name).map_or_else(|| name.to_owned(), |f| format!("{name} ({f})"));
        loss.with(effect, journeys).map(each).collect()
    };
    let mut parts = Vec::new();
    let hurt = named(Effect::Hurt, true);
    if !hurt.is_empty() {
        parts.push(format!("hurts {}", hurt.join(", ")));
    }
    let unknown = named(Effect::Inconclusive, false);
    if !unknown.is_empty() {
        parts.push(format!("not known of {}: {}", unknown.join(", "), loss.reason));
    }
    if parts.is_empty() {
        parts.push("hurts nobody".to_owned());
    }
    inline::one_line(&parts.join("; "))
}

/// `5.31 s ± 0.20 s, unavailable`; with `at least` where its end was not seen.
#[must_use]
pub fn outage(cell: &Cell) -> String {
    let Some(length) = cell.longest_seconds else { return "no outage".to_owned() };
    let length = figure::seconds_within(length, cell.error_seconds);
    let length = if cell.ended { length } else { format!("at least {length}") };
    match &cell.error {
        Some(error) => format!("{length}, {error}"),
        None => length,
    }
}

/// What a cell of a table says, in a few characters.
#[must_use]
pub fn short(cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell { effect: Effect::Hurt, longest_seconds: Some(length), ended, .. }) => {
            format!("{}{length:.1} s", if *ended { "" } else { "> " })
        }
        Some(Cell { effect: Effect::Hurt, .. }) => "hurt".to_owned(),
        Some(Cell { effect: Effect::Unhurt, .. }) => "-".to_owned(),
        Some(Cell { effect: Effect::Inconclusive, .. }) | None => "?".to_owned(),
    }
}

/// What the signs of a table mean.
#[must_use]
pub fn key(report: &BlastReport) -> String {
    let limit = figure::exact(report.hurt_by_seconds, "seconds");
    format!(
        "A figure is the longest outage of a journey that was hurt, which is one of more than \
         {limit}; - is a journey that was not, ? is one of which it is not known."
    )
}

/// Is there a drill of it whose own verdict is worth a word?
#[must_use]
pub fn end(loss: &Loss) -> Option<String> {
    match loss.outcome {
        None => Some(format!("not lost: {}", loss.reason)),
        Some(Outcome::Held | Outcome::Deviated) => None,
        Some(outcome) => Some(format!("{outcome}: {}", loss.reason)),
    }
}

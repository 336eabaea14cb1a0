//! Figures as people read them.

use super::measure::axis::count;

/// `2.31 s`; milliseconds are shown where `error` makes them worth reading.
#[must_use]
pub fn seconds(figure: f64, error: f64) -> String {
    if error < 0.01 { format!("{figure:.3} s") } else { format!("{figure:.2} s") }
}

/// `2.31 s ± 0.02 s`
#[must_use]
pub fn seconds_with_error(figure: f64, error: f64) -> String {
    format!("{} ± {}", seconds(figure, error), seconds(error, error))
}

/// `0.8 s`, `5 s`: a length of which the milliseconds matter and the error does not. Rounded down,
/// so that what fell short never reads as whole.
#[must_use]
pub fn plain(ns: u64) -> String {
    format!("{} s", count(ns / 1_000_000) / 1e3)
}

/// `1 outage`, `2 outages`
#[must_use]
pub fn counted(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

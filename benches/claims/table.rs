//! The table: what we measured, what we promised, and what the peer did in the same run.

use crate::sample::Sample;
use std::fmt::Write;

/// What was promised of one figure.
#[derive(Debug, Clone)]
pub struct Goal {
    /// `p50`, `p99`, `max`, or nothing where there is only one figure.
    pub what: &'static str,
    pub measured: f64,
    pub limit: f64,
    /// More is better.
    pub at_least: bool,
}

/// The same thing as another does it.
#[derive(Debug, Clone)]
pub struct Peer {
    pub name: &'static str,
    pub p50: f64,
    pub p99: Option<f64>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Row {
    pub metric: String,
    pub unit: &'static str,
    pub p50: f64,
    pub p99: Option<f64>,
    pub repeats: usize,
    pub goals: Vec<Goal>,
    pub peer: Option<Peer>,
    /// What a reader must know to read the figure right.
    pub note: Option<String>,
}

impl Row {
    /// A sample of milliseconds with its goal, without peer or note.
    pub fn of_times(metric: &str, sample: &Sample, goal: Goal) -> Row {
        Row {
            metric: metric.to_owned(),
            unit: "ms",
            p50: sample.p50(),
            p99: Some(sample.p99()),
            repeats: sample.len(),
            goals: vec![goal],
            peer: None,
            note: None,
        }
    }
}

impl Goal {
    pub fn at_most(what: &'static str, measured: f64, limit: f64) -> Goal {
        Goal { what, measured, limit, at_least: false }
    }

    pub fn at_least(what: &'static str, measured: f64, limit: f64) -> Goal {
        Goal { what, measured, limit, at_least: true }
    }

    fn words(&self) -> String {
        let sign = if self.at_least { "≥" } else { "≤" };
        format!("{} {sign} {}", self.what, figure(self.limit)).trim().to_owned()
    }

    /// Something that was not measured is missed.
    fn verdict(&self) -> String {
        let met = format!("{} met", self.what).trim().to_owned();
        let over =
            if self.at_least { self.limit - self.measured } else { self.measured - self.limit };
        if over <= 0.0 {
            return met;
        }
        let share =
            if self.at_least { self.limit / self.measured } else { self.measured / self.limit };
        let text = format!("{} MISSED by {} ({share:.1}x)", self.what, figure(over));
        text.trim().to_owned()
    }
}

impl Row {
    fn cells(&self) -> [String; 8] {
        let all = |of: fn(&Goal) -> String| {
            let words: Vec<String> = self.goals.iter().map(of).collect();
            if words.is_empty() { "-".to_owned() } else { words.join(", ") }
        };
        let dash = || "-".to_owned();
        let peer = self.peer.as_ref();
        [
            format!("{} ({})", self.metric, self.unit),
            figure(self.p50),
            self.p99.map_or_else(dash, figure),
            self.repeats.to_string(),
            all(Goal::words),
            all(Goal::verdict),
            peer.map_or_else(dash, |p| {
                let p99 = p.p99.map_or(String::new(), |p99| format!(" / {}", figure(p99)));
                format!("{}: {}{p99}", p.name, figure(p.p50))
            }),
            peer.map_or_else(dash, |p| format!("{:.2}", p.p50 / self.p50)),
        ]
    }
}

const HEAD: [&str; 8] =
    ["metric (unit)", "p50", "p99", "n", "goal", "verdict", "peer: p50 / p99", "peer ÷ ours"];

/// As Markdown, columns aligned: the same for a terminal and for the page.
pub fn render(rows: &[Row]) -> String {
    let cells: Vec<[String; 8]> = rows.iter().map(Row::cells).collect();
    let head = HEAD.map(str::to_owned);
    let width = |column: usize| {
        let all = cells.iter().chain([&head]).map(|row| row[column].chars().count());
        all.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..8).map(width).collect();
    let mut text = String::new();
    let mut line = |row: &[String; 8]| {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
    };
    line(&head);
    line(&std::array::from_fn(|column| "-".repeat(widths[column])));
    cells.iter().for_each(line);
    for row in rows {
        if let Some(note) = &row.note {
            let _ = write!(text, "\n- *{}*: {note}", row.metric);
        }
    }
    text
}

/// Three digits that say something.
pub fn figure(value: f64) -> String {
    match value.abs() {
        small if small < 1.0 => format!("{value:.3}"),
        middle if middle < 10.0 => format!("{value:.2}"),
        large if large < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

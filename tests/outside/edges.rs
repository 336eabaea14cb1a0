//! Edges as squall reports them, on the clock that everybody on the machine shares.

use serde_json::Value;

use super::stand::Watched;

/// How far two who look at the same thing may be apart, nanoseconds.
pub const TOLERANCE_NS: i64 = 20_000_000;

/// `report.json`, in nanoseconds of `CLOCK_MONOTONIC`.
pub struct Edges(Value);

impl Edges {
    pub fn of(report: &Value) -> Edges {
        Edges(report.clone())
    }

    pub fn zero_ns(&self) -> i64 {
        self.0["window"]["zeroNs"].as_i64().unwrap()
    }

    #[expect(clippy::cast_possible_truncation, reason = "a drill lasts seconds")]
    fn at(&self, seconds: &Value) -> i64 {
        self.zero_ns() + (seconds.as_f64().unwrap() * 1e9).round() as i64
    }

    pub fn stage(&self, name: &str) -> i64 {
        let stages = self.0["stages"].as_array().unwrap();
        let stage = stages.iter().find(|s| s["name"] == name);
        self.at(&stage.unwrap_or_else(|| panic!("no stage `{name}`: {stages:?}"))["atSeconds"])
    }

    fn outages(&self, probe: &str) -> Vec<(i64, i64)> {
        let outages = self.0["probes"][probe]["outages"].as_array().unwrap();
        outages.iter().map(|o| (self.at(&o["fromSeconds"]), self.at(&o["toSeconds"]))).collect()
    }

    pub fn longest(&self, probe: &str) -> (i64, i64) {
        self.outages(probe).into_iter().max_by_key(|(from, to)| to - from).unwrap()
    }

    fn window(&self) -> (i64, i64) {
        let window = &self.0["window"];
        (self.at(&window["fromSeconds"]) - TOLERANCE_NS, self.at(&window["toSeconds"]))
    }
}

/// What is closer together than the tolerance is one outage to whoever compares, and what is
/// shorter is none.
fn told_apart(mut outages: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    outages.sort_unstable();
    let mut apart: Vec<(i64, i64)> = Vec::new();
    for (from, to) in outages {
        match apart.last_mut() {
            Some(last) if from - last.1 <= TOLERANCE_NS => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart.retain(|(from, to)| to - from > 2 * TOLERANCE_NS);
    apart
}

/// Both saw the same outages of a road, at least `least`, with the same edges.
pub fn agree(road: &str, edges: &Edges, watched: &Watched, least: usize) -> Result<(), String> {
    let (from, to) = edges.window();
    let ours = told_apart(edges.outages(road));
    let seen =
        watched.outages(road).into_iter().filter(|(begin, end)| *end >= from && *begin <= to);
    let theirs = told_apart(seen.collect());
    if ours.len() != theirs.len() || ours.len() < least {
        watched.was_awake(from, to)?;
        return Err(format!("{road}: squall saw {ours:?}, the other client {theirs:?}"));
    }
    for ((from, to), (their_from, their_to)) in ours.into_iter().zip(theirs) {
        watched.sees(&format!("begin of the outage of {road}"), from, their_from)?;
        watched.sees(&format!("end of the outage of {road}"), to, their_to)?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for a person")]
pub fn ms(ns: i64) -> f64 {
    ns as f64 / 1e6
}

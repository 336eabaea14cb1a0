//! The state as lines. Nothing here moves a cursor: the caller knows how many lines it wrote.

use super::state::{Event, InForce, LiveState, Next, ProbeNow, phase_words, seconds_between};
use crate::model::observation::Grade;
use crate::report::figure::{self, count};
use crate::report::text::Style;
use crate::report::text::columns::{fitted, width};
use crate::report::text::style::Tone;

/// Columns of a probe's counts and state, right of its ribbon.
const COUNTS: usize = 42;

/// The lines of now: never wider than the terminal, so that none wraps and breaks the redraw.
#[must_use]
pub fn lines(state: &LiveState, style: &Style) -> Vec<String> {
    let mut lines = vec![head(state, style)];
    let longest = state.probes.keys().map(|name| width(&style.say(name))).max().unwrap_or(0);
    let label = longest.clamp(6, style.columns() / 5);
    let probes = state.probes.iter();
    lines.extend(
        probes.map(|(name, probe)| probe_line(&style.say(name), label, probe, (state, style))),
    );
    lines.extend(state.in_force.iter().map(|injection| fault_line(injection, state, style)));
    lines
}

/// One event where no cursor can be moved: `   12.34 s  writes: not good: refused`.
#[must_use]
pub fn plain_line(state: &LiveState, event: &Event, style: &Style) -> String {
    let at = seconds_between(state.opened_ns, event.at_ns);
    let moment = figure::number(at, 2).unwrap_or_default();
    format!("{moment:>8} s  {}", style.paint(event.tone, &style.say(&event.words)))
}

fn head(state: &LiveState, style: &Style) -> String {
    let phase = state.phase.map_or("starting", phase_words);
    let elapsed = seconds_between(state.opened_ns, state.now_ns);
    let elapsed = figure::number(elapsed, 1).unwrap_or_default();
    let next = state.next.as_ref().map(|next| next_words(next, state.now_ns)).unwrap_or_default();
    let text = style.say(&format!("{elapsed:>6} s  {phase}{next}"));
    style.paint(Tone::Heading, fitted(&text, style.columns()).trim_end())
}

fn next_words(next: &Next, now_ns: u64) -> String {
    let left = seconds_between(now_ns, next.at_ns);
    format!("; {} in {} s", next.what, figure::number(left, 1).unwrap_or_default())
}

fn probe_line(
    name: &str,
    label: usize,
    probe: &ProbeNow,
    (state, style): (&LiveState, &Style),
) -> String {
    let room = style.columns().saturating_sub(label + 4 + COUNTS);
    let counts = fitted(&counts(probe, state), COUNTS);
    let tone = if probe.outage.is_some() { Tone::Bad } else { Tone::Plain };
    let counts = style.paint(tone, counts.trim_end());
    format!("  {} {} {counts}", fitted(name, label), ribbon(probe, room, style))
}

fn counts(probe: &ProbeNow, state: &LiveState) -> String {
    let mut parts = vec![format!("{} good", count(probe.good))];
    let others = [(probe.late, "late"), (probe.bad, "bad"), (probe.invalid, "invalid")];
    let seen = others.iter().filter(|(number, _)| *number > 0);
    parts.extend(seen.map(|(number, word)| format!("{} {word}", count(*number))));
    let text = parts.join(" ");
    if let Some(outage) = &probe.outage {
        let since = seconds_between(outage.from_ns, state.now_ns);
        format!("OUT {} s, {text}", figure::number(since, 1).unwrap_or_default())
    } else if let Some(last) = probe.last_outage_seconds {
        format!("was out {}, {text}", figure::seconds(last))
    } else {
        text
    }
}

/// The recent past, now at the right.
fn ribbon(probe: &ProbeNow, room: usize, style: &Style) -> String {
    let glyphs = style.glyphs();
    let shown = probe.recent.len().min(room);
    let recent: Vec<Grade> =
        probe.recent.iter().skip(probe.recent.len() - shown).map(|(_, grade)| *grade).collect();
    let mut text = " ".repeat(room - shown);
    for run in recent.chunk_by(|a, b| a == b) {
        let (glyph, tone) = glyphs.grade(run[0]);
        text += &style.paint(tone, &glyph.to_string().repeat(run.len()));
    }
    text
}

fn fault_line(injection: &InForce, state: &LiveState, style: &Style) -> String {
    let since = seconds_between(injection.since_ns, state.now_ns);
    let since = figure::number(since, 1).unwrap_or_default();
    let (word, tone) =
        if injection.stuck { ("STUCK", Tone::Stuck) } else { ("in force", Tone::Fault) };
    let text = style.say(&format!("  {word} {since} s  {}", injection.what));
    style.paint(tone, fitted(&text, style.columns()).trim_end())
}

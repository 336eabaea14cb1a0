//! The lanes of the timeline: one fault, one ribbon with its outages, the roles of one instance.

use maud::{Markup, html};

use super::pen::{clipped, px, text_width};
use super::scale::Scale;
use crate::model::observation::Grade;
use crate::model::verdict::{InjectionReport, Outage, ProbeReport, Report, RibbonRun, RoleSpan};
use crate::report::timeline::{self, Extent};
use crate::report::{figure, inline, sentence};

/// Beyond so many runs a ribbon is drawn by its worst per half unit, to bound the file.
const RUNS_MAX: usize = 400;
const PARTS: u16 = 1600;
const RIBBON: f64 = 18.0;

/// One stretch of a ribbon, ready to be drawn.
struct Piece {
    from: f64,
    to: f64,
    grade: Grade,
    slots: Option<u64>,
}

/// An outage, the places of its ends, and where its length can be written.
struct OutageMark<'a> {
    outage: &'a Outage,
    ends: (f64, f64),
    words: String,
    label: Option<f64>,
}

/// The pattern for slots that were our own fault.
#[must_use]
pub fn hatch(id: &str) -> Markup {
    html! { defs {
        pattern id={ (id) "-hatch" } width="5" height="5" patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)" {
            rect class="hatch-ground" width="5" height="5" {}
            line class="hatch-line" x1="0" y1="0" x2="0" y2="5" {}
        }
    } }
}

/// `processKill redis@r1`.
#[must_use]
pub fn fault_name(injection: &InjectionReport) -> String {
    inline::one_line(&format!("{} {}", injection.kind, injection.instance))
}

/// The stretches in which at least one fault was in force, joined where they meet.
#[must_use]
pub fn any_fault(report: &Report, extent: Extent) -> Vec<(f64, f64)> {
    let known = report.injections.iter().filter_map(timeline::in_force);
    let mut spans: Vec<_> =
        known.filter_map(|(from, to)| extent.clip(from, to.unwrap_or(extent.to))).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// The band of one fault; if it speaks, with its length and its end where there is room.
#[must_use]
pub fn fault(injection: &InjectionReport, scale: &Scale, top: f64, speaks: bool) -> Markup {
    let ending = inline::one_line(&sentence::ending(injection));
    let Some((from, to)) = timeline::in_force(injection) else {
        return html! { text class="note" x=(px(scale.left + 4.0)) y=(px(top + 12.0)) { (ending) } };
    };
    let Some((first, last)) = scale.extent.clip(from, to.unwrap_or(scale.extent.to)) else {
        return html! {};
    };
    let (x, width) = (scale.x(first), (scale.x(last) - scale.x(first)).max(2.0));
    let held = to.map(|to| format!("{}, ", figure::seconds(to - from))).unwrap_or_default();
    let words = format!("{held}{ending}");
    let inside = text_width(&words) + 8.0 < width;
    let room = scale.right - x - width - 6.0;
    html! {
        rect class={ "fault" @if to.is_none() { " open" } } x=(px(x)) y=(px(top)) width=(px(width))
            height="15" {
            title { (fault_name(injection)) ": " (inline::one_line(&injection.summary)) "; effective "
                (figure::seconds_within(from, injection.error_seconds)) "; " (words) }
        }
        @if speaks && inside {
            text class={ "on-fault" @if to.is_none() { " open" } } x=(px(x + 4.0)) y=(px(top + 11.5)) { (words) }
        } @else if speaks && room > 40.0 {
            text class="note" x=(px(x + width + 5.0)) y=(px(top + 11.5)) { (clipped(&words, room)) }
        }
    }
}

/// Good is low and flat, late half high, bad high, invalid hatched.
#[must_use]
pub fn ribbon(probe: &ProbeReport, scale: &Scale, top: f64, id: &str) -> Markup {
    html! { g class="ribbon" { @for piece in pieces(probe, scale) {
        @let (class, height) = shape(piece.grade);
        @let x = scale.x(piece.from);
        @let least = if piece.grade == Grade::Good { 0.2 } else { 1.0 };
        @let width = (scale.x(piece.to) - x).max(least);
        rect class=(class) x=(px(x)) y=(px(top + RIBBON - height)) width=(px(width))
            height=(px(height)) fill=[hatched(piece.grade, id)] {
            title { (class) " " (figure::seconds(piece.from)) " to " (figure::seconds(piece.to))
                @if let Some(slots) = piece.slots { ", " (figure::counted(slots, "slot")) } }
        }
    } } }
}

fn hatched(grade: Grade, id: &str) -> Option<String> {
    (grade == Grade::Invalid).then(|| format!("url(#{id}-hatch)"))
}

fn shape(grade: Grade) -> (&'static str, f64) {
    match grade {
        Grade::Good => ("good", 5.0),
        Grade::Late => ("late", 11.0),
        Grade::Bad => ("bad", RIBBON),
        Grade::Invalid => ("invalid", RIBBON),
    }
}

fn pieces(probe: &ProbeReport, scale: &Scale) -> Vec<Piece> {
    let extent = scale.extent;
    let runs = &probe.ribbon;
    if runs.len() <= RUNS_MAX {
        let piece = |run: &RibbonRun| {
            let (from, to) = extent.clip(run.from_seconds, run.to_seconds)?;
            Some(Piece { from, to, grade: timeline::grade(run)?, slots: Some(run.slots) })
        };
        return runs.iter().filter_map(piece).collect();
    }
    let step = extent.length() / f64::from(PARTS);
    let mut at = extent.from;
    let mut pieces = Vec::new();
    for same in timeline::resampled(runs, extent, usize::from(PARTS)).chunk_by(|a, b| a == b) {
        let to = at + step * f64::from(u32::try_from(same.len()).unwrap_or(0));
        pieces.extend(same[0].map(|grade| Piece { from: at, to, grade, slots: None }));
        at = to;
    }
    pieces
}

/// A bracket under the ribbon for each outage, with its length and error where there is room.
#[must_use]
pub fn outages(probe: &ProbeReport, scale: &Scale, y: f64) -> Markup {
    html! { @for mark in outage_marks(probe, scale) {
        g class="outage" {
            path d=(bracket(mark.ends, y, mark.outage.ended)) {
                title { (mark.words) ", " (outage_title(mark.outage)) }
            }
            @if let Some(start) = mark.label {
                text class="length" x=(px(start)) y=(px(y + 12.0)) { (mark.words) }
            }
        }
    } }
}

/// Lengths are written from left to right as long as they do not overlap.
fn outage_marks<'a>(probe: &'a ProbeReport, scale: &Scale) -> Vec<OutageMark<'a>> {
    let mut taken = f64::NEG_INFINITY;
    let mut marks = Vec::new();
    for outage in &probe.outages {
        let clip = scale.extent.clip(outage.from_seconds, outage.to_seconds);
        let Some(ends) = clip.map(|(from, to)| (scale.x(from), scale.x(to))) else { continue };
        let words = outage_words(outage);
        let start = label_start(ends, text_width(&words), scale);
        let label = (start > taken + 4.0).then_some(start);
        taken = label.map_or(taken, |start| start + text_width(&words));
        marks.push(OutageMark { outage, ends, words, label });
    }
    marks
}

fn outage_title(outage: &Outage) -> String {
    format!(
        "{}, {}, from {} to {}, {}",
        sentence::depth(outage),
        inline::one_line(&outage.character),
        figure::seconds(outage.from_seconds),
        figure::seconds(outage.to_seconds),
        figure::counted(outage.slots, "slot"),
    )
}

fn outage_words(outage: &Outage) -> String {
    let length = figure::seconds_within(outage.length_seconds, Some(outage.error_seconds));
    if outage.ended { length } else { format!("≥ {length}, not ended") }
}

/// Under the middle of the bracket, and inside the drawing.
fn label_start(bracket: (f64, f64), width: f64, scale: &Scale) -> f64 {
    let middle = f64::midpoint(bracket.0, bracket.1) - width / 2.0;
    middle.min(scale.right - width).max(scale.left)
}

/// A line with an end at each side; an outage that did not end has an arrow there.
fn bracket((left, right): (f64, f64), y: f64, ended: bool) -> String {
    let (up, down) = (px(y - 4.0), px(y));
    let (l, r) = (px(left), px(right));
    if ended {
        format!("M{l} {up}V{down}H{r}V{up}")
    } else {
        let (head, low) = (px(right - 5.0), px(y + 4.0));
        format!("M{l} {up}V{down}H{r}M{head} {up}L{r} {down}L{head} {low}")
    }
}

/// Who this instance was: the one that takes writes is solid, others are outlined, silence is a
/// dotted line.
#[must_use]
pub fn roles(spans: &[&RoleSpan], scale: &Scale, top: f64) -> Markup {
    html! { @for span in spans {
        @if let Some((from, to)) = scale.extent.clip(span.from_seconds, span.to_seconds) {
            @let (x, width) = (scale.x(from), (scale.x(to) - scale.x(from)).max(1.0));
            @let role = inline::one_line(&span.role);
            @let class = role_class(&role);
            @if class == "silent" {
                line class="silent" x1=(px(x)) x2=(px(x + width)) y1=(px(top + 7.0)) y2=(px(top + 7.0)) {
                    title { (role) " " (figure::seconds(span.from_seconds)) " to " (figure::seconds(span.to_seconds)) }
                }
            } @else {
                rect class={ "role " (class) } x=(px(x)) y=(px(top)) width=(px(width)) height="14" {
                    title { (role) " " (figure::seconds(span.from_seconds)) " to " (figure::seconds(span.to_seconds)) }
                }
                @if text_width(&role) + 8.0 < width {
                    text class={ "on-role " (class) } x=(px(x + 4.0)) y=(px(top + 11.0)) { (role) }
                }
            }
        }
    } }
}

fn role_class(role: &str) -> &'static str {
    match role {
        "primary" | "leader" | "master" | "active" => "leads",
        "unknown" | "" => "silent",
        _ => "follows",
    }
}

/// The window as a bracket under the axis.
#[must_use]
pub fn window(scale: &Scale, (from, to): (f64, f64), y: f64) -> Markup {
    let (left, right) = (scale.x(from), scale.x(to));
    let words = format!("window {}", figure::seconds(to - from));
    let start = label_start((left, right), text_width(&words), scale);
    html! { g class="window" {
        path d={ "M" (px(left)) " " (px(y - 3.0)) "V" (px(y)) "H" (px(right)) "V" (px(y - 3.0)) } {}
        text class="number" x=(px(start)) y=(px(y + 13.0)) { (words) }
    } }
}

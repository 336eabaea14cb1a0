//! The timeline of a drill: stage flags above, then fault bands, a ribbon per probe with its
//! outages, a lane per instance that had a role, and the axis. All lanes share one scale.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::labels::{self, Anchor};
use super::lanes;
use super::pen::{clipped, px, text_width};
use super::scale::{Scale, ticks};
use crate::model::verdict::{Report, RoleSpan, Stage};
use crate::report::timeline::Extent;
use crate::report::{figure, inline, sentence};

/// Width of every drawing, in user units.
pub const WIDTH: f64 = 960.0;

const FLAG_ROW: f64 = 15.0;
const FAULT_ROW: f64 = 20.0;
const PROBE_ROW: f64 = 26.0;
/// What the brackets and lengths of outages add to it.
const OUTAGE_ROW: f64 = 18.0;
const ROLE_ROW: f64 = 20.0;
const AXIS: f64 = 44.0;
const GROUP_GAP: f64 = 8.0;
const NAME_WIDTH_MAX: f64 = 190.0;

/// What a drawing shows.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub extent: Extent,
    /// Marked in it: the stretch that another drawing shows closer.
    pub detail: Option<Extent>,
    /// Are the stages flagged here?
    pub flags: bool,
    /// Makes the ids of this drawing its own.
    pub id: &'static str,
}

impl View {
    /// Lengths and ends are written where they are drawn closest.
    fn speaks(&self) -> bool {
        self.detail.is_none()
    }
}

/// A flag over a moment.
struct Flag<'a> {
    stage: &'a Stage,
    text: String,
    anchor: Anchor,
    row: usize,
}

/// Where everything lies, top to bottom.
struct Layout<'a> {
    report: &'a Report,
    view: View,
    scale: Scale,
    flags: Vec<Flag<'a>>,
    roles: BTreeMap<&'a str, Vec<&'a RoleSpan>>,
    faults_top: f64,
    /// One per probe, in their order.
    probe_tops: Vec<f64>,
    roles_top: f64,
    axis_top: f64,
}

/// The drawing as an `svg` element.
#[must_use]
pub fn draw(report: &Report, view: View) -> Markup {
    let layout = layout(report, view);
    let height = layout.axis_top + AXIS;
    let (title, desc) = (format!("{}-title", view.id), format!("{}-desc", view.id));
    html! {
        svg class="timeline" role="img" viewBox={ "0 0 " (px(WIDTH)) " " (px(height)) }
            aria-labelledby={ (title) " " (desc) } {
            title id=(title) { "Timeline of the drill in seconds from the first fault effective" }
            desc id=(desc) { (description(report)) }
            (lanes::hatch(view.id))
            (layout.ground())
            (layout.leaders())
            (layout.faults())
            (layout.probes())
            (layout.roles())
            (layout.axis())
            (layout.flags())
        }
    }
}

/// The drawing in words, for those who do not see it.
fn description(report: &Report) -> String {
    let probes = report.probes.iter().map(|(name, probe)| {
        format!("Probe {}: {}.", inline::one_line(name), sentence::outages(probe))
    });
    let stages = report.stages.iter().map(|stage| {
        format!("{} at {}.", inline::one_line(&stage.name), figure::seconds(stage.at_seconds))
    });
    probes.chain(stages).collect::<Vec<_>>().join(" ")
}

fn layout(report: &Report, view: View) -> Layout<'_> {
    let left = name_width(report) + 14.0;
    let mut flags = if view.flags { flags(report) } else { Vec::new() };
    let scale = fitted_scale(view.extent, left, &flags);
    for flag in &mut flags {
        flag.anchor.x = scale.x(flag.stage.at_seconds);
    }
    flags.sort_by(|a, b| a.anchor.x.total_cmp(&b.anchor.x));
    let anchors: Vec<Anchor> = flags.iter().map(|flag| flag.anchor).collect();
    let rows = labels::rows(&anchors, 6.0);
    for (flag, row) in flags.iter_mut().zip(&rows) {
        flag.row = *row;
    }
    let flag_rows = rows.iter().max().map_or(0, |row| row + 1);
    let faults_top = 6.0 + height(flag_rows, FLAG_ROW);
    let probes_top = faults_top + height(report.injections.len(), FAULT_ROW) + GROUP_GAP;
    let (probe_tops, roles_top) = probe_tops(report, view, probes_top);
    let roles = roles_by_instance(report);
    let roles_height = height(roles.len(), ROLE_ROW);
    let axis_top = roles_top + roles_height + GROUP_GAP;
    Layout { report, view, scale, flags, roles, faults_top, probe_tops, roles_top, axis_top }
}

/// Where each probe begins, and where the last ends: an outage in view needs room for its length.
fn probe_tops(report: &Report, view: View, mut top: f64) -> (Vec<f64>, f64) {
    let mut tops = Vec::with_capacity(report.probes.len());
    for probe in report.probes.values() {
        tops.push(top);
        let mut outages = probe.outages.iter();
        let seen = outages.any(|o| view.extent.clip(o.from_seconds, o.to_seconds).is_some());
        top += PROBE_ROW + if seen && view.speaks() { OUTAGE_ROW } else { 0.0 };
    }
    (tops, top)
}

fn height(rows: usize, row: f64) -> f64 {
    f64::from(u32::try_from(rows).unwrap_or(u32::MAX)) * row
}

fn name_width(report: &Report) -> f64 {
    let faults = report.injections.iter().map(|i| text_width(&lanes::fault_name(i)));
    let probes = report.probes.keys().map(|name| text_width(name));
    let roles = report.roles.iter().map(|span| text_width(&span.instance));
    faults.chain(probes).chain(roles).fold(50.0, f64::max).min(NAME_WIDTH_MAX)
}

fn flags(report: &Report) -> Vec<Flag<'_>> {
    report.stages.iter().filter(|stage| stage.at_seconds.is_finite()).map(flag).collect()
}

/// Its place is not known yet: it depends on the scale, which depends on all flags.
fn flag(stage: &Stage) -> Flag<'_> {
    let name = inline::one_line(&stage.name);
    let text = clipped(&format!("{name} {}", figure::seconds(stage.at_seconds)), 220.0);
    let anchor = Anchor { x: 0.0, width: text_width(&text) + 4.0 };
    Flag { stage, text, anchor, row: 0 }
}

/// The scale ends where every flag still fits into the drawing.
fn fitted_scale(extent: Extent, left: f64, flags: &[Flag]) -> Scale {
    let outer = WIDTH - 10.0;
    let fits = |flag: &Flag| {
        let fraction = extent.fraction(flag.stage.at_seconds);
        if fraction <= 0.0 {
            return outer;
        }
        // left + fraction * (right - left) + width = outer
        left + (outer - flag.anchor.width - left) / fraction
    };
    let right = flags.iter().map(fits).fold(outer, f64::min);
    Scale { extent, left, right: right.max(left + 200.0) }
}

fn roles_by_instance(report: &Report) -> BTreeMap<&str, Vec<&RoleSpan>> {
    let mut roles: BTreeMap<&str, Vec<&RoleSpan>> = BTreeMap::new();
    for span in &report.roles {
        roles.entry(&span.instance).or_default().push(span);
    }
    roles
}

impl Layout<'_> {
    fn bottom(&self) -> f64 {
        self.axis_top
    }

    fn name(&self, text: &str, middle: f64) -> Markup {
        let text = inline::one_line(text);
        html! {
            text class="name" text-anchor="end" x=(px(self.scale.left - 8.0)) y=(px(middle + 4.0)) {
                (clipped(&text, NAME_WIDTH_MAX))
                @if text_width(&text) > NAME_WIDTH_MAX { title { (text) } }
            }
        }
    }

    /// What lies under everything: the window, the time in which any fault was in force, the
    /// lines of the axis.
    fn ground(&self) -> Markup {
        let (top, height) = (self.faults_top - 2.0, self.bottom() - self.faults_top + 2.0);
        let window = &self.report.window;
        let band = |from: f64, to: f64, class: &'static str, title: &'static str| {
            let clip = self.scale.extent.clip(from, to).filter(|(from, to)| to > from);
            html! { @if let Some((from, to)) = clip {
                rect class=(class) x=(px(self.scale.x(from))) y=(px(top)) height=(px(height))
                    width=(px(self.scale.x(to) - self.scale.x(from))) { title { (title) } }
            } }
        };
        let extent = self.scale.extent;
        let (before, after) = (window.from_seconds, window.to_seconds);
        html! {
            (band(extent.from, before, "outside", "before the window: seen, not counted"))
            (band(after, extent.to, "outside", "after the window: seen, not counted"))
            @for (from, to) in lanes::any_fault(self.report, extent) {
                (band(from, to, "faulted", "a fault is in force"))
            }
            @if let Some(detail) = self.view.detail {
                (band(detail.from, detail.to, "closer", "drawn closer below"))
            }
            @for tick in &ticks(extent, 8).values {
                line class="grid" x1=(px(self.scale.x(*tick))) x2=(px(self.scale.x(*tick)))
                    y1=(px(top)) y2=(px(self.bottom())) {}
            }
        }
    }

    fn faults(&self) -> Markup {
        html! { @for (index, injection) in self.report.injections.iter().enumerate() {
            @let top = self.faults_top + height(index, FAULT_ROW);
            (self.name(&lanes::fault_name(injection), top + 8.0))
            (lanes::fault(injection, &self.scale, top, self.view.speaks()))
        } }
    }

    fn probes(&self) -> Markup {
        html! { @for ((name, probe), top) in self.report.probes.iter().zip(&self.probe_tops) {
            (self.name(name, top + 10.0))
            (lanes::ribbon(probe, &self.scale, *top, self.view.id))
            @if self.view.speaks() { (lanes::outages(probe, &self.scale, top + 25.0)) }
        } }
    }

    fn roles(&self) -> Markup {
        html! { @for (index, (instance, spans)) in self.roles.iter().enumerate() {
            @let top = self.roles_top + height(index, ROLE_ROW);
            (self.name(instance, top + 7.0))
            (lanes::roles(spans, &self.scale, top))
        } }
    }

    fn axis(&self) -> Markup {
        let y = self.axis_top;
        let ticks = ticks(self.scale.extent, 8);
        let window = &self.report.window;
        let (from, to) = (window.from_seconds, window.to_seconds);
        // A bracket that is cut at the edge would show a wrong length.
        let whole = self.scale.extent.holds(from) && self.scale.extent.holds(to) && to > from;
        html! {
            line class="axis" x1=(px(self.scale.left)) x2=(px(self.scale.right)) y1=(px(y)) y2=(px(y)) {}
            @for tick in &ticks.values {
                @let x = px(self.scale.x(*tick));
                line class="axis" x1=(x) x2=(x) y1=(px(y)) y2=(px(y + 4.0)) {}
                text class="number" text-anchor="middle" x=(x) y=(px(y + 16.0)) {
                    (ticks.label(*tick)) " s"
                }
            }
            @if whole { (lanes::window(&self.scale, (from, to), y + 25.0)) }
        }
    }

    /// Under the lanes, so that a word in them stays legible.
    fn leaders(&self) -> Markup {
        html! { @for flag in &self.flags {
            @let x = px(flag.anchor.x);
            line class="leader" x1=(x) x2=(x) y1=(px(self.flag_base(flag) - 9.0))
                y2=(px(self.bottom())) {}
        } }
    }

    fn flags(&self) -> Markup {
        html! { @for flag in &self.flags {
            text class="flag" x=(px(flag.anchor.x + 3.0)) y=(px(self.flag_base(flag))) {
                (flag.text)
                title { (flag_title(flag.stage)) }
            }
        } }
    }

    fn flag_base(&self, flag: &Flag) -> f64 {
        self.faults_top - 6.0 - height(flag.row, FLAG_ROW)
    }
}

fn flag_title(stage: &Stage) -> String {
    let at = figure::seconds_within(stage.at_seconds, Some(stage.error_seconds));
    format!("{} {at}, {}", inline::one_line(&stage.name), inline::one_line(&stage.seen_by))
}

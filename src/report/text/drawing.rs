//! The timeline as characters: fault bands above, a ribbon per probe, stage marks and an axis in
//! seconds below. All rows share one scale.

use super::columns::{fitted, width, wrapped};
use super::style::{Style, Tone};
use crate::model::verdict::{InjectionReport, ProbeReport, Report};
use crate::report::figure;
use crate::report::svg::scale;
use crate::report::timeline::{self, Extent};

/// Where the rows lie.
struct Canvas<'a> {
    style: &'a Style,
    extent: Extent,
    label: usize,
    plot: usize,
}

/// The sign of a stage in the drawing and in the table: `1` to `9`, then letters.
#[must_use]
pub fn mark(index: usize) -> char {
    u32::try_from(index + 1).ok().and_then(|n| char::from_digit(n, 36)).unwrap_or('+')
}

/// All rows, none wider than the terminal.
#[must_use]
pub fn timeline(report: &Report, style: &Style) -> Vec<String> {
    let whole = timeline::whole(report);
    let canvas = canvas(report, style, timeline::detail(report).unwrap_or(whole));
    let mut rows: Vec<String> = report.injections.iter().map(|i| canvas.fault(i)).collect();
    rows.extend(report.probes.iter().map(|(name, probe)| canvas.ribbon(name, probe)));
    if !report.stages.is_empty() {
        rows.push(canvas.stages(report));
    }
    rows.extend(canvas.axis());
    rows.extend(canvas.legend(whole));
    rows
}

fn canvas<'a>(report: &Report, style: &'a Style, extent: Extent) -> Canvas<'a> {
    let faults = report.injections.iter().map(|i| width(&style.say(&fault_label(i))));
    let probes = report.probes.keys().map(|name| width(&style.say(name)));
    let longest = faults.chain(probes).max().unwrap_or(0).max("stages".len());
    let label = longest.min(style.columns() / 3);
    Canvas { style, extent, label, plot: style.columns() - label - 5 }
}

fn fault_label(injection: &InjectionReport) -> String {
    format!("{} {}", injection.kind, injection.instance)
}

impl Canvas<'_> {
    fn row(&self, label: &str, plot: &str) -> String {
        let label = fitted(&self.style.say(label), self.label);
        format!("  {label}  {plot}").trim_end().to_owned()
    }

    fn column(&self, at: f64) -> usize {
        timeline::part_of(self.extent.fraction(at), self.plot)
    }

    fn fault(&self, injection: &InjectionReport) -> String {
        let glyphs = self.style.glyphs();
        let label = fault_label(injection);
        let Some((from, to)) = timeline::in_force(injection) else {
            return self
                .row(&label, &self.style.paint(Tone::Dim, &self.style.say(&injection.ended)));
        };
        let (first, last) = (self.column(from), self.column(to.unwrap_or(f64::INFINITY)));
        let mut bar = " ".repeat(first);
        let open = to.is_none_or(|to| to > self.extent.to);
        let end = if open { glyphs.fault_open } else { glyphs.fault_end };
        let mut band = String::from(if first == last { end } else { glyphs.fault_begin });
        if last > first {
            let beyond = to.filter(|to| *to > self.extent.to);
            band.extend(self.held(last - first - 1, beyond));
            band.push(end);
        }
        bar += &self.style.paint(Tone::Fault, &band);
        self.row(&label, &bar)
    }

    /// The inside of a band. An end that is known and lies beyond the drawing is told where there
    /// is room for it: the arrow alone is that of a fault which nobody ended.
    fn held(&self, columns: usize, beyond: Option<f64>) -> Vec<char> {
        let mut held = vec![self.style.glyphs().fault; columns];
        let told = beyond.map(|to| format!(" until {} ", figure::seconds(to)));
        if let Some(told) = told.filter(|told| told.len() < columns) {
            let from = columns - told.len();
            held.splice(from.., told.chars());
        }
        held
    }

    fn ribbon(&self, name: &str, probe: &ProbeReport) -> String {
        let glyphs = self.style.glyphs();
        let cells = timeline::resampled(&probe.ribbon, self.extent, self.plot);
        let mut plot = String::new();
        for run in cells.chunk_by(|a, b| a == b) {
            let (glyph, tone) = run[0].map_or((' ', Tone::Plain), |grade| glyphs.grade(grade));
            plot += &self.style.paint(tone, &glyph.to_string().repeat(run.len()));
        }
        self.row(name, &plot)
    }

    /// Marks that would share a column move to the next free one; the table has the figures.
    fn stages(&self, report: &Report) -> String {
        let mut plot = vec![' '; self.plot];
        for (index, stage) in report.stages.iter().enumerate() {
            let wanted = self.column(stage.at_seconds);
            let free_after = (wanted..self.plot).find(|c| plot[*c] == ' ');
            let free = free_after.or_else(|| (0..wanted).rev().find(|c| plot[*c] == ' '));
            if let Some(column) = free {
                plot[column] = mark(index);
            }
        }
        let marks: String = plot.into_iter().collect();
        self.row("stages", &self.style.paint(Tone::Heading, marks.trim_end()))
    }

    fn axis(&self) -> [String; 2] {
        let glyphs = self.style.glyphs();
        let mut line = vec![glyphs.axis; self.plot];
        let mut numbers = String::new();
        let wanted = self.plot / 12;
        let ticks = scale::ticks(self.extent, wanted);
        for (index, tick) in ticks.values.iter().enumerate() {
            let column = self.column(*tick);
            line[column] = glyphs.tick;
            let unit = if index + 1 == ticks.values.len() { " s" } else { "" };
            let text = ticks.label(*tick) + unit;
            let start = column.saturating_sub(width(&text) / 2);
            let start = start.min(self.plot.saturating_sub(width(&text)));
            let used = width(&numbers);
            if used == 0 || start > used {
                numbers += &" ".repeat(start - used);
                numbers += &text;
            }
        }
        let line: String = line.into_iter().collect();
        let dim = |text: &str| self.style.paint(Tone::Dim, text);
        [self.row("", &dim(&line)), self.row("", &dim(&numbers))]
    }

    /// What the shapes mean, and that this is a part where it is one.
    fn legend(&self, whole: Extent) -> Vec<String> {
        let glyphs = self.style.glyphs();
        let mut lines = vec![format!(
            "{} good, {} late, {} bad, {} invalid",
            glyphs.good, glyphs.late, glyphs.bad, glyphs.invalid
        )];
        if whole != self.extent {
            let (from, to) = (self.extent.from, self.extent.to);
            let seen = whole.length();
            lines.push(format!("drawn: {from:.1} s to {to:.1} s, of {seen:.0} s seen"));
        }
        let lines = lines.iter().flat_map(|line| wrapped(line, self.plot));
        lines.map(|line| self.row("", &self.style.paint(Tone::Dim, &line))).collect()
    }
}

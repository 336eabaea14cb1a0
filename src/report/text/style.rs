//! How a terminal may be written to: colour, width, and which characters it knows.
//!
//! Colour only repeats what a word or a shape says already, so a plain style loses nothing.

use anstyle::{AnsiColor, Color, Effects};

use crate::model::observation::Grade;
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::report::inline;

/// What the terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub colour: bool,
    /// Box drawing, block elements, `±`. Without: ASCII only, but for names and texts of others.
    pub unicode: bool,
    /// Columns; fewer than [`Style::NARROWEST`] count as that.
    pub width: usize,
}

/// What a piece of text means; its colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    #[default]
    Plain,
    Dim,
    Heading,
    Good,
    Late,
    Bad,
    Invalid,
    Fault,
    Held,
    Deviated,
    Inconclusive,
    Aborted,
    Stuck,
}

/// The characters of the drawings.
#[derive(Debug, Clone, Copy)]
pub struct Glyphs {
    pub good: char,
    pub late: char,
    pub bad: char,
    pub invalid: char,
    pub fault_begin: char,
    pub fault: char,
    pub fault_end: char,
    /// The end of a fault that nothing ended.
    pub fault_open: char,
    pub axis: char,
    pub tick: char,
}

impl Style {
    pub const NARROWEST: usize = 60;

    /// No colour, all characters, as for a file.
    #[must_use]
    pub const fn plain(width: usize) -> Style {
        Style { colour: false, unicode: true, width }
    }

    #[must_use]
    pub fn columns(&self) -> usize {
        self.width.max(Style::NARROWEST)
    }

    /// The text in its colour.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour || tone == Tone::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = ansi(tone);
        format!("{}{text}{}", style.render(), style.render_reset())
    }

    /// Words of others, or of ours, as this terminal may see them.
    #[must_use]
    pub fn say(&self, text: &str) -> String {
        let line = inline::one_line(text);
        if self.unicode {
            return line;
        }
        line.replace('±', "+-").replace('…', "..").replace('→', "->")
    }

    #[must_use]
    pub fn glyphs(&self) -> Glyphs {
        if self.unicode {
            Glyphs {
                good: '─',
                late: '▄',
                bad: '█',
                invalid: '░',
                fault_begin: '├',
                fault: '─',
                fault_end: '┤',
                fault_open: '▶',
                axis: '─',
                tick: '┴',
            }
        } else {
            Glyphs {
                good: '-',
                late: '~',
                bad: '#',
                invalid: '?',
                fault_begin: '[',
                fault: '=',
                fault_end: ']',
                fault_open: '>',
                axis: '-',
                tick: '+',
            }
        }
    }
}

impl Glyphs {
    #[must_use]
    pub fn grade(&self, grade: Grade) -> (char, Tone) {
        match grade {
            Grade::Good => (self.good, Tone::Good),
            Grade::Late => (self.late, Tone::Late),
            Grade::Bad => (self.bad, Tone::Bad),
            Grade::Invalid => (self.invalid, Tone::Invalid),
        }
    }
}

impl From<Outcome> for Tone {
    fn from(outcome: Outcome) -> Tone {
        match outcome {
            Outcome::Held => Tone::Held,
            Outcome::Deviated => Tone::Deviated,
            Outcome::Inconclusive | Outcome::Refused => Tone::Inconclusive,
            Outcome::Aborted => Tone::Aborted,
            Outcome::Stuck => Tone::Stuck,
        }
    }
}

impl From<ClaimVerdict> for Tone {
    fn from(verdict: ClaimVerdict) -> Tone {
        match verdict {
            ClaimVerdict::Held => Tone::Held,
            ClaimVerdict::Deviated => Tone::Deviated,
            ClaimVerdict::Inconclusive => Tone::Inconclusive,
        }
    }
}

fn ansi(tone: Tone) -> anstyle::Style {
    let coloured = |colour: AnsiColor| anstyle::Style::new().fg_color(Some(Color::Ansi(colour)));
    match tone {
        Tone::Plain => anstyle::Style::new(),
        Tone::Dim => anstyle::Style::new().effects(Effects::DIMMED),
        Tone::Heading => anstyle::Style::new().effects(Effects::BOLD),
        Tone::Good => coloured(AnsiColor::Green),
        Tone::Late => coloured(AnsiColor::Yellow),
        Tone::Bad => coloured(AnsiColor::Red),
        Tone::Invalid | Tone::Fault => coloured(AnsiColor::Magenta),
        Tone::Held => coloured(AnsiColor::Green).bold(),
        Tone::Deviated => coloured(AnsiColor::Red).bold(),
        Tone::Inconclusive => coloured(AnsiColor::Yellow).bold(),
        Tone::Aborted => coloured(AnsiColor::Magenta).bold(),
        Tone::Stuck => anstyle::Style::new()
            .fg_color(Some(Color::Ansi(AnsiColor::BrightWhite)))
            .bg_color(Some(Color::Ansi(AnsiColor::Red)))
            .bold(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_style_writes_no_escape() {
        let plain = Style::plain(80);
        assert_eq!(plain.paint(Tone::Stuck, "stuck"), "stuck");
        let colourful = Style { colour: true, ..plain };
        assert!(colourful.paint(Tone::Stuck, "stuck").starts_with('\x1b'));
        assert!(colourful.paint(Tone::Stuck, "stuck").ends_with("\x1b[0m"));
    }

    #[test]
    fn every_grade_has_a_shape_of_its_own() {
        for unicode in [true, false] {
            let glyphs = Style { colour: false, unicode, width: 80 }.glyphs();
            let shapes = [glyphs.good, glyphs.late, glyphs.bad, glyphs.invalid];
            for (index, shape) in shapes.iter().enumerate() {
                assert!(!shapes[..index].contains(shape), "{shapes:?}");
            }
        }
    }

    #[test]
    fn without_unicode_our_own_signs_are_ascii() {
        let ascii = Style { colour: false, unicode: false, width: 80 };
        assert_eq!(ascii.say("2.31 s ± 0.02 s\x1b"), "2.31 s +- 0.02 s\u{fffd}");
    }
}

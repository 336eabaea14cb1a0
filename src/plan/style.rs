//! How a plan's text is dressed: for a terminal or for a file.

use anstyle::{AnsiColor, Style as Ansi};

/// Plain text, or with colour where the caller knows that it can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    #[default]
    Plain,
    Colour,
}

impl Style {
    #[must_use]
    pub fn of(colour: bool) -> Style {
        if colour { Style::Colour } else { Style::Plain }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.dress(Ansi::new().bold(), text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.dress(Ansi::new().dimmed(), text)
    }

    pub(super) fn colour(self, colour: AnsiColor, text: &str) -> String {
        self.dress(Ansi::new().fg_color(Some(colour.into())), text)
    }

    fn dress(self, ansi: Ansi, text: &str) -> String {
        match self {
            Style::Plain => text.to_owned(),
            Style::Colour => format!("{ansi}{text}{ansi:#}"),
        }
    }
}

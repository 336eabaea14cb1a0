//! How a plan's text is dressed: for a terminal or for a file.

use anstyle::{AnsiColor, Style as Ansi};

/// Names in a row, the first of many and how many more there are.
pub(super) fn shortened<T: std::fmt::Display>(names: &[T], most: usize) -> String {
    let most = shown(names.len(), most);
    let mut text = names.iter().take(most).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if most < names.len() {
        text = format!("{text}, … and {} more", names.len() - most);
    }
    text
}

/// How many of them are shown: one more is shown where it would be said that there is one more.
pub(super) fn shown(of: usize, most: usize) -> usize {
    if of <= most + 1 { of } else { most }
}

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

//! What is said while a drill runs: drawn in place on a terminal, plain lines elsewhere, JSON lines
//! where asked. A reader that has gone changes nothing about the drill.

use std::io::{IsTerminal, Write};

use tokio::sync::oneshot;

use crate::model::history::Record;
use crate::report::live::{LiveState, lines, plain_line};
use crate::report::text::Style;

use super::Loudness;
use super::failure::Failure;
use super::screen::{self, InPlace};

/// At most so many drawings a second.
const DRAW_EVERY_NS: u64 = 100_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    InPlace,
    Plain,
    Json,
    Quiet,
}

pub struct Progress {
    mode: Mode,
    style: Style,
    screen: InPlace,
    live: LiveState,
    drawn_ns: u64,
}

impl Mode {
    #[must_use]
    pub fn of(events: bool, loudness: Loudness) -> Mode {
        match loudness {
            _ if events => Mode::Json,
            Loudness::Quiet => Mode::Quiet,
            Loudness::Normal if std::io::stdout().is_terminal() => Mode::InPlace,
            Loudness::Normal => Mode::Plain,
        }
    }
}

impl Progress {
    /// Errors: there is no way to write.
    pub fn new(mode: Mode) -> Result<Progress, Failure> {
        Ok(Progress {
            mode,
            style: screen::style(),
            screen: InPlace::new()?,
            live: LiveState::default(),
            drawn_ns: 0,
        })
    }

    /// The plan, before anything happens.
    pub fn plan(&mut self, text: &str) {
        if matches!(self.mode, Mode::InPlace | Mode::Plain) {
            self.screen.above(&format!("{text}\n"));
        }
    }

    /// Something outside of the drill's own history.
    pub fn say(&mut self, words: &str) {
        match self.mode {
            Mode::InPlace | Mode::Plain => self.screen.above(&format!("{words}\n")),
            Mode::Json | Mode::Quiet => tracing::info!("{words}"),
        }
    }

    /// Something that is only worth a drawn line, or the log.
    pub fn detail(&mut self, words: &str) {
        match self.mode {
            Mode::InPlace => self.screen.draw(&[format!("  {words}")]),
            Mode::Plain | Mode::Json | Mode::Quiet => tracing::info!("{words}"),
        }
    }

    pub fn take(&mut self, record: &Record) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Json => {
                if let Ok(line) = serde_json::to_string(record) {
                    self.screen.above(&format!("{line}\n"));
                }
            }
            Mode::Plain => {
                for event in self.live.take(record) {
                    let line = plain_line(&self.live, &event, &self.style);
                    self.screen.above(&format!("{line}\n"));
                }
            }
            Mode::InPlace => self.redraw(record),
        }
    }

    /// A record of one drill of several: drawn in place, and said nowhere else.
    pub fn pass(&mut self, record: &Record) {
        if self.mode == Mode::InPlace {
            let _said_at_the_end = self.live.take(record);
            if record.at_ns.saturating_sub(self.drawn_ns) >= DRAW_EVERY_NS {
                self.drawn_ns = record.at_ns;
                self.screen.draw(&lines(&self.live, &self.style));
            }
        }
    }

    fn redraw(&mut self, record: &Record) {
        let events = self.live.take(record);
        for event in &events {
            let line = plain_line(&self.live, event, &self.style);
            self.screen.above(&format!("{line}\n"));
        }
        if !events.is_empty() || record.at_ns.saturating_sub(self.drawn_ns) >= DRAW_EVERY_NS {
            self.drawn_ns = record.at_ns;
            self.screen.draw(&lines(&self.live, &self.style));
        }
    }

    /// The drill is over: what was drawn in place goes.
    pub fn done(&mut self) {
        self.live = LiveState::default();
        self.screen.clear();
    }

    /// Answered when all that was said is written: by a reader that takes it, or is gone.
    pub fn said(&mut self) -> oneshot::Receiver<()> {
        self.screen.said()
    }

    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.mode == Mode::Quiet
    }

    /// The verdict goes to the standard output in every mode but JSON lines, where it must not
    /// stand between them.
    pub fn verdict(&mut self, text: &str) {
        if self.mode == Mode::Json {
            let _unseen = std::io::stderr().write_all(text.as_bytes());
        } else {
            self.screen.above(text);
        }
    }
}

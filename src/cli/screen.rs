//! Where a person looks: width, colour, and lines that are drawn again in place.

use std::io::{IsTerminal, Write};

use crate::report::text::Style;

/// `NO_COLOR` and `TERM=dumb` are obeyed; a pipe gets none.
pub fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !set("NO_COLOR") && std::env::var("TERM").as_deref() != Ok("dumb")
}

fn set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|v| !v.is_empty())
}

/// The style of the standard output.
#[must_use]
pub fn style() -> Style {
    let out = std::io::stdout();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()));
    let unicode = locale.is_none_or(|l| l.to_ascii_lowercase().replace('-', "").contains("utf8"));
    Style { colour: colour(&out), unicode, width: width() }
}

fn width() -> usize {
    terminal_width().unwrap_or(100).clamp(Style::NARROWEST, 140)
}

fn terminal_width() -> Option<usize> {
    let (columns, _) = crate::host::linux::terminal::size(std::io::stdout())?;
    Some(usize::from(columns))
}

/// Lines at the bottom of a terminal that are drawn over again. Elsewhere nothing is drawn. A
/// reader that has gone stops the drawing and nothing else.
#[derive(Debug, Default)]
pub struct InPlace {
    drawn: usize,
    deaf: bool,
}

impl InPlace {
    /// Draws these lines where the last ones were.
    pub fn draw(&mut self, lines: &[String]) {
        let mut text = self.erasure();
        for line in lines {
            text += line;
            text.push('\n');
        }
        self.drawn = lines.len();
        self.put(&text);
    }

    /// Writes lines above, and leaves them there.
    pub fn above(&mut self, text: &str) {
        let erased = self.erasure() + text;
        self.drawn = 0;
        self.put(&erased);
    }

    /// Takes the drawn lines away.
    pub fn clear(&mut self) {
        let text = self.erasure();
        self.drawn = 0;
        self.put(&text);
    }

    fn erasure(&self) -> String {
        if self.drawn == 0 { String::new() } else { format!("\x1b[{}A\x1b[J", self.drawn) }
    }

    fn put(&mut self, text: &str) {
        if !self.deaf && !text.is_empty() {
            let mut out = std::io::stdout();
            self.deaf = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err();
        }
    }
}

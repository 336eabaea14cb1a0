//! Where a person looks: width, colour, and lines that are drawn again in place.
//!
//! A thread of its own does the writing. A terminal that is stopped by Ctrl-S and a pipe that
//! nobody empties hold it up, and never the drill. Drawings are left out where they pile up; lines
//! that are to stay are kept until they can be written: they are less than the history in memory.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use super::failure::Failure;
use crate::report::text::Style;

/// So many things that are not written yet, and nothing more is drawn.
const BEHIND_MOST: usize = 4;
/// How long the last words may take when nobody waits for them any more.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

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
/// reader that has gone stops the drawing and nothing else. Dropping it waits for what is not
/// written, a moment and no longer.
#[derive(Debug)]
pub struct InPlace {
    /// None: the last word is said.
    words: Option<Sender<Words>>,
    /// Words that are not written yet.
    behind: Arc<AtomicUsize>,
    ended: Receiver<()>,
}

#[derive(Debug)]
enum Words {
    /// These lines where the last ones were.
    Draw(Vec<String>),
    /// Above them, to stay.
    Above(String),
    Clear,
    /// Everything before this is written.
    Said(oneshot::Sender<()>),
}

impl InPlace {
    /// Errors: there can be no thread.
    pub fn new() -> Result<InPlace, Failure> {
        let (words, inbox) = channel();
        let (ending, ended) = channel();
        let behind = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&behind);
        let thread = std::thread::Builder::new().name("screen".to_owned());
        thread
            .spawn(move || {
                Writing::default().all(&inbox, &counted);
                drop(ending);
            })
            .map_err(|e| Failure::internal(format!("failed to start the screen's thread: {e}")))?;
        Ok(InPlace { words: Some(words), behind, ended })
    }

    /// Draws these lines where the last ones were, unless the screen cannot keep up.
    pub fn draw(&mut self, lines: &[String]) {
        if self.behind.load(Ordering::Acquire) < BEHIND_MOST {
            self.say(Words::Draw(lines.to_vec()));
        }
    }

    /// Writes lines above, and leaves them there.
    pub fn above(&mut self, text: &str) {
        self.say(Words::Above(text.to_owned()));
    }

    /// Takes the drawn lines away.
    pub fn clear(&mut self) {
        self.say(Words::Clear);
    }

    /// Answered, or dropped, when everything up to here is written, or nobody reads it any more.
    pub fn said(&mut self) -> oneshot::Receiver<()> {
        let (sender, said) = oneshot::channel();
        self.say(Words::Said(sender));
        said
    }

    fn say(&mut self, words: Words) {
        self.behind.fetch_add(1, Ordering::AcqRel);
        // The thread ends only after us.
        let _said = self.words.as_ref().map(|sender| sender.send(words));
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        self.words = None;
        let _ended = self.ended.recv_timeout(ENDS_WITHIN);
    }
}

/// The thread's side.
#[derive(Debug, Default)]
struct Writing {
    drawn: usize,
    deaf: bool,
}

impl Writing {
    fn all(&mut self, inbox: &Receiver<Words>, behind: &AtomicUsize) {
        for words in inbox {
            match words {
                Words::Draw(lines) => {
                    let text = lines.iter().fold(self.erasure(), |text, line| text + line + "\n");
                    self.drawn = lines.len();
                    self.put(&text);
                }
                Words::Above(text) => {
                    let text = self.erasure() + &text;
                    self.drawn = 0;
                    self.put(&text);
                }
                Words::Clear => {
                    let text = self.erasure();
                    self.drawn = 0;
                    self.put(&text);
                }
                Words::Said(asked) => {
                    let _nobody = asked.send(());
                }
            }
            behind.fetch_sub(1, Ordering::AcqRel);
        }
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

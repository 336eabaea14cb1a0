//! The text of one file, and where in it a byte stands.
//!
//! The only place of the project that opens a document. A file is refused by its size before it is
//! read; what is read is UTF-8 without a byte order mark and without control characters.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::finding::{Code, Finding, Findings};
use super::sheet::Sheet;

/// The largest document that is read, in bytes.
pub const SIZE_MAX: u64 = 1024 * 1024;

/// A document's text with the path that messages call it by.
#[derive(PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    /// Without a byte order mark.
    pub text: String,
    /// Of the bytes as they are in the file, in hexadecimal digits.
    pub sha256: String,
    line_starts: Vec<usize>,
}

/// A line and a column, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Source {
    /// Errors: a finding without a place for what cannot be opened or is too large, one with a
    /// place for bytes that are not UTF-8.
    pub fn read(path: &Path) -> Result<Arc<Source>, Findings> {
        let unreadable = |why: &str, help: &str| {
            let refusal =
                Finding::of_file(Code::Unreadable, path, format!("failed to read the file: {why}"));
            Findings(vec![refusal.help(help)])
        };
        let spelling = "check the path; it is relative to the working folder";
        let file = File::open(path).map_err(|e| unreadable(&words(&e), spelling))?;
        let about = file.metadata().map_err(|e| unreadable(&words(&e), spelling))?;
        if about.is_dir() {
            return Err(unreadable("it is a folder", "name a file in it"));
        }
        if about.len() > SIZE_MAX {
            return Err(too_large(path));
        }
        let mut bytes = Vec::new();
        file.take(SIZE_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| unreadable(&words(&e), spelling))?;
        Source::from_bytes(path, bytes)
    }

    /// The same for bytes at hand.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Arc<Source>, Findings> {
        if bytes.len() as u64 > SIZE_MAX {
            return Err(too_large(path));
        }
        let sha256 = hex(&Sha256::digest(&bytes));
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Arc::new(Source::new(path, text, sha256))),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let mut sheet = Sheet::new(Arc::new(Source::new(path, shown, sha256)));
                let length = char::REPLACEMENT_CHARACTER.len_utf8();
                sheet
                    .error(
                        Code::NotUtf8,
                        start..start + length,
                        "the file is not UTF-8 from here on",
                    )
                    .help("save it as UTF-8");
                Err(Findings(sheet.findings))
            }
        }
    }

    fn new(path: &Path, text: String, sha256: String) -> Source {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { path: path.to_owned(), text, sha256, line_starts }
    }

    /// Where a byte stands; the end of the text for one beyond it.
    pub fn place(&self, byte: usize) -> Place {
        let byte = byte.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let before = self.text.get(self.line_start(line)..byte).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }

    /// The byte at which a line begins, counted from 1; the last line's for one beyond it.
    pub fn line_start(&self, line: usize) -> usize {
        let index = line.saturating_sub(1).min(self.line_starts.len() - 1);
        self.line_starts[index]
    }

    /// The bytes of a line without its end.
    pub fn line(&self, line: usize) -> Range<usize> {
        let start = self.line_start(line);
        let rest = &self.text[start..];
        let length = rest.find('\n').unwrap_or(rest.len());
        start..start + rest[..length].trim_end_matches('\r').len()
    }

    /// The byte of a line and column, both counted from 1.
    pub fn byte(&self, line: usize, column: usize) -> usize {
        let line = self.line(line);
        let within = &self.text[line.clone()];
        let offset = within.char_indices().nth(column.saturating_sub(1)).map(|(at, _)| at);
        line.start + offset.unwrap_or(within.len())
    }

    /// The nearest range of whole characters within the text.
    pub fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let start = floor(&self.text, span.start);
        let end = floor(&self.text, span.end.max(start));
        start..end
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.path.display())
    }
}

fn floor(text: &str, byte: usize) -> usize {
    let byte = byte.min(text.len());
    (0..=byte).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn too_large(path: &Path) -> Findings {
    let refusal =
        Finding::of_file(Code::TooLarge, path, "the file is larger than 1 MiB and was not read")
            .help("a document is a few kilobytes; keep data in files of its own");
    Findings(vec![refusal])
}

/// The system's words without its number.
fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Source::from_bytes(Path::new("x.yaml"), text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn places_count_characters_from_one() {
        let source = source("\u{feff}a: 1\nüb: 2\r\nc");
        assert_eq!(source.place(0), Place { line: 1, column: 1 });
        assert_eq!(source.place(5), Place { line: 2, column: 1 });
        assert_eq!(source.place(7), Place { line: 2, column: 2 });
        assert_eq!(source.place(999), Place { line: 3, column: 2 });
        assert_eq!(&source.text[source.line(2)], "üb: 2");
        assert_eq!(source.byte(2, 2), 7);
        assert_eq!(source.byte(9, 9), source.text.len());
    }

    #[test]
    fn the_digest_is_of_the_bytes_in_the_file() {
        assert_eq!(
            source("abc").sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_ne!(source("\u{feff}abc").sha256, source("abc").sha256);
    }

    #[test]
    fn a_span_never_cuts_a_character() {
        let source = source("aü");
        assert_eq!(source.clamp(1..2), 1..1);
        assert_eq!(source.clamp(0..99), 0..3);
    }

    #[test]
    fn the_limit_of_size_is_exact() {
        let limit = usize::try_from(SIZE_MAX).unwrap();
        let path = Path::new("x.yaml");
        assert!(Source::from_bytes(path, vec![b'#'; limit]).is_ok());
        let refused = Source::from_bytes(path, vec![b'#'; limit + 1]).unwrap_err();
        assert_eq!(refused.0[0].code, Code::TooLarge);
    }
}

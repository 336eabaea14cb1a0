//! What is wrong with a document, where, and what to write instead.
//!
//! A finding is one value with two faces: text with the lines it is about (`render`), and JSON.
//! Its code is stable: scripts may depend on it.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::render;
use super::source::Source;

/// Does it stop us?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// It can, and probably does not mean what was meant.
    Warning,
}

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The file cannot be opened.
    Unreadable,
    /// More than 1 MiB.
    TooLarge,
    NotUtf8,
    /// A character that no editor shows.
    ControlCharacter,
    /// Not YAML.
    Syntax,
    /// More nodes, depth or aliases than a document has any use for.
    TooComplex,
    /// Nothing in the file.
    EmptyDocument,
    /// More than one document in one file.
    SeveralDocuments,
    DuplicateKey,
    UnknownKey,
    /// A choice that does not exist: a fault, a probe, a check, a role word.
    UnknownKind,
    MissingKey,
    WrongType,
    /// A value of the right type that means nothing.
    BadValue,
    ApiVersion,
    /// Another kind of document than asked for, or none that is known.
    DocumentKind,
    /// A name that is not lower-case letters, digits and hyphens.
    BadName,
    /// A name of a target, probe, service, role or host that is nowhere declared.
    UnknownReference,
    /// Declared and used by nothing.
    Unused,
    EmptySelector,
    /// A template that stands for nothing, or in a place where none may stand.
    Template,
    /// The lab's file has errors of its own, or there is no lab.
    Lab,
    /// No claim: nothing could be learned.
    EmptyHypothesis,
    /// A check where it cannot be asked.
    MisplacedCheck,
    /// No fault: nothing is broken.
    HollowMethod,
    /// A hold that ends before the mechanism under test could act.
    ShortHold,
    /// A stop condition that waits for longer than the drill lasts.
    IdleStop,
    /// A probe that looks too seldom for the limit that it is to show.
    CoarseProbe,
    BadPattern,
    /// A program that a lab wants and this machine does not have.
    MissingProgram,
    /// Services that wait for each other.
    Cycle,
    /// Addresses or hosts of a lab that do not work out.
    Layout,
    /// More findings than anybody reads at once were left out.
    More,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub severity: Severity,
    pub code: Code,
    pub file: String,
    /// Counted from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// In characters, counted from 1; 0 when it is about the file as a whole.
    pub column: usize,
    /// Of the part that is marked, in characters.
    pub length: usize,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    #[serde(skip)]
    pub(super) source: Option<Arc<Source>>,
    #[serde(skip)]
    pub(super) span: Range<usize>,
}

/// Everything that is wrong with a document and those that it names. Never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings(pub Vec<Finding>);

impl Finding {
    /// About a file as a whole.
    pub(super) fn of_file(code: Code, path: &Path, message: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Error,
            code,
            file: path.display().to_string(),
            line: 0,
            column: 0,
            length: 0,
            message: printable(&message.into()),
            help: None,
            source: None,
            span: 0..0,
        }
    }

    /// About a part of a file.
    pub(super) fn within(source: &Arc<Source>, span: Range<usize>, finding: Finding) -> Finding {
        let span = source.clamp(span);
        let place = source.place(span.start);
        // What is marked ends with its line: a list over ten lines is not underlined ten times.
        let end = span.end.min(source.line(place.line).end).max(span.start);
        let length = source.text.get(span.start..end).unwrap_or_default().chars().count();
        Finding {
            line: place.line,
            column: place.column,
            length,
            source: Some(Arc::clone(source)),
            span: span.start..end,
            ..finding
        }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Finding {
        self.help = Some(printable(&help.into()));
        self
    }
}

impl Findings {
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render::render(&self.0, render::Look::Plain))
    }
}

impl std::error::Error for Findings {}

/// Text of a file is quoted in messages; nothing in it may steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let shown: Box<dyn Iterator<Item = char>> = if is_hidden(c) && c != '\n' {
                Box::new(c.escape_default())
            } else {
                Box::new(std::iter::once(c))
            };
            shown
        })
        .collect()
}

/// Control characters, and those that turn the direction of a line.
pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

//! Text to tree, within limits that a document never needs and a bomb soon meets.

use std::ops::Range;
use std::sync::Arc;

use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Options, Spanned};

use super::finding::{Code, is_hidden};
use super::raw::Raw;
use super::sheet::Sheet;
use super::source::Source;
use super::tree::{Content, Entry, Key, Node, NodeId};

/// The most mappings, lists and scalars of a document; an alias counts for all that it stands for.
const NODES_MAX: usize = 20_000;
const DEPTH_MAX: usize = 32;
const ALIASES_MAX: usize = 100;

/// None: not YAML, or refused; the sheet says why.
pub(super) fn read(sheet: &mut Sheet) -> Option<Node> {
    let source = Arc::clone(&sheet.source);
    if refuses_hidden(&source, sheet) {
        return None;
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&source.text, options()) {
        Ok(Spanned { value: Raw::Null, .. }) => {
            sheet
                .error(Code::EmptyDocument, 0..0, "the document is empty")
                .help("`squall new` writes a first experiment");
            None
        }
        Ok(raw) => Some(Builder { sheet, next: 0 }.node(raw)),
        Err(error) => {
            explain(error.without_snippet(), &source, sheet);
            None
        }
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        budget: serde_saphyr::budget! {
            max_events: 3 * NODES_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_merge_keys: ALIASES_MAX,
            max_recorded_anchor_events: 3 * NODES_MAX,
            max_documents: 2,
            enforce_alias_anchor_ratio: false,
        },
    }
}

/// A character that no editor shows can make a document read otherwise than it looks.
fn refuses_hidden(source: &Source, sheet: &mut Sheet) -> bool {
    let hidden = |(_, c): &(usize, char)| is_hidden(*c) && !matches!(c, '\t' | '\n' | '\r');
    let mut found = false;
    for (at, c) in source.text.char_indices().filter(hidden).take(10) {
        found = true;
        sheet
            .error(
                Code::ControlCharacter,
                at..at + c.len_utf8(),
                format!("the file has the hidden character U+{:04X}", u32::from(c)),
            )
            .help("remove it");
    }
    found
}

/// The reader's error in our words, with what to do.
fn explain(error: &Error, source: &Source, sheet: &mut Sheet) {
    let start = error.location().map_or(0, |location| start_of(&location, source));
    let text = error.to_string();
    let said = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    let one = start..start + source.text[start..].chars().next().map_or(0, char::len_utf8);
    match error {
        Error::MultipleDocuments { .. } => sheet
            .error(
                Code::SeveralDocuments,
                source.line(source.place(start).line),
                "a second document begins here",
            )
            .help("one file holds one document; put this one into a file of its own"),
        // Within an alias the reader says only in words that a limit was met.
        _ if said.contains("limit exceeded") || text.contains("budget breached") => sheet
            .error(Code::TooComplex, one, "the document is larger than any that squall reads")
            .help(format!(
                "at most {NODES_MAX} values with all aliases written out, {DEPTH_MAX} levels and \
                 {ALIASES_MAX} aliases"
            )),
        _ if is_bare_template(source, start) => sheet
            .error(Code::Template, one, "a template without quotes is a YAML mapping")
            .help("put it into quotes: \"{{lab.NAME}}\""),
        _ => {
            let help = remedy(said, &source.text[start..]);
            sheet.error(Code::Syntax, one, format!("this is not YAML: {said}")).help(help);
        }
    }
}

/// `{{lab.x}}` unquoted is read as a mapping whose key is a mapping.
fn is_bare_template(source: &Source, at: usize) -> bool {
    let line = source.line(source.place(at).line);
    let before = &source.text[line.start..at.max(line.start)];
    source.text[at..].starts_with('{') && before.ends_with('{')
}

fn remedy(said: &str, rest: &str) -> &'static str {
    if said.contains("tab") || rest.starts_with('\t') {
        "indent with spaces; YAML does not allow tabs there"
    } else if said.contains("mapping values are not allowed") || rest.starts_with(':') {
        "quote the text that has a colon in it, or check the indentation and the brackets above"
    } else if said.contains("bracket") || said.contains("flow") {
        "close every `{` and `[` that was opened"
    } else if said.contains("anchor") {
        "an alias `*name` needs an anchor `&name` before it"
    } else if said.contains("expected string scalar") || said.contains("null into string") {
        "a key is plain text"
    } else {
        "check indentation, quotes and brackets here and on the line before"
    }
}

/// Byte offsets where the reader has them; a syntax error has only line and column.
fn start_of(location: &Location, source: &Source) -> usize {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    match location.span().byte_offset() {
        Some(offset) => source.clamp(number(offset)..number(offset)).start,
        None => source.byte(number(location.line()), number(location.column())),
    }
}

/// Gives every node its id and its extent, and names what YAML forbids and the reader lets pass.
struct Builder<'s> {
    sheet: &'s mut Sheet,
    next: NodeId,
}

impl Builder<'_> {
    fn id(&mut self) -> NodeId {
        self.next += 1;
        self.next
    }

    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let id = self.id();
        let own = self.span(&raw.defined);
        match raw.value {
            Raw::Null => Node { id, span: own, content: Content::Null },
            Raw::Bool(value) => Node { id, span: own, content: Content::Bool(value) },
            Raw::Number(number) => {
                let written = self.sheet.source.text[own.clone()].to_owned();
                Node { id, span: own, content: Content::Number(number, written) }
            }
            Raw::Text(text) => {
                self.refuse_hidden(&text, &own);
                Node { id, span: own, content: Content::Text(text) }
            }
            Raw::List(items) => {
                let items: Vec<Node> = items.into_iter().map(|item| self.node(item)).collect();
                let span = extent(own, items.iter().map(|item| &item.span));
                Node { id, span, content: Content::List(items) }
            }
            Raw::Map(entries) => {
                let entries = self.entries(entries);
                let spans = entries.iter().flat_map(|entry| [&entry.key.span, &entry.value.span]);
                let span = extent(own, spans);
                Node { id, span, content: Content::Map(entries) }
            }
        }
    }

    fn entries(&mut self, raw: Vec<(Spanned<String>, Spanned<Raw>)>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
        for (key, value) in raw {
            let span = self.span(&key.defined);
            self.refuse_hidden(&key.value, &span);
            let key = Key { id: self.id(), span, text: key.value };
            let value = self.node(value);
            if let Some(first) = entries.iter().find(|entry| entry.key.text == key.text) {
                let line = self.sheet.source.place(first.key.span.start).line;
                self.sheet
                    .error(
                        Code::DuplicateKey,
                        key.span,
                        format!("`{}` is here twice; the first is in line {line}", key.text),
                    )
                    .help("keep one of them");
            } else {
                entries.push(Entry { key, value });
            }
        }
        entries
    }

    /// Escapes such as `"\e"` bring in what the text itself may not have; line ends and tabs may.
    fn refuse_hidden(&mut self, text: &str, span: &Range<usize>) {
        let hidden = |c: &char| is_hidden(*c) && !matches!(c, '\t' | '\n' | '\r');
        if let Some(c) = text.chars().find(hidden) {
            let message = format!("this text has the hidden character U+{:04X}", u32::from(c));
            self.sheet.error(Code::ControlCharacter, span.clone(), message).help("remove it");
        }
    }

    fn span(&self, location: &Location) -> Range<usize> {
        let source = &self.sheet.source;
        let start = start_of(location, source);
        let length = location.span().byte_len().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        source.clamp(start..start.saturating_add(length))
    }
}

/// From a container's own mark to the end of its last part. Parts that an alias or a merge brought
/// from before it do not count.
fn extent<'a>(own: Range<usize>, parts: impl Iterator<Item = &'a Range<usize>>) -> Range<usize> {
    let end = parts.map(|part| part.end).fold(own.end, usize::max);
    own.start..end
}

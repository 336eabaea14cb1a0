//! A lab's templates, filled for every instance as they will be when it starts: what stands for
//! nothing is found now, at its place.

use std::ops::Range;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::finding::Code;
use super::lab::line_in_block;
use super::sheet::Sheet;
use super::suggest;
use super::tree::Node;
use crate::model::inventory::Candidate;
use crate::model::layout::Layout;
use crate::model::vocabulary::Vocabulary;

/// Stands for the folder of an instance, which nobody has made yet.
const FOLDER: &str = "/run/lab";

/// Fills every template of every service.
pub(super) fn check(services: &Node, layout: &Layout, sheet: &mut Sheet) {
    let vocabulary = Vocabulary::of(layout);
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_debug(true);
    for entry in services.entries() {
        let texts = texts(&entry.value);
        for candidate in layout.candidates.iter().filter(|c| c.service == entry.key.text) {
            let words = Value::from_serialize(vocabulary.words(candidate, FOLDER));
            let filler = Filler { engine: &engine, words, candidate };
            for node in &texts {
                filler.check(node, sheet);
            }
        }
    }
}

/// Every value of a service that is a template.
fn texts(service: &Node) -> Vec<&Node> {
    let words = service.get("command").map_or(&[][..], Node::items).iter();
    let entries = ["env", "files"].map(|key| service.get(key).map_or(&[][..], Node::entries));
    words.chain(entries.into_iter().flatten().map(|entry| &entry.value)).collect()
}

struct Filler<'a> {
    engine: &'a Environment<'static>,
    words: Value,
    candidate: &'a Candidate,
}

impl Filler<'_> {
    fn check(&self, node: &Node, sheet: &mut Sheet) {
        let Some(text) = node.text() else { return };
        let Err(error) = self.engine.render_str(text, &self.words) else { return };
        // One that cannot be read has its finding already.
        if error.kind() == ErrorKind::SyntaxError {
            return;
        }
        let part = error.range().and_then(|range| text.get(range)).unwrap_or_default();
        let span = place(node, part, &error, sheet);
        let (message, help) = self.words_of(part.trim(), &error);
        sheet.error(Code::Template, span, message).help(help);
    }

    fn words_of(&self, part: &str, error: &Error) -> (String, String) {
        let all = "known here: host, index, service, dir, instances, services";
        if error.kind() != ErrorKind::UndefinedError {
            let said = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            let message = format!("this template cannot be filled for {}", self.candidate.name);
            return (format!("{message}: {said}"), all.to_owned());
        }
        let message = format!("`{part}` stands for nothing in this lab");
        let (holder, last) = part.rsplit_once('.').unwrap_or(("", part));
        let inner = match holder {
            "" => keys(&self.words),
            holder => {
                let found = self.engine.compile_expression(holder);
                found.and_then(|e| e.eval(&self.words)).map(|v| keys(&v)).unwrap_or_default()
            }
        };
        // The last word is wrong, or the first.
        let root = keys(&self.words);
        let (word, known) = match (inner.is_empty(), part.split('.').next()) {
            (true, Some(first)) => (first, root),
            _ => (last, inner),
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let help = match suggest::nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if holder.is_empty() || word != last => all.to_owned(),
            None => suggest::remedy(word, &known),
        };
        (message, help)
    }
}

/// What can be asked of a value; nothing of one that is not there.
fn keys(value: &Value) -> Vec<String> {
    let keys = value.try_iter().ok().filter(|_| !value.is_undefined());
    keys.map(|keys| keys.map(|key| key.to_string()).collect()).unwrap_or_default()
}

/// The part itself where it stands once in its line; else the line.
fn place(node: &Node, part: &str, error: &Error, sheet: &Sheet) -> Range<usize> {
    let line = line_in_block(node, error.line().unwrap_or(1), sheet);
    let written = sheet.source.text.get(line.clone()).unwrap_or_default();
    match written.find(part).filter(|_| !part.is_empty()) {
        Some(at) if written.rfind(part) == Some(at) => {
            line.start + at..line.start + at + part.len()
        }
        _ => line,
    }
}

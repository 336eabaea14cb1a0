//! A document as a tree in which every key and value knows its place in the text.
//!
//! Why a tree: a serde reader stops at the first mistake. Here the text is read once, and what it
//! means is decoded from the tree as often as needed, so that one run finds every mistake (see
//! `repair`). Invariant: a span lies within the text, on character boundaries.

use std::ops::Range;

/// Which node: its index in the order of the text.
pub type NodeId = usize;

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub id: NodeId,
    /// Bytes of the text; for a list or a mapping, from its first to its last value.
    pub span: Range<usize>,
    pub content: Content,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Null,
    Bool(bool),
    /// A number with the text that it was written as.
    Number(Number, String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A number as YAML reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

/// One line of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Key,
    pub value: Node,
}

/// A key and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub id: NodeId,
    pub span: Range<usize>,
    pub text: String,
}

impl Node {
    /// The value under a key; the first, should the key be there twice.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key.text == key)
    }

    /// Down several keys; a number is an index of a list.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| match &node.content {
            Content::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
            _ => node.get(step),
        })
    }

    pub fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Node] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) | Content::Number(_, text) => Some(text),
            _ => None,
        }
    }

    /// Every node at or below this one, in the order of the text.
    pub fn walk(&self, visit: &mut impl FnMut(&Node)) {
        visit(self);
        match &self.content {
            Content::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Content::Map(entries) => entries.iter().for_each(|entry| entry.value.walk(visit)),
            _ => {}
        }
    }

    /// The first scalar at or below this one that reads `text`.
    pub fn scalar(&self, text: &str) -> Option<&Node> {
        match &self.content {
            Content::Text(found) | Content::Number(_, found) => (found == text).then_some(self),
            Content::List(items) => items.iter().find_map(|item| item.scalar(text)),
            Content::Map(entries) => entries.iter().find_map(|entry| entry.value.scalar(text)),
            Content::Null | Content::Bool(_) => None,
        }
    }
}

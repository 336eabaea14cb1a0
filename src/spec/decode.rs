//! A serde deserializer over the tree. It says *where* a type did not fit, and can be told to leave
//! out what is known to be wrong, so that decoding again finds the next mistake (`repair`).

use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Choice, Entries, Items, Word};
use super::mistake::{Mistake, Spot, What};
use super::repair::Repairs;
use super::tree::{Content, Key, Node, Number};

/// Decodes one node.
#[derive(Clone)]
pub(super) struct Decoder<'t> {
    pub node: &'t Node,
    /// What to mark when a whole mapping or list is wrong: the key that it stands under.
    label: Range<usize>,
    pub repairs: &'t Repairs,
}

impl<'t> Decoder<'t> {
    pub fn new(node: &'t Node, repairs: &'t Repairs) -> Decoder<'t> {
        Decoder { node, label: first_mark(node), repairs }
    }

    pub fn under(key: &Key, node: &'t Node, repairs: &'t Repairs) -> Decoder<'t> {
        Decoder { node, label: key.span.clone(), repairs }
    }

    pub fn spot(&self) -> Spot {
        let shown = match self.node.content {
            Content::Text(_) | Content::Bool(_) | Content::Number(..) => self.node.span.clone(),
            Content::Null | Content::List(_) | Content::Map(_) => self.label.clone(),
        };
        Spot { shown, node: self.node.id, phantom: None }
    }

    /// An error that has no place yet is about this node.
    fn placed<T>(&self, result: Result<T, Mistake>) -> Result<T, Mistake> {
        result.map_err(|mistake| match (mistake.spot, mistake.what) {
            (None, What::WrongType { expected, .. }) => {
                let found = describe(&self.node.content);
                What::WrongType { expected, found }.at(self.spot())
            }
            (None, what) => what.at(self.spot()),
            (spot, what) => Mistake { spot, what },
        })
    }

    /// Types that parse a text complain after the decoder has handed it over: their error has no
    /// place yet either.
    pub fn decode<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Mistake> {
        let this = self.clone();
        this.placed(seed.deserialize(self))
    }

    pub fn wrong<T>(&self, expected: &str) -> Result<T, Mistake> {
        let found = describe(&self.node.content);
        Err(What::WrongType { expected: expected.to_owned(), found }.at(self.spot()))
    }

    /// A node that is known to be wrong is never read again.
    pub fn admit(&self) -> Result<(), Mistake> {
        if self.repairs.leaves_out(self.node.id) {
            return Err(What::Silent.at(self.spot()));
        }
        Ok(())
    }

    fn any<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Mistake> {
        self.admit()?;
        self.placed(match &self.node.content {
            Content::Null => visitor.visit_unit(),
            Content::Bool(value) => visitor.visit_bool(*value),
            Content::Number(number, _) => visit_number(*number, visitor),
            Content::Text(text) => visitor.visit_str(text),
            Content::List(items) => visitor.visit_seq(Items { rest: items.iter(), of: self }),
            Content::Map(entries) => visitor.visit_map(Entries::new(entries, self)),
        })
    }

    fn map<'de, V: Visitor<'de>>(&self, expected: &str, visitor: V) -> Result<V::Value, Mistake> {
        match &self.node.content {
            Content::Map(_) => self.any(visitor),
            _ => self.admit().and_then(|()| self.wrong(expected)),
        }
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, Mistake> {
    match number {
        Number::Unsigned(value) => visitor.visit_u64(value),
        Number::Signed(value) => visitor.visit_i64(value),
        Number::Float(value) => visitor.visit_f64(value),
    }
}

/// The first thing of a node that can be marked.
fn first_mark(node: &Node) -> Range<usize> {
    match &node.content {
        Content::Map(entries) => match entries.first() {
            Some(entry) => entry.key.span.clone(),
            None => node.span.clone(),
        },
        Content::List(items) => items.first().map_or_else(|| node.span.clone(), first_mark),
        _ => node.span.clone(),
    }
}

/// A node in words.
fn describe(content: &Content) -> String {
    match content {
        Content::Null => "nothing".to_owned(),
        Content::Bool(value) => format!("`{value}`"),
        Content::Number(_, text) => format!("the number `{text}`"),
        Content::Text(text) if text.chars().count() > 40 => "a text".to_owned(),
        Content::Text(text) => format!("the text `{text}`"),
        Content::List(items) => format!("a list of {}", items.len()),
        Content::Map(_) => "a mapping".to_owned(),
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            match self.node.content {
                Content::Number(..) => self.any(visitor),
                _ => self.admit().and_then(|()| self.wrong("a number")),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.any(visitor)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.content {
            Content::Bool(_) => self.any(visitor),
            _ => self.admit().and_then(|()| self.wrong("true or false")),
        }
    }

    /// A number counts as the text that it was written as: `20` must reach the type that knows to
    /// say that its unit is missing.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.admit()?;
        match &self.node.content {
            Content::Text(text) | Content::Number(_, text) => self.placed(visitor.visit_str(text)),
            _ => self.wrong("a text"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.content {
            Content::Null => self.placed(visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.node.content {
            Content::List(_) => self.any(visitor),
            _ => self.admit().and_then(|()| self.wrong("a list")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.admit()?;
        match &self.node.content {
            Content::List(items) if items.len() == length => self.any(visitor),
            _ => self.wrong(&format!("a list of {length}")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.map("a mapping", visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.map(&format!("a mapping with the keys {}", fields.join(", ")), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        kinds: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.admit()?;
        match &self.node.content {
            Content::Text(text) => self.placed(visitor.visit_enum(Word(text))),
            Content::Map(entries) if entries.len() == 1 => {
                visitor.visit_enum(Choice { entry: &entries[0], of: &self })
            }
            Content::Map(entries) => {
                let found = match entries.len() {
                    0 => "none".to_owned(),
                    n => format!("{n}; each needs an entry of its own"),
                };
                let words = format!("exactly one of {}, found {found}", kinds.join(", "));
                Err(What::Words(format!("expected {words}")).at(self.spot()))
            }
            _ => self.wrong(&format!("one of {}", kinds.join(", "))),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { char bytes byte_buf unit unit_struct tuple_struct }
}

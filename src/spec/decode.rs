//! A serde deserializer over the tree. It says *where* a type did not fit, and can be told to leave
//! out what is known to be wrong, so that decoding again finds the next mistake (`repair`).

use std::fmt;
use std::ops::Range;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::repair::{Phantom, Repairs};
use super::tree::{Content, Entry, Key, Node, NodeId, Number};

/// What did not fit, and where.
#[derive(Debug)]
pub(super) struct Mistake {
    pub spot: Option<Spot>,
    pub what: What,
}

/// The part to mark, and the node to leave out on the next try.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub shown: Range<usize>,
    pub node: NodeId,
    /// It is a made-up value of this mapping that did not fit.
    pub phantom: Option<&'static str>,
}

#[derive(Debug)]
pub(super) enum What {
    UnknownKey {
        found: String,
        known: &'static [&'static str],
    },
    UnknownKind {
        found: String,
        known: &'static [&'static str],
    },
    Missing(&'static str),
    WrongType {
        expected: String,
        found: String,
    },
    Words(String),
    /// Follows from something that was said already.
    Silent,
}

impl What {
    pub(super) fn at(self, spot: Spot) -> Mistake {
        Mistake { spot: Some(spot), what: self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Mistake {}

impl From<What> for Mistake {
    fn from(what: What) -> Mistake {
        Mistake { spot: None, what }
    }
}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(text: T) -> Mistake {
        What::Words(text.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Mistake {
        What::WrongType { expected: in_words(&expected.to_string()), found: found.to_string() }
            .into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Mistake {
        de::Error::invalid_type(found, expected)
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Mistake {
        What::UnknownKind { found: found.to_owned(), known }.into()
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Mistake {
        What::UnknownKey { found: found.to_owned(), known }.into()
    }

    fn missing_field(field: &'static str) -> Mistake {
        What::Missing(field).into()
    }
}

/// A type's own name is not what a reader knows it by.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a string" | "str" | "string" => "a text",
        other => other,
    }
    .to_owned()
}

/// Decodes one node.
#[derive(Clone)]
pub(super) struct Decoder<'t> {
    node: &'t Node,
    /// What to mark when a whole mapping or list is wrong: the key that it stands under.
    label: Range<usize>,
    repairs: &'t Repairs,
}

impl<'t> Decoder<'t> {
    pub fn new(node: &'t Node, repairs: &'t Repairs) -> Decoder<'t> {
        Decoder { node, label: first_mark(node), repairs }
    }

    fn under(key: &Key, node: &'t Node, repairs: &'t Repairs) -> Decoder<'t> {
        Decoder { node, label: key.span.clone(), repairs }
    }

    fn spot(&self) -> Spot {
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
    fn decode<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Mistake> {
        let this = self.clone();
        this.placed(seed.deserialize(self))
    }

    fn wrong<T>(&self, expected: &str) -> Result<T, Mistake> {
        let found = describe(&self.node.content);
        Err(What::WrongType { expected: expected.to_owned(), found }.at(self.spot()))
    }

    /// A node that is known to be wrong is never read again.
    fn admit(&self) -> Result<(), Mistake> {
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
pub(super) fn describe(content: &Content) -> String {
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

struct Items<'t, 'd> {
    rest: std::slice::Iter<'t, Node>,
    of: &'d Decoder<'t>,
}

impl<'de> de::SeqAccess<'de> for Items<'_, '_> {
    type Error = Mistake;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mistake> {
        let repairs = self.of.repairs;
        match self.rest.find(|item| !repairs.leaves_out(item.id)) {
            Some(item) => Decoder::new(item, repairs).decode(seed).map(Some),
            None => Ok(None),
        }
    }
}

/// The entries of a mapping that are not left out, then the made-up ones.
struct Entries<'t, 'd> {
    rest: std::slice::Iter<'t, Entry>,
    phantoms: std::slice::Iter<'t, Phantom>,
    now: Option<Now<'t>>,
    of: &'d Decoder<'t>,
}

enum Now<'t> {
    Entry(&'t Entry),
    Phantom(&'t Phantom),
}

impl<'t, 'd> Entries<'t, 'd> {
    fn new(entries: &'t [Entry], of: &'d Decoder<'t>) -> Entries<'t, 'd> {
        let phantoms = of.repairs.phantoms(of.node.id).iter();
        Entries { rest: entries.iter(), phantoms, now: None, of }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'_, '_> {
    type Error = Mistake;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Mistake> {
        let repairs = self.of.repairs;
        if let Some(entry) = self.rest.find(|entry| !repairs.leaves_out(entry.value.id)) {
            self.now = Some(Now::Entry(entry));
            return read_key(seed, &entry.key, entry.value.id).map(Some);
        }
        let Some(phantom) = self.phantoms.next() else { return Ok(None) };
        self.now = Some(Now::Phantom(phantom));
        let key: StrDeserializer<'_, Mistake> = phantom.field.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mistake> {
        let repairs = self.of.repairs;
        match self.now.take() {
            Some(Now::Entry(entry)) => {
                Decoder::under(&entry.key, &entry.value, repairs).decode(seed)
            }
            Some(Now::Phantom(phantom)) => seed.deserialize(phantom).map_err(|_| {
                let spot = Spot { phantom: Some(phantom.field), ..self.of.spot() };
                What::Silent.at(spot)
            }),
            None => Err(What::Silent.into()),
        }
    }
}

fn read_key<'de, S: DeserializeSeed<'de>>(
    seed: S,
    key: &Key,
    node: NodeId,
) -> Result<S::Value, Mistake> {
    let text: StrDeserializer<'_, Mistake> = key.text.as_str().into_deserializer();
    seed.deserialize(text)
        .map_err(|mistake| mistake.what.at(Spot { shown: key.span.clone(), node, phantom: None }))
}

/// A kind that stands alone, such as `never`.
struct Word<'t>(&'t str);

impl<'de, 't> de::EnumAccess<'de> for Word<'t> {
    type Error = Mistake;
    type Variant = Word<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Word<'t>), Mistake> {
        let text: StrDeserializer<'_, Mistake> = self.0.into_deserializer();
        Ok((seed.deserialize(text)?, self))
    }
}

impl Word<'_> {
    fn bare<T>(&self) -> Result<T, Mistake> {
        let word = self.0;
        Err(What::Words(format!("`{word}` stands alone; write `{word}: {{...}}`")).into())
    }
}

impl<'de> de::VariantAccess<'de> for Word<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Mistake> {
        self.bare()
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Mistake> {
        self.bare()
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Mistake> {
        self.bare()
    }
}

/// `{processKill: {...}}`: one key that names the kind, its parameters under it.
struct Choice<'t, 'd> {
    entry: &'t Entry,
    of: &'d Decoder<'t>,
}

impl<'de, 't> de::EnumAccess<'de> for Choice<'t, '_> {
    type Error = Mistake;
    type Variant = Decoder<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Decoder<'t>), Mistake> {
        let kind = read_key(seed, &self.entry.key, self.of.node.id)?;
        let repairs = self.of.repairs;
        Ok((kind, Decoder::under(&self.entry.key, &self.entry.value, repairs)))
    }
}

impl<'de> de::VariantAccess<'de> for Decoder<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        self.admit()?;
        match &self.node.content {
            Content::Null => Ok(()),
            Content::Map(entries) if entries.is_empty() => Ok(()),
            _ => self.wrong("nothing under this word"),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Mistake> {
        self.decode(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_struct("", fields, visitor)
    }
}

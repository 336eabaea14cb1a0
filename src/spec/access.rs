//! The insides of lists, mappings and choices, as serde asks for them one by one.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::decode::Decoder;
use super::mistake::{Mistake, Spot, What};
use super::repair::Phantom;
use super::tree::{Content, Entry, Key, Node, NodeId};

pub(super) struct Items<'t, 'd> {
    pub rest: std::slice::Iter<'t, Node>,
    pub of: &'d Decoder<'t>,
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
pub(super) struct Entries<'t, 'd> {
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
    pub fn new(entries: &'t [Entry], of: &'d Decoder<'t>) -> Entries<'t, 'd> {
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
pub(super) struct Word<'t>(pub &'t str);

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
pub(super) struct Choice<'t, 'd> {
    pub entry: &'t Entry,
    pub of: &'d Decoder<'t>,
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

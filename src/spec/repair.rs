//! Decodes a tree and finds *every* mistake: where decoding fails, the failing part is noted and
//! left out, and the rest is decoded again, until nothing fails.
//!
//! A key that is missing is made up on the next try, so that its neighbours are looked at too. What
//! follows from a repair is never reported. Each try leaves out or makes up at least one thing
//! more, so it ends.

use std::collections::{HashMap, HashSet};

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor, value};
use serde::forward_to_deserialize_any;

use super::decode::Decoder;
use super::finding::Code;
use super::mistake::{Mistake, What};
use super::sheet::Sheet;
use super::suggest;
use super::tree::{Content, Node, NodeId};

/// Texts that some type of the language accepts: a name, a duration, a percentage, a rate.
const MADE_UP: [&str; 5] = ["x", "1s", "50%", "1/s", "1"];

/// More tries than a sheet has room for findings would tell nobody anything.
const TRIES_MAX: usize = 400;

/// What is left out of a tree, and what is made up.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    left_out: HashSet<NodeId>,
    phantoms: HashMap<NodeId, Vec<Phantom>>,
    /// Keys that were written, but not as they are spelled.
    misspelled: HashSet<(NodeId, &'static str)>,
}

/// A value that stands for one that is missing.
#[derive(Debug)]
pub(super) struct Phantom {
    pub field: &'static str,
    attempt: usize,
}

/// What came out, with what had to be done to get it.
#[derive(Debug)]
pub(super) struct Decoded<T> {
    /// None: the document as a whole did not fit.
    pub value: Option<T>,
    repairs: Repairs,
}

impl Repairs {
    /// Nodes that are known to be wrong before decoding begins.
    pub fn without(left_out: HashSet<NodeId>) -> Repairs {
        Repairs { left_out, ..Repairs::default() }
    }

    pub fn leaves_out(&self, node: NodeId) -> bool {
        self.left_out.contains(&node)
    }

    pub fn phantoms(&self, node: NodeId) -> &[Phantom] {
        self.phantoms.get(&node).map_or(&[], Vec::as_slice)
    }
}

impl<T> Decoded<T> {
    /// Is this node, with all below it, decoded as it was written?
    pub fn is_whole(&self, node: &Node) -> bool {
        let mut whole = true;
        node.walk(&mut |part| {
            whole &= !self.repairs.leaves_out(part.id) && self.repairs.phantoms(part.id).is_empty();
        });
        whole
    }

    /// The items of a list that were decoded, in order: they match the decoded list one by one.
    pub fn kept<'t>(&self, list: Option<&'t Node>) -> Vec<&'t Node> {
        let items = list.map_or(&[][..], Node::items);
        items.iter().filter(|item| !self.repairs.leaves_out(item.id)).collect()
    }
}

/// Decodes, and notes every mistake on the sheet.
pub(super) fn decode<T: DeserializeOwned>(
    root: &Node,
    mut repairs: Repairs,
    sheet: &mut Sheet,
) -> Decoded<T> {
    let family = Family::of(root);
    for _ in 0..TRIES_MAX {
        let mistake = match T::deserialize(Decoder::new(root, &repairs)) {
            Ok(value) => return Decoded { value: Some(value), repairs },
            Err(mistake) => mistake,
        };
        if sheet.is_full() || !mend(&mistake, &family, &mut repairs, sheet) {
            break;
        }
    }
    Decoded { value: None, repairs }
}

/// Notes the mistake and makes the next try get further. False: there is nothing left to try.
fn mend(mistake: &Mistake, family: &Family, repairs: &mut Repairs, sheet: &mut Sheet) -> bool {
    let Some(spot) = &mistake.spot else { return false };
    if let Some(field) = spot.phantom {
        let phantoms = repairs.phantoms.entry(spot.node).or_default();
        if let Some(phantom) = phantoms.iter_mut().find(|phantom| phantom.field == field)
            && phantom.attempt + 1 < MADE_UP.len()
        {
            phantom.attempt += 1;
            return true;
        }
        return leave_out(spot.node, family, repairs);
    }
    if let What::Missing(field) = mistake.what {
        let known = repairs.phantoms(spot.node).iter().any(|phantom| phantom.field == field);
        if known {
            return leave_out(spot.node, family, repairs);
        }
        if !family.had(spot.node, field) && !repairs.misspelled.contains(&(spot.node, field)) {
            note(mistake, sheet);
        }
        repairs.phantoms.entry(spot.node).or_default().push(Phantom { field, attempt: 0 });
        return true;
    }
    if let What::UnknownKey { found, known } = &mistake.what
        && let Some(meant) = suggest::nearest(found, known.iter().copied())
        && let Some(holder) = family.parents.get(&spot.node)
    {
        repairs.misspelled.insert((*holder, meant));
    }
    // A container that lost parts may complain about what is left of it: that is our doing.
    if !family.lost_parts(spot.node, repairs) {
        note(mistake, sheet);
    }
    leave_out(spot.node, family, repairs)
}

/// The node; if it was left out already, what holds it.
fn leave_out(node: NodeId, family: &Family, repairs: &mut Repairs) -> bool {
    let mut now = Some(node);
    while let Some(id) = now {
        if id == family.root {
            return false;
        }
        if repairs.left_out.insert(id) {
            return true;
        }
        now = family.parents.get(&id).copied();
    }
    false
}

fn note(mistake: &Mistake, sheet: &mut Sheet) {
    let Some(spot) = &mistake.spot else { return };
    let span = spot.shown.clone();
    match &mistake.what {
        What::UnknownKey { found, known } => sheet
            .error(Code::UnknownKey, span, format!("unknown key `{found}`"))
            .help(suggest::remedy(found, known)),
        What::UnknownKind { found, known } => sheet
            .error(Code::UnknownKind, span, format!("`{found}` is none of the choices here"))
            .help(suggest::remedy(found, known)),
        What::Missing(field) => sheet
            .error(Code::MissingKey, span, format!("the key `{field}` is missing"))
            .help(format!("add `{field}: ...`")),
        What::WrongType { expected, found } => {
            let help = match found.as_str() {
                "nothing" => "write a value, or leave the key out",
                _ if expected == "a text" && found.starts_with('`') => "put it into quotes",
                _ if expected == "a number" => "write digits without quotes",
                _ => "",
            };
            let noted =
                sheet.error(Code::WrongType, span, format!("expected {expected}, found {found}"));
            if !help.is_empty() {
                noted.help(help);
            }
        }
        What::Words(words) => match words.split_once("; ") {
            Some((message, help)) => sheet.error(Code::BadValue, span, message).help(help),
            None => drop(sheet.error(Code::BadValue, span, words.clone())),
        },
        What::Silent => {}
    }
}

/// Who holds whom.
struct Family {
    root: NodeId,
    parents: HashMap<NodeId, NodeId>,
    children: HashMap<NodeId, Vec<NodeId>>,
    keys: HashMap<NodeId, Vec<String>>,
}

impl Family {
    fn of(root: &Node) -> Family {
        let mut family = Family {
            root: root.id,
            parents: HashMap::new(),
            children: HashMap::new(),
            keys: HashMap::new(),
        };
        root.walk(&mut |node| {
            let keys = node.entries().iter().map(|entry| entry.key.text.clone()).collect();
            family.keys.insert(node.id, keys);
            let values = node.entries().iter().map(|entry| entry.value.id);
            let children: Vec<NodeId> = match &node.content {
                Content::List(items) => items.iter().map(|item| item.id).collect(),
                _ => values.collect(),
            };
            family.parents.extend(children.iter().map(|child| (*child, node.id)));
            family.children.insert(node.id, children);
        });
        family
    }

    /// Was the key written? Then it is missing only because it was left out.
    fn had(&self, node: NodeId, key: &str) -> bool {
        self.keys.get(&node).is_some_and(|keys| keys.iter().any(|k| k == key))
    }

    fn lost_parts(&self, node: NodeId, repairs: &Repairs) -> bool {
        let lost = |child: &NodeId| repairs.leaves_out(*child);
        self.children.get(&node).is_some_and(|children| children.iter().any(lost))
    }
}

/// Answers with whatever is asked for.
impl<'de> Deserializer<'de> for &Phantom {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_str(MADE_UP[self.attempt])
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_bool(true)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_u64(1)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_f64(1.0)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        visitor.visit_seq(value::SeqDeserializer::new(std::iter::empty::<u8>()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        let none = std::iter::empty::<(&str, &str)>();
        MapAccessDeserializer::new(value::MapDeserializer::new(none)).deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        kinds: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, value::Error> {
        let kind = kinds.get(self.attempt).or(kinds.first()).copied().unwrap_or_default();
        visitor.visit_enum(kind.into_deserializer())
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        self.deserialize_u64(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 char str string bytes byte_buf option unit unit_struct
        tuple tuple_struct identifier ignored_any
    }
}

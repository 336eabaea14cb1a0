//! What decoding says of a tree that does not fit: what is wrong, and where.

use std::fmt;
use std::ops::Range;

use serde::de::{self, Expected, Unexpected};

use super::tree::NodeId;

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

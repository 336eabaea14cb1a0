//! Names of things that squall makes. Every name that reaches the kernel derives from one of these.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One run of a plan: `d` and ten characters of lower-case base 32.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DrillId(String);

/// One fault in force on one target: the drill and a number, `d0123456789.3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InjectionId {
    pub drill: DrillId,
    pub number: u16,
}

impl DrillId {
    /// Makes an id from 50 random bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> DrillId {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut text = String::with_capacity(11);
        text.push('d');
        for position in (0..10).rev() {
            let index = (bits >> (position * 5)) & 31;
            text.push(char::from(ALPHABET[usize::try_from(index).unwrap_or(0)]));
        }
        DrillId(text)
    }

    /// Reads an id back, from a table's name or a folder's.
    #[must_use]
    pub fn parse(text: &str) -> Option<DrillId> {
        let body = text.strip_prefix('d')?;
        let legal = body.len() == 10 && body.bytes().all(|b| b.is_ascii_alphanumeric());
        legal.then(|| DrillId(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the tables that this drill owns in a network namespace.
    #[must_use]
    pub fn table(&self) -> String {
        format!("{TABLE_PREFIX}{}", self.0)
    }
}

/// Every table that squall makes begins with this.
pub const TABLE_PREFIX: &str = "squall_";

impl fmt::Display for DrillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.drill, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_table_and_reads_back() {
        let id = DrillId::from_bits(0x0003_ffff_ffff_ffff);
        assert_eq!(id.as_str(), "dzzzzzzzzzz");
        assert_eq!(id.table(), "squall_dzzzzzzzzzz");
        assert_eq!(DrillId::parse(id.as_str()), Some(id));
        assert_eq!(DrillId::parse("d1"), None);
    }
}

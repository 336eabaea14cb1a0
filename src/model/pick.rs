//! How many of those found are chosen, and by what.

use serde::{Deserialize, Serialize};

use super::units::Percent;

/// `one`, `3`, `50%` (rounded down, at least 1), `all`, `minority`, `majority`, `perNode`,
/// `perZone`, `oldest`, `newest`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "PickText", into = "String")]
pub enum Pick {
    #[default]
    One,
    Count(u32),
    Share(Percent),
    All,
    Minority,
    Majority,
    /// One on each node, or on each host of a lab.
    PerNode,
    /// One in each zone.
    PerZone,
    /// The one that was created first.
    Oldest,
    /// The one that was created last.
    Newest,
}

/// What those found are told apart by before one of each is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouped {
    ByNode,
    ByZone,
}

/// Picks that are one word.
const WORDS: [(&str, Pick); 8] = [
    ("one", Pick::One),
    ("all", Pick::All),
    ("minority", Pick::Minority),
    ("majority", Pick::Majority),
    ("perNode", Pick::PerNode),
    ("perZone", Pick::PerZone),
    ("oldest", Pick::Oldest),
    ("newest", Pick::Newest),
];

/// A pick as text or as a bare count.
#[derive(Deserialize)]
#[serde(untagged)]
enum PickText {
    Count(u32),
    Text(String),
}

impl TryFrom<PickText> for Pick {
    type Error = String;

    fn try_from(pick: PickText) -> Result<Pick, String> {
        let text = match pick {
            PickText::Count(0) => return Err("a pick of 0 hits nothing; leave the step out".into()),
            PickText::Count(n) => return Ok(Pick::Count(n)),
            PickText::Text(text) => text,
        };
        if let Some((_, pick)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*pick);
        }
        if text.ends_with('%') {
            return text.parse().map(Pick::Share);
        }
        match text.parse() {
            Ok(n) if n > 0 => Ok(Pick::Count(n)),
            Ok(_) | Err(_) => Err(format!(
                "`{text}` is not a pick; write one, a count, a percentage, all, minority, \
                 majority, perNode, perZone, oldest or newest"
            )),
        }
    }
}

impl From<Pick> for String {
    fn from(pick: Pick) -> String {
        match pick {
            Pick::Count(n) => n.to_string(),
            Pick::Share(percent) => percent.to_string(),
            other => {
                WORDS.iter().find(|(_, pick)| *pick == other).map_or("", |(w, _)| w).to_owned()
            }
        }
    }
}

impl Pick {
    /// How many of `found` are chosen, or at most where nodes or zones have to be counted first;
    /// never more than there are.
    #[must_use]
    pub fn count(self, found: usize) -> usize {
        let wanted = match self {
            Pick::One | Pick::Oldest | Pick::Newest => 1,
            Pick::Count(n) => usize::try_from(n).unwrap_or(usize::MAX),
            Pick::Share(percent) => share_of(found, percent),
            Pick::All | Pick::PerNode | Pick::PerZone => found,
            Pick::Minority => found.saturating_sub(1) / 2,
            Pick::Majority => found / 2 + 1,
        };
        wanted.min(found)
    }

    #[must_use]
    pub fn grouped(self) -> Option<Grouped> {
        match self {
            Pick::PerNode => Some(Grouped::ByNode),
            Pick::PerZone => Some(Grouped::ByZone),
            _ => None,
        }
    }

    /// Must it be known when each was created?
    #[must_use]
    pub fn is_by_age(self) -> bool {
        matches!(self, Pick::Oldest | Pick::Newest)
    }
}

/// Rounded down, at least 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a count of targets fits"
)]
fn share_of(found: usize, percent: Percent) -> usize {
    ((found as f64 * percent.fraction() + 1e-9).floor() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pick_counts_as_documented() {
        assert_eq!(Pick::Share(Percent(50.0)).count(5), 2);
        assert_eq!(Pick::Share(Percent(1.0)).count(5), 1);
        assert_eq!(Pick::Share(Percent(30.0)).count(10), 3);
        assert_eq!(Pick::Minority.count(3), 1);
        assert_eq!(Pick::Minority.count(4), 1);
        assert_eq!(Pick::Minority.count(1), 0);
        assert_eq!(Pick::Majority.count(3), 2);
        assert_eq!(Pick::Majority.count(4), 3);
        assert_eq!(Pick::Count(9).count(3), 3);
        assert_eq!((Pick::Oldest.count(3), Pick::Newest.count(3)), (1, 1));
        assert_eq!((Pick::PerZone.count(3), Pick::PerNode.count(0)), (3, 0));
    }

    #[test]
    fn a_pick_reads_back() {
        let words = WORDS.map(|(word, _)| word);
        for word in words.into_iter().chain(["3", "50%"]) {
            let text = format!("\"{word}\"");
            let pick: Pick = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&pick).unwrap(), text);
        }
        for text in ["0", "\"0\"", "\"some\"", "\"\"", "\"pernode\""] {
            assert!(serde_json::from_str::<Pick>(text).is_err(), "{text}");
        }
    }
}

//! The journal's records and how they lie in the file.
//!
//! ```text
//! +--------------+--------------+---------------------------+
//! | length u32le | crc32  u32le | JSON of that length       |   ... repeated
//! +--------------+--------------+---------------------------+
//! ```
//! A record that is cut short or damaged costs itself alone: the reader looks on, byte by byte, for
//! the next one whose checksum holds. So damage can only make us undo *more* of our own (a lost
//! `reverted` line), never something of others: every undo compares identities first.

use std::collections::BTreeSet;
use std::io;

use serde::{Deserialize, Serialize};

use crate::model::cluster::ClusterAccess;
use crate::model::id::{DrillId, InjectionId};
use crate::model::identity::{BootId, LabIdentity, NetnsIdentity};
use crate::model::message::Recipe;

/// The version that this build writes. It reads this one and the one before.
pub const JOURNAL_VERSION: u32 = 2;

/// Most are a few hundred bytes; a longer one is not written, and is noise to whoever reads.
const LONGEST: usize = 1 << 20;

const HEADER: usize = 8;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum JournalRecord {
    /// Always the first.
    Opened(Opened),
    /// The recipe is durable; nothing has happened yet.
    Armed(Box<Recipe>),
    Active {
        injection: InjectionId,
        at_ns: u64,
    },
    Reverting {
        injection: InjectionId,
        by: String,
    },
    /// Undone, and seen to be gone.
    Reverted {
        injection: InjectionId,
        by: String,
        at_ns: u64,
    },
    /// Not undone, or not seen to be gone. Blocks new drills on that target.
    Stuck {
        injection: InjectionId,
        why: String,
    },
    /// The target is gone or replaced: nothing to undo.
    Void {
        injection: InjectionId,
        why: String,
    },
    /// A person has looked, and takes it upon themselves.
    Cleared {
        injection: InjectionId,
        by: String,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    pub version: u32,
    pub drill: DrillId,
    pub boot: BootId,
    /// Where the targets live: recovery enters this lab first.
    pub lab: Option<LabIdentity>,
    /// Every namespace that the drill may touch, for the read-back.
    pub namespaces: Vec<NetnsIdentity>,
    /// Every cluster that the drill may touch, and how its parts reach it.
    #[serde(default)]
    pub clusters: Vec<ClusterAccess>,
    /// What it may touch in them, in words: `deployment shop/web of cluster 0123abcd`.
    #[serde(default)]
    pub places: BTreeSet<String>,
}

/// One record as it lies in the file. Errors: among others, it is longer than any that is read.
pub fn encode(record: &JournalRecord) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(record)?;
    let mut frame = Vec::with_capacity(HEADER + body.len());
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= LONGEST);
    let length = length.ok_or_else(|| {
        let why = format!("a record of {} bytes, more than the {LONGEST} of one", body.len());
        io::Error::new(io::ErrorKind::FileTooLarge, why)
    })?;
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// Every record that can still be read, and how many bytes belong to none.
#[must_use]
pub fn decode(mut bytes: &[u8]) -> (Vec<JournalRecord>, usize) {
    let mut records = Vec::new();
    let mut damaged = 0;
    while !bytes.is_empty() {
        if let Some((record, length)) = first(bytes) {
            records.push(record);
            bytes = &bytes[length..];
        } else {
            damaged += 1;
            bytes = &bytes[1..];
        }
    }
    (records, damaged)
}

/// The record that begins at the first byte, and its length in the file.
fn first(bytes: &[u8]) -> Option<(JournalRecord, usize)> {
    let length = u32::from_le_bytes(*bytes.first_chunk::<4>()?) as usize;
    let crc = u32::from_le_bytes(*bytes.get(4..)?.first_chunk::<4>()?);
    if length == 0 || length > LONGEST {
        return None;
    }
    let body = bytes.get(HEADER..HEADER + length)?;
    if crc32fast::hash(body) != crc {
        return None;
    }
    Some((serde_json::from_slice(body).ok()?, HEADER + length))
}

//! What a probe saw in one slot.
//!
//! Slot *i* of a probe is due at `start + i / rate`, whatever happened to slot *i - 1*. Latency
//! counts from the due time. A slot is never skipped: when *we* were late it is `invalid`.

use serde::{Deserialize, Serialize};

/// The judgement of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Grade {
    /// A right answer within the deadline.
    Good,
    /// A right answer after the deadline.
    Late,
    /// A wrong answer, a refusal, or none.
    Bad,
    /// It says nothing about the system: started late, we were not running when the answer came, or
    /// whoever was asked about the system did not know.
    Invalid,
}

/// Why a slot was not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorClass {
    /// Nobody listens: ECONNREFUSED and its like.
    Refused,
    /// An established connection was reset or closed.
    Reset,
    /// No answer within the deadline.
    Timeout,
    /// No route, no name, network unreachable.
    Unreachable,
    /// The system says that it cannot serve: HTTP 5xx, Redis `LOADING`, `CLUSTERDOWN`.
    Unavailable,
    /// It is up and says of itself that it does not serve: gRPC health `NOT_SERVING`.
    NotServing,
    /// A name server says that there is no such name.
    NoSuchName,
    /// A write went to one that takes no writes.
    ReadOnly,
    /// Nobody knows a primary.
    NoPrimary,
    /// An answer, but not the right one: status, body, exit status.
    WrongAnswer,
    /// TLS refused: certificate, name, protocol.
    Tls,
    /// Login or permission refused.
    Denied,
    /// Whoever was asked about the system does not know: nothing measured, too old, or no answer.
    NoData,
    /// The probe itself could not work: file, descriptor, memory.
    Ours,
}

/// The fate of a write. `Indeterminate` is neither lost nor kept until it is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WriteFate {
    Acknowledged,
    /// Refused before it could have been applied.
    Failed,
    /// Sent, and no answer, or the connection broke after the send.
    Indeterminate,
}

/// One slot, complete. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Observation {
    pub slot: u64,
    pub due_ns: u64,
    /// When the probe really began.
    pub started_ns: u64,
    /// When the answer, the error or the end of patience came.
    pub done_ns: u64,
    pub grade: Grade,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorClass>,
    /// Nanoseconds by phase, for probes that can tell: connect, tls, first byte, body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    /// Of a ledger's write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<WriteFate>,
    /// Who answered, where the protocol tells: an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// How old what was seen was by then, nanoseconds, where it was not seen as it happened: the
    /// age of a sample that somebody else took. No edge of an outage is known better than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ns: Option<u64>,
}

/// Where the time of one exchange went, nanoseconds; 0 where there was no such phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phases {
    pub connect: u64,
    pub tls: u64,
    pub first_byte: u64,
    pub body: u64,
}

/// One reading back of a ledger, after the system came to rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerRead {
    /// First or second final read: 1 or 2.
    pub round: u8,
    pub at_ns: u64,
    /// Where it was read.
    pub source: String,
    /// Every entry found, as often as it was found, in the order found.
    pub found: Vec<u64>,
    /// Entries that are not ours or cannot be read.
    pub foreign: u64,
    /// Set when the read itself failed: then nothing may be concluded.
    pub error: Option<String>,
}

impl ErrorClass {
    /// Is the system out of the question? Then the slot is neither good nor bad.
    #[must_use]
    pub fn says_nothing(self) -> bool {
        matches!(self, ErrorClass::NoData | ErrorClass::Ours)
    }

    /// In words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            ErrorClass::Refused => "refused",
            ErrorClass::Reset => "reset",
            ErrorClass::Timeout => "timeout",
            ErrorClass::Unreachable => "unreachable",
            ErrorClass::Unavailable => "unavailable",
            ErrorClass::NotServing => "not serving",
            ErrorClass::NoSuchName => "no such name",
            ErrorClass::ReadOnly => "read-only",
            ErrorClass::NoPrimary => "no primary",
            ErrorClass::WrongAnswer => "wrong answer",
            ErrorClass::Tls => "tls",
            ErrorClass::Denied => "denied",
            ErrorClass::NoData => "no data",
            ErrorClass::Ours => "our own",
        }
    }
}

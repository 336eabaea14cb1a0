//! The ledger: which acknowledged writes are gone, and what is there that should not be.
//!
//! A write is *acknowledged*, *failed* for sure, or *indeterminate*. After the system came to rest
//! everything is read back twice, some time apart, because writes vanish and reappear when an old
//! primary joins again. The last read decides; the first shows what changed in between.
//!
//! | | present in the last read | absent |
//! |---|---|---|
//! | acknowledged | kept | **lost** |
//! | indeterminate | recovered | indeterminate-absent: `lost` plus these is the upper bound |
//! | failed | **resurrected** | as it should be |
//! | never written | **phantom** | |
//!
//! Also resurrected: absent in the first read and present in the second. *Duplicate* counts entries
//! found more than once in one read. A read that failed, or was not made, concludes nothing: the
//! report says how many were good, and a claim needs both.
//!
//! Three passes over the writes and one over each read; a few bits an entry, in bitmaps over the
//! range of sequence numbers.

use super::bitmap::Bitmap;
use super::measure::axis::{Axis, length, seconds};
use super::measure::window::Frame;
use crate::model::observation::{LedgerRead, Observation, WriteFate};
use crate::model::verdict::LedgerReport;

/// One write: its sequence number (the slot), what became of it, and when that was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    pub seq: u64,
    pub fate: WriteFate,
    pub done_ns: u64,
}

/// Lost entries that a report lists by number.
const LISTED: usize = 1000;

/// A range of numbers this much wider than the count of writes is no ledger of slots; bitmaps over
/// it would be larger than 64 bytes a write.
const SPARSE: u64 = 64;

/// What a probe wrote and found again; None for a probe that writes nothing.
#[must_use]
pub fn ledger(
    slots: &[&Observation],
    reads: Option<&Vec<&LedgerRead>>,
    frame: &Frame,
) -> Option<LedgerReport> {
    let writes = slots.iter().filter_map(|slot| {
        slot.write.map(|fate| Write { seq: slot.slot, fate, done_ns: slot.done_ns })
    });
    writes.clone().next()?;
    let none = Vec::new();
    let reads = reads.unwrap_or(&none);
    // A read that was made again after a failure replaces it.
    let round = |round| {
        let of_round = || reads.iter().copied().filter(move |read| read.round == round);
        of_round().rfind(|read| read.error.is_none()).or_else(|| of_round().next_back())
    };
    Some(check(writes, [round(1), round(2)], frame.zero_ns))
}

/// Checks a ledger. `zero_ns` is when the first fault was effective. Writes are walked three times.
#[must_use]
pub fn check<W>(writes: W, reads: [Option<&LedgerRead>; 2], zero_ns: u64) -> LedgerReport
where
    W: Iterator<Item = Write> + Clone,
{
    let (mut report, low, high) = tally(writes.clone());
    let good = reads.map(|read| read.filter(|read| read.error.is_none()));
    report.reads = good.iter().flatten().map(|_| 1).sum();
    report.read_error = read_error(reads);
    if (high - low) / SPARSE > report.attempted {
        report.reads = 0;
        report.read_error = Some("its writes are not numbered like slots".to_owned());
    } else if let Some(last) = good[1].or(good[0]) {
        let mut entries = Entries::over(low, high);
        for write in writes.clone() {
            entries.written.insert(write.seq);
        }
        entries.read(good);
        report.phantom = last.foreign + entries.strangers_in(last);
        report.duplicate = entries.twice.count();
        settle(&mut report, writes, &entries, zero_ns);
    }
    report
}

/// Counts by fate, with the lowest and the highest number.
fn tally(writes: impl Iterator<Item = Write>) -> (LedgerReport, u64, u64) {
    let mut report = LedgerReport::default();
    let (mut low, mut high) = (u64::MAX, 0);
    for write in writes {
        report.attempted += 1;
        *match write.fate {
            WriteFate::Acknowledged => &mut report.acknowledged,
            WriteFate::Failed => &mut report.failed,
            WriteFate::Indeterminate => &mut report.indeterminate,
        } += 1;
        low = low.min(write.seq);
        high = high.max(write.seq);
    }
    (report, low.min(high), high)
}

/// Why nothing may be concluded from one of the two reads.
fn read_error(reads: [Option<&LedgerRead>; 2]) -> Option<String> {
    reads.into_iter().zip(["first", "second"]).find_map(|(read, which)| match read {
        None => Some(format!("the {which} final read was not made")),
        Some(read) => read.error.as_ref().map(|e| format!("the {which} final read failed: {e}")),
    })
}

/// What was written and what was found, a bit each.
struct Entries {
    written: Bitmap,
    /// In the last read.
    found: Bitmap,
    /// In the second read and not in the first.
    appeared: Bitmap,
    twice: Bitmap,
}

impl Entries {
    fn over(low: u64, high: u64) -> Entries {
        let empty = Bitmap::over(low, high);
        Entries {
            written: empty.clone(),
            found: empty.clone(),
            appeared: empty.clone(),
            twice: empty,
        }
    }

    fn read(&mut self, good: [Option<&LedgerRead>; 2]) {
        let empty = self.found.clone();
        let mut first: Option<Bitmap> = None;
        for read in good.into_iter().flatten() {
            let mut found = empty.clone();
            // What was never written is a phantom, and nothing else.
            for seq in read.found.iter().filter(|seq| self.written.contains(**seq)) {
                if found.contains(*seq) {
                    self.twice.insert(*seq);
                    continue;
                }
                found.insert(*seq);
                if first.as_ref().is_some_and(|first| !first.contains(*seq)) {
                    self.appeared.insert(*seq);
                }
            }
            self.found = found.clone();
            first = Some(found);
        }
    }

    /// Entries of a read that were never written.
    fn strangers_in(&self, read: &LedgerRead) -> u64 {
        length(read.found.iter().filter(|seq| !self.written.contains(**seq)).count())
    }
}

fn settle(
    report: &mut LedgerReport,
    writes: impl Iterator<Item = Write>,
    entries: &Entries,
    zero_ns: u64,
) {
    let (mut first_lost_ns, mut last_lost_ns) = (u64::MAX, 0);
    for write in writes {
        let present = entries.found.contains(write.seq);
        match (write.fate, present) {
            (WriteFate::Acknowledged, false) => {
                report.lost += 1;
                first_lost_ns = first_lost_ns.min(write.done_ns);
                last_lost_ns = last_lost_ns.max(write.done_ns);
                if report.lost_entries.len() < LISTED {
                    report.lost_entries.push(write.seq);
                }
            }
            (WriteFate::Indeterminate, false) => report.indeterminate_absent += 1,
            (WriteFate::Indeterminate, true) => report.recovered += 1,
            (WriteFate::Acknowledged, true) | (WriteFate::Failed, false) => {}
            (WriteFate::Failed, true) => report.resurrected += 1,
        }
        let appeared = entries.appeared.contains(write.seq);
        if appeared && write.fate != WriteFate::Failed {
            report.resurrected += 1;
        }
    }
    if report.lost > 0 {
        let axis = Axis { zero_ns };
        report.lost_before_fault_seconds = Some(0.0 - axis.at(first_lost_ns));
        report.loss_span_seconds = Some(seconds(last_lost_ns - first_lost_ns));
    }
}

#[cfg(test)]
mod tests;

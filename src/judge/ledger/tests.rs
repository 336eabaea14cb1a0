//! What became of each write, counted for every order of fates and reads.

use proptest::prelude::*;

use super::*;

const ZERO_NS: u64 = 1_000_000_000;

fn write(seq: u64, fate: WriteFate) -> Write {
    Write { seq, fate, done_ns: ZERO_NS + seq * 10_000_000 - 1_000_000_000 }
}

fn read(round: u8, found: &[u64]) -> LedgerRead {
    LedgerRead {
        round,
        at_ns: 0,
        source: String::new(),
        found: found.to_vec(),
        foreign: 0,
        error: None,
    }
}

fn failed(round: u8) -> LedgerRead {
    LedgerRead { error: Some("refused".to_owned()), ..read(round, &[]) }
}

/// A for acknowledged, f for failed, i for indeterminate, from number 100 on.
fn judged(fates: &str, first: &[u64], second: &[u64]) -> LedgerReport {
    let fate = |letter| match letter {
        'a' => WriteFate::Acknowledged,
        'f' => WriteFate::Failed,
        _ => WriteFate::Indeterminate,
    };
    let writes: Vec<Write> =
        fates.chars().zip(100..).map(|(letter, seq)| write(seq, fate(letter))).collect();
    let (first, second) = (read(1, first), read(2, second));
    check(writes.iter().copied(), [Some(&first), Some(&second)], ZERO_NS)
}

#[test]
fn everything_in_its_place() {
    let report = judged("aaiif", &[100, 101, 102], &[100, 101, 102]);
    assert_eq!((report.attempted, report.acknowledged), (5, 2));
    assert_eq!((report.failed, report.indeterminate), (1, 2));
    assert_eq!((report.lost, report.recovered, report.indeterminate_absent), (0, 1, 1));
    assert_eq!((report.resurrected, report.duplicate, report.phantom), (0, 0, 0));
    assert_eq!((report.reads, report.read_error), (2, None));
    assert_eq!((report.lost_before_fault_seconds, report.loss_span_seconds), (None, None));
}

#[test]
fn the_last_read_decides() {
    let vanished = judged("aa", &[100, 101], &[100]);
    assert_eq!((vanished.lost, vanished.resurrected), (1, 0));
    assert_eq!(vanished.lost_entries, [101]);
    let appeared = judged("aa", &[100], &[100, 101]);
    assert_eq!((appeared.lost, appeared.resurrected), (0, 1));
    let doubtful = judged("ai", &[100], &[100, 101]);
    assert_eq!((doubtful.recovered, doubtful.resurrected), (1, 1));
}

#[test]
fn what_failed_for_sure_must_not_be_there() {
    assert_eq!(judged("af", &[100, 101], &[100, 101]).resurrected, 1);
    assert_eq!(judged("af", &[100], &[100, 101]).resurrected, 1, "once, not twice");
    assert_eq!(judged("af", &[100, 101], &[100]).resurrected, 0, "the last read decides");
}

#[test]
fn duplicates_and_phantoms() {
    assert_eq!(judged("aa", &[100, 101], &[100, 101, 101, 101]).duplicate, 1, "entries");
    assert_eq!(judged("aa", &[100, 100, 101], &[100, 101]).duplicate, 1, "in either read");
    assert_eq!(judged("aa", &[100, 101], &[100, 101]).duplicate, 0, "two reads are no duplicate");
    let phantom = judged("aa", &[100, 101], &[100, 101, 99, 102, u64::MAX]);
    assert_eq!((phantom.phantom, phantom.lost), (3, 0));
    let writes = [write(100, WriteFate::Acknowledged), write(102, WriteFate::Acknowledged)];
    let found = LedgerRead { foreign: 4, ..read(2, &[100, 101, 102]) };
    let between = check(writes.into_iter(), [Some(&found), Some(&found)], ZERO_NS);
    assert_eq!(between.phantom, 5, "101 was never written, and four are of somebody else");
}

#[test]
fn a_loss_in_time() {
    // Number 100 is acknowledged at the fault, 110 is 100 ms later.
    let report = judged("aaaaaaaaaaa", &[], &[101, 102]);
    assert_eq!(report.lost, 9);
    assert_eq!(
        report.lost_before_fault_seconds.map(|s| s == 0.0 && s.is_sign_positive()),
        Some(true)
    );
    assert!((report.loss_span_seconds.unwrap() - 0.1).abs() < 1e-9);
    let writes = [write(50, WriteFate::Acknowledged), write(70, WriteFate::Acknowledged)];
    let none = read(2, &[]);
    let early = check(writes.into_iter(), [Some(&none), Some(&none)], ZERO_NS);
    assert!((early.lost_before_fault_seconds.unwrap() - 0.5).abs() < 1e-9);
    assert!((early.loss_span_seconds.unwrap() - 0.2).abs() < 1e-9);
}

#[test]
fn a_read_that_failed_or_was_not_made_concludes_nothing() {
    let writes = || [write(100, WriteFate::Acknowledged)].into_iter();
    let good = read(1, &[100]);
    let none = check(writes(), [None, None], ZERO_NS);
    assert_eq!((none.reads, none.lost, none.acknowledged), (0, 0, 1));
    assert_eq!(none.read_error.as_deref(), Some("the first final read was not made"));
    let one = check(writes(), [Some(&good), None], ZERO_NS);
    assert_eq!((one.reads, one.lost), (1, 0));
    assert_eq!(one.read_error.as_deref(), Some("the second final read was not made"));
    let without = read(1, &[]);
    assert_eq!(check(writes(), [Some(&without), None], ZERO_NS).lost, 1, "as far as it is known");
    let bad = failed(2);
    let half = check(writes(), [Some(&good), Some(&bad)], ZERO_NS);
    assert_eq!((half.reads, half.lost), (1, 0), "a failed read has found nothing, not lost all");
    assert_eq!(half.read_error.as_deref(), Some("the second final read failed: refused"));
}

#[test]
fn the_list_of_lost_entries_is_bounded() {
    let report = judged(&"a".repeat(1500), &[], &[]);
    assert_eq!((report.lost, report.lost_entries.len()), (1500, 1000));
}

#[test]
fn numbers_that_are_not_slots_do_not_eat_memory() {
    let writes =
        [write(1, WriteFate::Acknowledged), Write { seq: u64::MAX, ..write(1, WriteFate::Failed) }];
    let found = read(2, &[1]);
    let report = check(writes.into_iter(), [Some(&found), Some(&found)], ZERO_NS);
    assert_eq!((report.reads, report.lost), (0, 0));
    assert!(report.read_error.is_some());
}

/// The same by sets, slowly.
fn by_sets(writes: &[Write], first: &[u64], second: &[u64]) -> [u64; 6] {
    let has = |read: &[u64], seq: u64| read.contains(&seq);
    let count = |f: &dyn Fn(&Write) -> bool| length(writes.iter().filter(|w| f(w)).count());
    let mut twice: Vec<u64> = writes.iter().map(|w| w.seq).collect();
    twice.retain(|seq| {
        [first, second].iter().any(|read| read.iter().filter(|s| *s == seq).count() > 1)
    });
    let known = |seq: &u64| writes.iter().any(|w| w.seq == *seq);
    [
        count(&|w| w.fate == WriteFate::Acknowledged && !has(second, w.seq)),
        count(&|w| w.fate == WriteFate::Indeterminate && !has(second, w.seq)),
        count(&|w| w.fate == WriteFate::Indeterminate && has(second, w.seq)),
        count(&|w| {
            let appeared = !has(first, w.seq) && has(second, w.seq);
            appeared || (w.fate == WriteFate::Failed && has(second, w.seq))
        }),
        length(twice.len()),
        length(second.iter().filter(|seq| !known(seq)).count()),
    ]
}

proptest! {
    #[test]
    fn bitmaps_and_sets_agree(
        fates in "[afi]{1,150}",
        first in prop::collection::vec(90_u64..260, 0..200),
        second in prop::collection::vec(90_u64..260, 0..200),
    ) {
        let report = judged(&fates, &first, &second);
        let lettered = fates.chars().zip(100..);
        let writes: Vec<Write> = lettered.map(|(letter, seq)| write(seq, match letter {
            'a' => WriteFate::Acknowledged,
            'f' => WriteFate::Failed,
            _ => WriteFate::Indeterminate,
        })).collect();
        let counts = [
            report.lost,
            report.indeterminate_absent,
            report.recovered,
            report.resurrected,
            report.duplicate,
            report.phantom,
        ];
        prop_assert_eq!(counts, by_sets(&writes, &first, &second));
    }
}

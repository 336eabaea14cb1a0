//! What the journal's file survives, and what it says of a file that did not.

use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::identity::{BootId, NetnsIdentity};
use crate::model::inventory::{Host, InstanceName, Target};

fn opened(version: u32) -> Opened {
    Opened {
        version,
        drill: DrillId::from_bits(7),
        boot: BootId("boot".into()),
        lab: None,
        namespaces: Vec::new(),
    }
}

fn id(number: u16) -> InjectionId {
    InjectionId { drill: DrillId::from_bits(7), number }
}

fn recipe(number: u16) -> Recipe {
    let address: IpAddr = "10.66.0.11".parse().unwrap();
    let netns =
        NetnsIdentity { path: "/run/netns/r1".into(), cookie: 3, boot: BootId("boot".into()) };
    Recipe {
        injection: id(number),
        kind: "processPause".into(),
        target: Target {
            name: InstanceName("redis@r1".into()),
            service: "redis".into(),
            host: Host { name: "r1".into(), ipv4: address, ipv6: "fd66::11".parse().unwrap() },
            port: Some(6379),
            process: None,
            netns,
        },
        undo: json!({"process": {"pid": 7, "startTicks": 9, "boot": "boot"}}),
        deadline_ns: 5,
    }
}

fn armed(number: u16) -> JournalRecord {
    JournalRecord::Armed(Box::new(recipe(number)))
}

fn sample(folder: &Path) -> PathBuf {
    let mut journal = Journal::create(folder, opened(JOURNAL_VERSION)).unwrap();
    journal.append(&armed(1)).unwrap();
    journal.append(&JournalRecord::Active { injection: id(1), at_ns: 1 }).unwrap();
    journal.append(&armed(2)).unwrap();
    let by = "injector".to_owned();
    journal.append(&JournalRecord::Reverting { injection: id(1), by: by.clone() }).unwrap();
    journal.append(&JournalRecord::Reverted { injection: id(1), by, at_ns: 2 }).unwrap();
    journal.path.clone()
}

#[test]
fn what_is_open_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let (journal, contents) = Journal::reopen(&path).unwrap();
    assert_eq!(contents.damaged, 0);
    assert_eq!(contents.open(), vec![recipe(2)]);
    assert_eq!(journal.state(&id(1)), Some(State::Reverted));
    assert!(!journal.all_closed());
    assert_eq!(list(folder.path()).unwrap(), vec![(DrillId::from_bits(7), path)]);
}

#[test]
fn a_live_journal_is_left_alone_until_every_holder_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::create(folder.path(), opened(JOURNAL_VERSION)).unwrap();
    let shared = journal.share().unwrap();
    let path = journal.path.clone();
    drop(journal);
    assert!(matches!(Journal::reopen(&path), Err(JournalError::Live { .. })));
    drop(shared);
    assert!(Journal::reopen(&path).is_ok());
}

#[test]
fn a_newer_journal_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = {
        let journal = Journal::create(folder.path(), opened(JOURNAL_VERSION + 1)).unwrap();
        journal.path.clone()
    };
    let error = Journal::reopen(&path).unwrap_err();
    assert!(error.to_string().contains("newer squall"), "{error}");
}

/// The guardian may be told of a record before it is durable, but never before it can be found.
#[test]
fn what_is_done_meanwhile_finds_the_record_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), opened(JOURNAL_VERSION)).unwrap();
    let path = journal.path.clone();
    let mut found = None;
    journal.append_and(&armed(1), || found = Some(peek(&path).unwrap().open())).unwrap();
    assert_eq!(found, Some(vec![recipe(1)]));
    let mut told = false;
    assert!(journal.append_and(&armed(1), || told = true).is_err());
    assert!(!told, "of what was refused nobody hears");
}

#[test]
fn an_illegal_move_is_refused_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), opened(JOURNAL_VERSION)).unwrap();
    let active = JournalRecord::Active { injection: id(1), at_ns: 1 };
    assert!(matches!(journal.append(&active), Err(JournalError::Illegal { .. })));
    journal.append(&armed(1)).unwrap();
    let path = journal.path.clone();
    assert_eq!(peek(&path).unwrap().states.len(), 1);
}

/// Cut at every byte: never a panic, and whatever is then open is a superset of what was open.
#[test]
fn a_cut_at_any_byte_loses_only_the_tail() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(sample(folder.path())).unwrap();
    for cut in 0..bytes.len() {
        let (records, damaged) = decode(&bytes[..cut]);
        let whole: usize = records.iter().map(|r| encode(r).unwrap().len()).sum();
        assert_eq!(whole + damaged, cut);
        let (all, _) = decode(&bytes);
        assert_eq!(records[..], all[..records.len()]);
    }
}

/// A flipped bit costs the record that it is in, and no other.
#[test]
fn a_flipped_bit_costs_one_record() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(sample(folder.path())).unwrap();
    let (all, _) = decode(&bytes);
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1 << bit;
            let (records, lost) = decode(&damaged);
            assert_eq!(records.len(), all.len() - 1, "byte {position} bit {bit}");
            assert!(lost > 0);
            assert!(records.iter().all(|r| all.contains(r)), "byte {position} bit {bit}");
        }
    }
}

proptest! {
    #[test]
    fn noise_is_never_a_record_and_never_a_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let (records, damaged) = decode(&noise);
        prop_assert!(records.is_empty());
        prop_assert_eq!(damaged, noise.len());
    }
}

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
        clusters: Vec::new(),
        places: [].into(),
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
            netns: Some(netns),
            object: None,
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

/// Without the room behind them.
fn bytes_of(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    bytes.truncate(written(&bytes));
    bytes
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

/// What a start does that finds a journal while it is being made, at every moment of that.
#[test]
fn a_journal_is_never_found_without_its_lock_and_its_first_record() {
    use std::sync::atomic::{AtomicBool, Ordering};
    /// Also when we fail: the other thread would look for ever.
    struct AtTheEnd<'a>(&'a AtomicBool);
    impl Drop for AtTheEnd<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let finder = scope.spawn(|| {
            let mut live = 0;
            while !over.load(Ordering::Relaxed) {
                let found = crate::injection::recovery::find(folder.path()).unwrap();
                assert!(found.leftovers.is_empty() && found.refused.is_empty(), "{found:?}");
                live += found.live.len();
            }
            live
        });
        let end = AtTheEnd(&over);
        for number in 0..200 {
            let opened = Opened { drill: DrillId::from_bits(number), ..opened(JOURNAL_VERSION) };
            let journal = Journal::create(folder.path(), opened).unwrap();
            let there = std::fs::metadata(&journal.path).map(|meta| meta.ino()).unwrap();
            assert_eq!(there, journal.file.metadata().unwrap().ino());
            assert!(peek(&journal.path).unwrap().opened.is_some());
            std::fs::remove_file(&journal.path).unwrap();
        }
        drop(end);
        println!("met {} times", finder.join().unwrap());
    });
}

/// The moment itself, without luck: while it has no name nobody sees it, and with its name it is
/// locked.
#[test]
fn what_is_being_made_is_left_alone_and_what_nobody_makes_any_more_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let unnamed = folder.path().join(".new-d0000000007");
    let made = File::create_new(&unnamed).unwrap();
    sweep(folder.path());
    assert!(unnamed.exists(), "created, not locked yet");
    made.lock().unwrap();
    std::io::Write::write_all(&mut (&made), b"half a record").unwrap();
    sweep(folder.path());
    assert!(unnamed.exists(), "locked");
    assert_eq!(list(folder.path()).unwrap(), []);
    assert!(Journal::create(folder.path(), opened(JOURNAL_VERSION)).is_err(), "two at once");
    assert!(unnamed.exists(), "the first goes on with it");
    drop(made);
    sweep(folder.path());
    assert!(!unnamed.exists());
}

#[test]
fn a_name_that_is_taken_stays_with_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let again = Journal::create(folder.path(), opened(JOURNAL_VERSION)).unwrap_err();
    assert!(again.to_string().contains("exists"), "{again}");
    assert_eq!(peek(&path).unwrap().open(), vec![recipe(2)]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

/// Opened under its name, and removed by its holder before it could be locked.
#[test]
fn one_that_somebody_else_ended_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let other = folder.path().join("other");
    std::fs::write(&other, b"").unwrap();
    let file = File::open(&path).unwrap();
    assert!(still_named(&file, &path).unwrap());
    std::fs::rename(&other, &path).unwrap();
    assert!(!still_named(&file, &path).unwrap(), "another by that name");
    std::fs::remove_file(&path).unwrap();
    assert!(!still_named(&file, &path).unwrap(), "none by that name");
}

/// As version 1 wrote it: without the PID namespace of a process.
#[test]
fn the_version_before_is_read() {
    let record = |body: &serde_json::Value| {
        let body = serde_json::to_vec(body).unwrap();
        let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
        frame.extend(crc32fast::hash(&body).to_le_bytes());
        frame.extend(body);
        frame
    };
    let init = json!({"pid": 3, "startTicks": 5, "boot": "boot"});
    let mut armed = serde_json::to_value(armed(1)).unwrap();
    armed["armed"]["target"]["process"] = json!({"pid": 7, "startTicks": 9, "boot": "boot"});
    let old = [
        record(&json!({"opened": {
            "version": 1, "drill": "d0000000007", "boot": "boot",
            "lab": {"name": "l", "init": init}, "namespaces": [],
        }})),
        record(&armed),
    ];
    let (records, damaged) = decode(&old.concat());
    assert_eq!((records.len(), damaged), (2, 0));
    let JournalRecord::Opened(opened) = &records[0] else { panic!() };
    assert_eq!(opened.lab.as_ref().unwrap().init.pid_namespace, 0);
    let JournalRecord::Armed(recipe) = &records[1] else { panic!() };
    assert_eq!(recipe.target.process.as_ref().unwrap().pid_namespace, 0);
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

/// Each goes behind the last, whoever writes it, and room that is not used is no damage.
#[test]
fn records_lie_behind_each_other_in_the_room_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), opened(JOURNAL_VERSION)).unwrap();
    let path = journal.path.clone();
    let length = || std::fs::metadata(&path).unwrap().len();
    let before = length();
    journal.append(&armed(1)).unwrap();
    assert_eq!(length(), before, "it did not grow");
    let (mut heir, _) = Journal::inherit(journal.share().unwrap()).unwrap();
    heir.append(&armed(2)).unwrap();
    drop((journal, heir));
    let (mut later, contents) = Journal::reopen(&path).unwrap();
    assert_eq!((contents.open(), contents.damaged), (vec![recipe(2), recipe(1)], 0));
    // Past the room that is there it grows.
    (3..300).for_each(|number| later.append(&armed(number)).unwrap());
    assert!(length() > before);
    let found = peek(&path).unwrap();
    assert_eq!((found.recipes.len(), found.damaged), (299, 0));
    // Half a record at the end costs itself alone.
    later.file.write_all_at(b"half a record", later.end).unwrap();
    drop(later);
    let (mut last, _) = Journal::reopen(&path).unwrap();
    last.append(&armed(300)).unwrap();
    let found = peek(&path).unwrap();
    assert_eq!((found.recipes.len(), found.damaged), (300, b"half a record".len()));
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

/// A tree so large that nobody would read its recipe: it is said before anything happens to it.
#[test]
fn a_record_that_nobody_would_read_is_refused_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let before = (peek(&path).unwrap(), bytes_of(&path));
    let (mut journal, _) = Journal::reopen(&path).unwrap();
    let boot = "4f5c1b0e-7d35-4c11-9d57-0a6b1c0f8f11";
    let victim = |pid| json!({"pid": pid, "startTicks": 1_234_567, "boot": boot, "pidNamespace": 4_026_531_836_u64});
    let victims: Vec<_> = (0..12_000).map(victim).collect();
    let huge = Recipe { undo: json!({ "victims": victims }), ..recipe(3) };
    let mut told = false;
    let refused = journal.append_and(&JournalRecord::Armed(Box::new(huge)), || told = true);
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("bytes, more than the 1048576"), "{error}");
    assert!(!told && !journal.poisoned() && journal.state(&id(3)).is_none());
    assert_eq!((peek(&path).unwrap(), bytes_of(&path)), before);
    journal.append(&armed(3)).unwrap();
    assert_eq!(peek(&path).unwrap().open(), vec![recipe(3), recipe(2)]);
}

/// Cut at every byte: never a panic, and whatever is then open is a superset of what was open.
#[test]
fn a_cut_at_any_byte_loses_only_the_tail() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = bytes_of(&sample(folder.path()));
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
    let bytes = bytes_of(&sample(folder.path()));
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

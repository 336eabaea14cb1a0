//! What dead drills left, some of it out of reach: each is tried, and none keeps another in force.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use squall::injection::journal::JournalRecord;
use squall::injection::journal::record::{decode, encode};

use super::deaths::{in_force_on_standing_lab, kill_conductor};
use super::live::assert_gone;
use super::stand::{Drill, Stand, cmdline, signal, stat, until};

/// Comes before every drill that has its name by chance.
const FIRST: &str = "d0000000000";

/// A pause in force on a standing lab, its journal, and nobody left who would undo it.
fn left_behind() -> (Stand, PathBuf) {
    let (stand, live) = in_force_on_standing_lab("60s");
    let family = live.family();
    let parts = [live.part("guardian"), live.part("injector")];
    // Stopped first, so that neither undoes before it is killed.
    for part in parts {
        signal(part, libc::SIGSTOP);
    }
    kill_conductor(live);
    for part in parts {
        signal(part, libc::SIGKILL);
    }
    assert_gone(&family);
    assert!(!stand.service_runs());
    stand.drill(&Drill::default());
    let journals = fs::read_dir(stand.path("state/squall/journal")).unwrap();
    let paths: Vec<PathBuf> = journals.map(|entry| entry.unwrap().path()).collect();
    let [path] = &paths[..] else { panic!("{paths:?}") };
    (stand, path.clone())
}

/// The same records under the first of all names, with one byte of the first one flipped.
fn damaged_copy(stand: &Stand, of: &Path, keep: impl Fn(&JournalRecord) -> bool) -> PathBuf {
    let drill = of.file_name().unwrap().to_str().unwrap();
    let (records, _) = decode(&fs::read(of).unwrap());
    let mut bytes = Vec::new();
    for record in records.iter().filter(|record| keep(record)) {
        let renamed = serde_json::to_string(record).unwrap().replace(drill, FIRST);
        bytes.extend(encode(&serde_json::from_str(&renamed).unwrap()).unwrap());
    }
    bytes[12] ^= 1;
    let path = stand.path("state/squall/journal").join(FIRST);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn one_that_cannot_be_entered_is_stuck_and_keeps_no_other_in_force() {
    let (stand, path) = left_behind();
    let damaged = damaged_copy(&stand, &path, |_| true);
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(7), "{undo:?}");
    assert!(stand.service_runs(), "{undo:?}");
    assert!(undo.out.contains(&format!("{FIRST}.1 STUCK")), "{undo:?}");
    assert!(
        undo.out.contains("lost its first record") && undo.out.contains("reverted"),
        "{undo:?}"
    );
    assert!(damaged.exists() && !path.exists());
    // It blocks, and a person ends that.
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains(&format!("{FIRST}.1 STUCK")), "{ran:?}");
    let who = ["--by", "me", "--reason", "looked"];
    let drill = stand.run(&[&["clear", FIRST][..], &who].concat());
    assert_eq!(drill.code, Some(2), "its injection can be read: {drill:?}");
    let one = format!("{FIRST}.1");
    let clear = stand.run(&[&["clear", one.as_str()][..], &who].concat());
    assert_eq!(clear.code, Some(0), "{clear:?}");
    stand.assert_no_journal();
}

#[test]
fn a_drill_undoes_what_it_can_before_it_is_refused() {
    let (stand, path) = left_behind();
    damaged_copy(&stand, &path, |_| true);
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(stand.service_runs() && !ran.out.contains("in force:"), "{ran:?}");
    assert!(ran.err.contains(&format!("{FIRST}.1 STUCK")), "{ran:?}");
}

/// What a lab took with it is in force nowhere, though its record is still open.
#[test]
fn what_ended_with_its_lab_is_not_in_force() {
    let (stand, _) = left_behind();
    assert_eq!(stand.run(&["now"]).code, Some(4));
    stand.lower();
    let asked = stand.run(&["now"]);
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert!(asked.out.contains("is gone with all") && asked.out.contains("no: "), "{asked:?}");
    assert_eq!(stand.run(&["undo", "--all"]).code, Some(0));
    stand.assert_no_journal();
}

/// Nothing but a first record, and that is damaged: nobody knows what was open.
#[test]
fn a_journal_of_which_nothing_can_be_read_is_told_and_cleared_by_its_drill() {
    let (stand, path) = left_behind();
    damaged_copy(&stand, &path, |record| matches!(record, JournalRecord::Opened(_)));
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(stand.service_runs(), "{ran:?}");
    let remedy = format!("squall clear {FIRST} --by YOU --reason WHY");
    assert!(ran.err.contains(&remedy), "{ran:?}");
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(1), "{undo:?}");
    assert!(undo.out.contains(&remedy) && !undo.out.contains("nothing to undo"), "{undo:?}");
    let asked = stand.run(&["now"]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.out.contains(FIRST) && !asked.out.contains("no:"), "{asked:?}");
    let clear = stand.run(&["clear", FIRST, "--by", "me", "--reason", "looked"]);
    assert_eq!(clear.code, Some(0), "{clear:?}");
    stand.assert_no_journal();
    assert_eq!(stand.run(&["clear", FIRST, "--by", "me", "--reason", "twice"]).code, Some(2));
}

/// A journal that cannot be read is refused after the others are undone.
#[test]
fn a_journal_that_is_refused_keeps_no_other_in_force() {
    let (stand, path) = left_behind();
    fs::create_dir(stand.path("state/squall/journal").join(FIRST)).unwrap();
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(stand.service_runs() && !path.exists(), "{ran:?}");
    assert!(ran.err.contains(FIRST), "{ran:?}");
}

/// It is over and cannot be unlinked, as under a file system that somebody else made read-only.
#[test]
fn a_closed_journal_that_does_not_go_keeps_no_other_in_force() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: mounting needs root");
        return;
    }
    let (stand, path) = left_behind();
    let closed = damaged_copy(&stand, &path, |record| matches!(record, JournalRecord::Opened(_)));
    let mut bytes = fs::read(&closed).unwrap();
    bytes[12] ^= 1;
    fs::write(&closed, bytes).unwrap();
    // In a mount namespace that only this thread and its children have.
    let undo = std::thread::scope(|scope| {
        let undo = scope.spawn(|| {
            let none: Option<&str> = None;
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
            mount(Some(&closed), &closed, none, MsFlags::MS_BIND, none).unwrap();
            stand.run(&["undo", "--all"])
        });
        undo.join().unwrap()
    });
    assert_eq!(undo.code, Some(2), "{undo:?}");
    assert!(stand.service_runs() && !path.exists(), "{undo:?}");
    assert!(undo.out.contains("failed to remove") && undo.out.contains(FIRST), "{undo:?}");
}

/// It is in the lab and says nothing. It is given up, said to be stuck, and the next one undoes.
#[test]
fn a_recovery_that_stands_still_is_given_up() {
    let (stand, path) = left_behind();
    // Noise behind the records: reading it takes a while, and so there is time to stop who reads.
    let mut journal = fs::File::options().append(true).open(&path).unwrap();
    journal.write_all(&vec![0xff; 8 << 20]).unwrap();
    let live = stand.start(&["undo", "--all"]);
    let mut recovery = None;
    until("it has a recovery", || {
        let family = live.family().into_iter().map(|(pid, _)| pid);
        recovery = family.into_iter().find(|pid| cmdline(*pid).contains("part recovery"));
        recovery.is_some()
    });
    signal(recovery.unwrap(), libc::SIGSTOP);
    let undo = live.finish();
    assert_eq!(undo.code, Some(7), "{undo:?}");
    assert!(undo.out.contains("STUCK") && undo.out.contains("is silent"), "{undo:?}");
    assert!(!stand.service_runs() && stat(recovery.unwrap()).is_none(), "{undo:?}");
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(0), "{undo:?}");
    assert!(stand.service_runs(), "{undo:?}");
    stand.assert_no_journal();
}

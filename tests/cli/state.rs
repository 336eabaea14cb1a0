//! The state folder: of another version, full, or closed. Nothing is injected then.

use std::fs;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::stand::{Ran, Stand};

/// A first record of another day.
const NEWER: &str =
    r#"{"opened":{"version":99,"drill":"d0123456789","boot":"b","lab":null,"namespaces":[]}}"#;

fn frame(body: &str) -> Vec<u8> {
    let body = body.as_bytes();
    let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    frame.extend(crc32fast::hash(body).to_le_bytes());
    frame.extend(body);
    frame
}

#[test]
fn a_state_folder_of_another_layout_is_refused_in_a_sentence() {
    let stand = Stand::new();
    assert_eq!(stand.run(&["undo", "--all"]).code, Some(0));
    fs::write(stand.path("state/squall/VERSION"), "2\n").unwrap();
    for args in [&["run", "drill.yaml"][..], &["undo", "--all"], &["now"], &["lab", "list"]] {
        let ran = stand.run(args);
        assert_eq!(ran.code, Some(2), "{args:?} {ran:?}");
        assert!(ran.err.contains("layout 2") && ran.err.contains("XDG_STATE_HOME"), "{ran:?}");
    }
}

#[test]
fn a_journal_of_a_newer_squall_is_refused_in_a_sentence() {
    let stand = Stand::new();
    assert_eq!(stand.run(&["undo", "--all"]).code, Some(0));
    let path = stand.path("state/squall/journal/d0123456789");
    fs::write(&path, frame(NEWER)).unwrap();
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("newer squall") && ran.err.contains("version 99"), "{ran:?}");
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!(undo.code, Some(2), "{undo:?}");
    assert!(undo.out.contains("newer squall") || undo.err.contains("newer squall"), "{undo:?}");
    // What it has in force nobody can tell.
    let asked = stand.run(&["now"]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.out.contains("newer squall") && !asked.out.contains("no:"), "{asked:?}");
    let undo = stand.run(&["undo", "d0123456789"]);
    assert_eq!(undo.code, Some(2), "{undo:?}");
    let undo = stand.run(&["undo", "d0123456788"]);
    assert_eq!((undo.code, undo.out.as_str()), (Some(2), ""), "{undo:?}");
    assert!(path.exists(), "it is not ours to remove");
}

/// Somebody holds it, and where they drill cannot be read: nobody may begin beside them.
#[test]
fn a_drill_that_cannot_be_read_is_not_taken_for_one_that_ended() {
    let stand = Stand::new();
    assert_eq!(stand.run(&["undo", "--all"]).code, Some(0));
    let path = stand.path("state/squall/journal/d0123456789");
    fs::write(&path, frame(NEWER)).unwrap();
    let held = fs::File::open(&path).unwrap();
    held.lock().unwrap();
    for args in [&["run", "drill.yaml", "--out", "out"][..], &["plan", "drill.yaml"]] {
        let ran = stand.run(args);
        assert_eq!(ran.code, Some(2), "{args:?} {ran:?}");
        assert!(ran.err.contains("newer squall"), "{ran:?}");
    }
    assert!(path.exists() && !stand.path("out").exists());
}

/// Runs `squall` with a state folder on a file system of its own: mounted in a mount namespace
/// that only this thread and its children have.
fn on_its_own(prepare: impl FnOnce(&Stand) + Send + 'static) -> Option<(Stand, Ran)> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: mounting needs root");
        return None;
    }
    let thread = std::thread::spawn(move || {
        let stand = Stand::new();
        let none: Option<&str> = None;
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        let state = stand.path("state");
        fs::create_dir(&state).unwrap();
        mount(Some("squall-test"), &state, Some("tmpfs"), MsFlags::empty(), Some("size=256k"))
            .unwrap();
        assert_eq!(stand.run(&["undo", "--all"]).code, Some(0));
        prepare(&stand);
        assert_eq!(stand.run(&["undo", "--all"]).code, Some(0), "an undo needs no room");
        let ran = stand.run_drill(&[]);
        stand.assert_nothing_left();
        (stand, ran)
    });
    Some(thread.join().unwrap())
}

fn nothing_injected(ran: &Ran) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(!ran.out.contains("in force:"), "{ran:?}");
    assert!(ran.err.contains("nothing was injected") || ran.err.contains("failed to"), "{ran:?}");
    assert!(ran.err.trim_end().lines().count() <= 2, "one clear line: {}", ran.err);
}

#[test]
fn a_full_disk_injects_nothing() {
    let fill = |stand: &Stand| {
        let error = fs::write(stand.path("state/filler"), vec![1; 1 << 20]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    };
    let Some((_, ran)) = on_its_own(fill) else { return };
    nothing_injected(&ran);
    assert!(ran.err.contains("No space left"), "{ran:?}");
}

/// Room for so much of the journal and no more: at whatever record it ends, the fault must not
/// come without its undo.
#[test]
fn a_disk_that_fills_up_in_the_journal_never_leaves_a_fault_behind() {
    for pages in 0..3_usize {
        let fill = move |stand: &Stand| {
            let _full = fs::write(stand.path("state/filler"), vec![1; 1 << 20]);
            let filler = fs::File::options().write(true).open(stand.path("state/filler")).unwrap();
            let kept = filler.metadata().unwrap().len();
            filler.set_len(kept - 4096 * pages as u64).unwrap();
        };
        let Some((stand, ran)) = on_its_own(fill) else { return };
        match ran.code {
            Some(0) => assert_eq!(stand.report()["injections"][0]["ended"], "reverted"),
            Some(1) => nothing_injected(&ran),
            _ => panic!("{pages} pages: {ran:?}"),
        }
    }
}

/// The first record nearly fills the only page that is left: the drill begins, and the undo of its
/// fault has no room. So many hosts, with such long names, make a record of that length.
#[test]
fn an_undo_that_has_no_room_injects_nothing() {
    let fill = |stand: &Stand| {
        let hosts: Vec<String> =
            (10..38).map(|n| format!("a-host-with-a-name-as-long-as-may-be-{n}")).collect();
        let more = format!(
            "services:\n    filler:\n      hosts: [{}]\n      command: [sleep, \"600\"]\n",
            hosts.join(", ")
        );
        let lab = stand.read("lab.yaml").replace("services:\n", &more);
        fs::write(stand.path("lab.yaml"), lab).unwrap();
        let _full = fs::write(stand.path("state/filler"), vec![1; 1 << 20]);
        let filler = fs::File::options().write(true).open(stand.path("state/filler")).unwrap();
        filler.set_len(filler.metadata().unwrap().len() - 4096).unwrap();
    };
    let Some((_, ran)) = on_its_own(fill) else { return };
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.err.trim_end().lines().count(), 1, "one clear line: {}", ran.err);
    assert!(ran.out.contains("breaking it"), "it is the undo that has no room: {ran:?}");
    assert!(!ran.out.contains("redis@r1 in force:"), "{ran:?}");
    assert!(ran.err.contains("its undo is not durable"), "{ran:?}");
    assert!(ran.err.contains("No space left"), "{ran:?}");
}

#[test]
fn a_state_folder_that_is_read_only_injects_nothing() {
    let close = |stand: &Stand| {
        let none: Option<&str> = None;
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(none, &stand.path("state"), none, flags, none).unwrap();
    };
    let Some((_, ran)) = on_its_own(close) else { return };
    nothing_injected(&ran);
    assert!(ran.err.contains("Read-only"), "{ran:?}");
}

#[test]
fn without_a_place_for_the_state_nothing_starts() {
    let stand = Stand::new();
    let mut command = stand.squall(&["run", "drill.yaml", "--out", "out"]);
    command.env_remove("XDG_STATE_HOME").env_remove("HOME");
    let ran = super::live::Live::start(command).finish();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("XDG_STATE_HOME"), "{ran:?}");
}

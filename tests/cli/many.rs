//! Drill after drill after drill: nothing adds up.

use std::collections::BTreeSet;
use std::fs;

use super::stand::{Stand, pids, signal, until};

/// Namespaces of the kinds that a lab founds, of all processes of the machine.
fn namespaces() -> BTreeSet<String> {
    let of = |pid: i32| {
        ["net", "pid", "mnt", "user"].into_iter().filter_map(move |kind| {
            let link = fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
            Some(link.display().to_string())
        })
    };
    pids().into_iter().flat_map(of).collect()
}

/// `SQUALL_DRILLS=500 cargo test --test cli` makes it 500; by default it is 25.
#[test]
fn drills_in_a_row_leak_nothing() {
    let count: u32 = std::env::var("SQUALL_DRILLS").map_or(25, |n| n.parse().unwrap());
    let mode = if count == 25 { "the short mode" } else { "SQUALL_DRILLS" };
    eprintln!("{count} drills in a row ({mode})");
    let stand = Stand::new();
    stand.raise();
    assert_eq!(stand.run(&["undo", "--all"]).code, Some(0));
    let before = lab_of(&stand);
    for drill in 0..count {
        let ran = stand.run(&["run", "drill.yaml", "--out", "out", "-q"]);
        // A drill of 200 ms that a busy machine could not measure leaks as little as any other.
        assert!(matches!(ran.code, Some(0 | 5)), "drill {drill}: {ran:?}");
        assert!(ran.out.contains("nothing of the drill is left"), "drill {drill}: {ran:?}");
        fs::remove_dir_all(stand.path("out")).unwrap();
        if drill == 0 {
            continue;
        }
        let now = lab_of(&stand);
        assert_eq!(now.processes, before.processes, "drill {drill}");
        assert_eq!(now.namespaces, before.namespaces, "drill {drill}");
    }
    let after = lab_of(&stand);
    assert_eq!(after.descriptors, before.descriptors, "of the lab's keeper and init");
    assert_eq!(after.files, before.files);
    stand.lower();
    stand.assert_nothing_left();
}

/// The same where each drill raises a lab of its own and takes it away.
#[test]
fn drills_in_labs_of_their_own_leak_nothing() {
    let stand = Stand::new();
    let count = std::env::var("SQUALL_DRILLS").map_or(10, |n| n.parse().unwrap());
    for drill in 0..count {
        let ran = stand.run(&["run", "drill.yaml", "--out", "out", "-q"]);
        // A drill of 200 ms that a busy machine could not measure leaks as little as any other.
        assert!(matches!(ran.code, Some(0 | 5)), "drill {drill}: {ran:?}");
        assert!(ran.out.contains("nothing of the drill is left"), "drill {drill}: {ran:?}");
        fs::remove_dir_all(stand.path("out")).unwrap();
        stand.assert_nothing_left();
    }
    let left = files(&stand);
    let expected = ["VERSION".to_owned()];
    assert_eq!(left.into_iter().collect::<Vec<_>>(), expected);
}

/// Everything of a standing lab that could grow.
#[derive(Debug, PartialEq, Eq)]
struct Footprint {
    processes: usize,
    namespaces: usize,
    descriptors: usize,
    files: BTreeSet<String>,
}

fn lab_of(stand: &Stand) -> Footprint {
    let service = stand.service().unwrap();
    let pid_namespace = fs::read_link(format!("/proc/{service}/ns/pid")).unwrap();
    let inside = |pid: &i32| {
        fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|ns| ns == pid_namespace)
    };
    let mut descriptors = 0;
    let mut processes = 0;
    for pid in pids().into_iter().filter(inside) {
        processes += 1;
        // The service has a connection now and then; what is ours has not.
        if pid != service {
            descriptors += fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        }
    }
    let mine: Vec<i32> = pids().into_iter().filter(inside).collect();
    let namespaces = namespaces_of(&mine).len();
    Footprint { processes, namespaces, descriptors, files: files(stand) }
}

fn namespaces_of(pids: &[i32]) -> BTreeSet<String> {
    let all = namespaces();
    let of = |pid: &i32| {
        let link = fs::read_link(format!("/proc/{pid}/ns/net")).ok()?;
        Some(link.display().to_string())
    };
    pids.iter().filter_map(of).filter(|ns| all.contains(ns)).collect()
}

/// Files of the state folder, by their names.
fn files(stand: &Stand) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![stand.path("state/squall")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// A drill on what another has left would measure another system than the lab's document describes.
#[test]
fn a_standing_lab_that_lacks_an_instance_is_refused() {
    let stand = Stand::new();
    stand.raise();
    signal(stand.service().unwrap(), libc::SIGKILL);
    until("the service is gone", || stand.service().is_none());
    let refused = stand.run_drill(&[]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let lab = format!("t-{}", stand.mark);
    for words in [
        format!("redis@r1 is not running in standing lab {lab}"),
        format!("`squall lab down {lab}` and `squall lab up "),
        "`--fresh`".to_owned(),
    ] {
        assert!(refused.err.contains(&words), "no {words} in {refused:?}");
    }
    assert!(!stand.path("out").exists());
    let fresh = stand.run_drill(&["--fresh"]);
    assert_eq!(fresh.code, Some(0), "{fresh:?}");
    // It is free again for those who mend it.
    stand.lower();
    stand.raise();
    let ran = stand.run(&["run", "drill.yaml", "--out", "second"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

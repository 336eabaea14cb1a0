//! What a part is born with, and how it dies.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

use squall::host::channel::Channel;
use squall::host::linux::part::{Part, spawn, use_binary};
use squall::host::part::{End, Entry, Manner, PartSpec};
use squall::host::{HostError, Processes};

use crate::fixture::program;

/// An init that was told nothing yet: it waits at its channel.
fn waiting(spec: PartSpec) -> (Part, Channel) {
    use_binary(program()).unwrap();
    let (ours, theirs) = Channel::pair().unwrap();
    let part = spawn(PartSpec { fds: vec![theirs.into_fd()], ..spec }).unwrap();
    (part, ours)
}

fn stat(pid: i32, field: usize) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = text.rsplit_once(") ").unwrap();
    rest.split_ascii_whitespace().nth(field - 3).unwrap().to_owned()
}

#[test]
fn a_part_has_its_descriptors_and_no_others() {
    // Things that must not leak, with and without close-on-exec.
    let leak = fs::File::open("/etc/hostname").unwrap();
    let kept = nix::unistd::dup(&leak).unwrap();
    let (part, _ours) = waiting(PartSpec::new("lab-init"));
    let folder = format!("/proc/{}/fd", part.pid());
    let mut open: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2", "3"]);
    let link = |n: u8| fs::read_link(format!("{folder}/{n}")).unwrap();
    assert_eq!(link(0).to_str(), Some("/dev/null"));
    assert_eq!(link(1), link(2));
    assert!(link(3).to_str().unwrap().starts_with("socket:"));
    assert_eq!(stat(part.pid(), 6), part.pid().to_string(), "a session of its own");
    drop(kept);
}

#[test]
fn descriptors_come_in_the_order_given() {
    use_binary(program()).unwrap();
    let (_ours, theirs) = Channel::pair().unwrap();
    let named = |path: &str| OwnedFd::from(fs::File::open(path).unwrap());
    let fds = vec![theirs.into_fd(), named("/etc/passwd"), named("/etc/group")];
    let part = spawn(PartSpec { fds, ..PartSpec::new("lab-init") }).unwrap();
    let link = |n: u8| fs::read_link(format!("/proc/{}/fd/{n}", part.pid())).unwrap();
    assert_eq!(link(4).to_str(), Some("/etc/passwd"));
    assert_eq!(link(5).to_str(), Some("/etc/group"));
}

#[test]
fn a_part_ends_with_its_channel_by_a_kill_and_with_its_holder() {
    let (mut part, ours) = waiting(PartSpec::new("lab-init"));
    assert_eq!(part.exited().unwrap(), None);
    assert_eq!(part.wait(Duration::from_millis(20)).unwrap(), None);
    drop(ours);
    assert_eq!(part.wait(Duration::from_secs(5)).unwrap(), Some(End::Exit(0)));
    assert_eq!(part.exited().unwrap(), Some(End::Exit(0)), "and it is remembered");

    let (mut part, _ours) = waiting(PartSpec::new("lab-init"));
    part.kill().unwrap();
    assert_eq!(part.wait(Duration::from_secs(5)).unwrap(), Some(End::Signal(libc::SIGKILL)));
    part.kill().unwrap();

    let (part, _ours) = waiting(PartSpec::new("lab-init"));
    let pid = part.pid();
    drop(part);
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
}

#[test]
fn a_tied_part_dies_with_the_thread_that_started_it_and_a_detached_one_does_not() {
    for manner in [Manner::Tied, Manner::Founder, Manner::Detached] {
        let start = move || waiting(PartSpec { manner, ..PartSpec::new("lab-init") });
        let (mut part, _ours) = std::thread::spawn(start).join().unwrap();
        let end = if manner == Manner::Detached {
            let end = part.wait(Duration::from_millis(200)).unwrap();
            part.kill().unwrap();
            end
        } else {
            part.wait(Duration::from_secs(5)).unwrap()
        };
        let expected = (manner != Manner::Detached).then_some(End::Signal(libc::SIGKILL));
        assert_eq!(end, expected, "{manner:?}");
    }
}

/// Nobody may be left to hear it: it goes into a file, and nowhere where there is none.
#[test]
fn the_last_words_of_a_detached_part_are_kept() {
    use_binary(program()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("parts.log");
    fs::write(&path, "before\n").unwrap();
    let log = fs::File::options().append(true).open(&path).unwrap();
    let manner = Manner::Detached;
    let spec = PartSpec { manner, log: Some(OwnedFd::from(log)), ..PartSpec::new("nobody") };
    let mut part = spawn(spec).unwrap();
    assert_eq!(part.wait(Duration::from_secs(5)).unwrap(), Some(End::Exit(2)));
    let said = fs::read_to_string(&path).unwrap();
    assert!(said.starts_with("before\n") && said.contains("no part `nobody`"), "{said}");
    let mut silent = spawn(PartSpec { manner, ..PartSpec::new("nobody") }).unwrap();
    assert_eq!(silent.wait(Duration::from_secs(5)).unwrap(), Some(End::Exit(2)));
}

#[test]
fn realtime_is_asked_for_before_the_namespaces_are_entered() {
    for manner in [Manner::Tied, Manner::Founder] {
        let (plain, _a) = waiting(PartSpec { manner, ..PartSpec::new("lab-init") });
        assert_eq!(stat(plain.pid(), 41), "0", "{manner:?}");
        let spec = PartSpec { manner, realtime: true, ..PartSpec::new("lab-init") };
        let (fifo, _b) = waiting(spec);
        let granted = nix::unistd::geteuid().is_root();
        let policy = stat(fifo.pid(), 41);
        assert!(policy == "1" || !granted, "{manner:?}: policy {policy}");
    }
}

#[test]
fn a_lab_that_is_gone_or_replaced_is_not_entered() {
    let (founder, _ours) =
        waiting(PartSpec { manner: Manner::Founder, ..PartSpec::new("lab-init") });
    let mut other = founder.identity().clone();
    other.start_ticks += 1;
    let entry = |init| PartSpec { enter: Some(Entry { init }), ..PartSpec::new("lab-init") };
    assert!(matches!(spawn(entry(other)), Err(HostError::Gone(_))));
    let init = founder.identity().clone();
    drop(founder);
    assert!(matches!(spawn(entry(init)), Err(HostError::Gone(_))));
}

#[test]
fn a_part_that_enters_is_our_child_and_lives_in_every_namespace_of_the_lab() {
    let (founder, _a) = waiting(PartSpec { manner: Manner::Founder, ..PartSpec::new("lab-init") });
    let enter = Some(Entry { init: founder.identity().clone() });
    let (mut part, _b) = waiting(PartSpec { enter, ..PartSpec::new("lab-init") });
    let ns = |pid: i32, kind: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
    let own = i32::try_from(std::process::id()).unwrap();
    for kind in ["user", "mnt", "pid", "net", "ipc", "uts"] {
        assert_eq!(ns(part.pid(), kind), ns(founder.pid(), kind), "{kind}");
        assert_ne!(ns(part.pid(), kind), ns(own, kind), "{kind}");
    }
    assert_eq!(stat(part.pid(), 4), own.to_string(), "its parent");
    let host = squall::host::linux::process::LinuxProcesses::new().unwrap();
    assert_eq!(host.identify(part.pid()).unwrap(), *part.identity());
    // The end of the lab is the end of its parts.
    founder.kill().unwrap();
    assert_eq!(part.wait(Duration::from_secs(5)).unwrap(), Some(End::Signal(libc::SIGKILL)));
}

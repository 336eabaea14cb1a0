//! A lab comes up, is whole, and goes: by request, and by the death of its keeper at any moment.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use squall::host::Processes;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::process::LinuxProcesses;

use crate::fixture::{Fixture, Who};
use crate::slow::unless_slow;

const SLEEPERS: &str = "    one: {hosts: [a, b], command: [sleep, '600.MARK']}\n\
                        \x20   two: {hosts: [b, c], command: [sleep, '600.MARK'], after: [one]}\n";

const GONE_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn a_lab_stands_and_goes_as_root() {
    Fixture::new(Who::Root).iter().for_each(stands_and_goes);
}

#[test]
fn a_lab_stands_and_goes_as_an_ordinary_user() {
    Fixture::new(Who::User).iter().for_each(stands_and_goes);
}

fn stands_and_goes(fixture: &Fixture) {
    let file = fixture.lab(SLEEPERS);
    let text = fixture.must(&["lab", "up", "--detach", &file]);
    for instance in ["one@a", "one@b", "two@b", "two@c"] {
        assert!(text.contains(&format!("{instance} is ready")), "{text}");
    }
    assert!(fixture.must(&["lab", "list"]).contains(&file));
    let hosts = fixture.must(&["lab", "hosts", &fixture.name()]);
    let hosts: Vec<Vec<&str>> = hosts.lines().map(|line| line.split('\t').collect()).collect();
    let b = hosts.iter().find(|host| host[0] == "b").unwrap();
    assert_eq!(b[1..], ["10.66.0.12", "fd66::12", "one two"], "{hosts:?}");
    // The second is told who has the name.
    let again = fixture.run(&["lab", "up", &file]);
    assert_eq!(again.status.code(), Some(3), "{again:?}");

    // Root inside, every family to everybody, and nobody of ours outside.
    assert_eq!(fixture.must(&["lab", "exec", "client", "--", "id", "-u"]).trim(), "0");
    for address in ["10.66.0.11", "10.66.0.13", "fd66::12", "fd66::10"] {
        let bind = format!(
            "import socket as s; f=s.AF_INET6 if ':' in '{address}' else s.AF_INET; \
             u=s.socket(f,s.SOCK_DGRAM); u.settimeout(2); u.connect(('{address}',9)); u.send(b'x')\n\
             try: u.recv(9)\n\
             except ConnectionRefusedError: print('reached')"
        );
        let reached = fixture.must(&["lab", "exec", "b", "--", "python3", "-c", &bind]);
        assert_eq!(reached.trim(), "reached", "{address}");
    }
    let inside = fixture.must(&["lab", "exec", "a", "--", "ps", "ax", "-o", "pid=,comm="]);
    let inside: Vec<&str> = inside.lines().map(str::trim).collect();
    assert!(inside[0].starts_with("1 ") && inside[0].contains("squall-lab"), "{inside:?}");
    assert_eq!(inside.len(), 6, "init, four sleepers and ps: {inside:?}");

    fixture.must(&["lab", "down", &fixture.name()]);
    fixture.assert_gone(Duration::ZERO, "after `lab down` returned");
    assert_eq!(fixture.must(&["lab", "list"]), "");
    let logs = fixture.registry().folder().join(fixture.name());
    let left: Vec<_> = fs::read_dir(&logs).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["logs"]);
}

#[test]
fn what_a_lab_mounts_and_makes_is_seen_by_nobody_else() {
    let Some(fixture) = Fixture::new(Who::Root) else { return };
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let links = || fs::read_to_string("/proc/self/net/dev").unwrap().lines().count();
    let (mounts_before, links_before) = (mounts(), links());
    fixture.must(&["lab", "up", "--detach", &fixture.lab(SLEEPERS)]);
    assert_eq!(mounts(), mounts_before);
    assert_eq!(links(), links_before);
    let seen = fixture.must(&["lab", "exec", "a", "--", "ls", "/tmp"]);
    assert_eq!(seen, "", "the lab has its own /tmp");
}

#[test]
fn nothing_of_ours_reaches_a_service_but_what_is_declared() {
    for who in [Who::Root, Who::User] {
        let Some(fixture) = Fixture::new(who) else { continue };
        let file = fixture.lab(
            "    one: {hosts: [a], command: [sleep, '600.MARK'], env: {DECLARED: '{{host.name}}'}}\n",
        );
        let mut up = fixture.squall(&["lab", "up", "--detach", &file]);
        assert!(up.env("SECRET", "canary-4711").output().unwrap().status.success());
        let script = "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>/dev/null; \
                      readlink /proc/2/cwd; ls /proc/2/fd";
        let script = script.replace("/proc/2/", "/proc/$(pgrep -x sleep)/");
        let seen = fixture.must(&["lab", "exec", "a", "--", "sh", "-c", &script]);
        assert!(!seen.contains("canary-4711"), "{seen}");
        assert!(seen.contains("DECLARED=a") && seen.contains("/run/lab/a/one"), "{seen}");
        assert!(seen.ends_with("/run/lab/a/one\n0\n1\n2\n"), "{seen}");
    }
}

#[test]
fn killing_the_keeper_at_any_moment_removes_everything_as_root() {
    killed_at_any_moment(Who::Root);
}

#[test]
fn killing_the_keeper_at_any_moment_removes_everything_as_an_ordinary_user() {
    killed_at_any_moment(Who::User);
}

/// From before the first fork until after everything is ready.
fn killed_at_any_moment(who: Who) {
    let steps = unless_slow(40_u64, 13, "the number of moments");
    let Some(fixture) = Fixture::new(who) else { return };
    let file = fixture.lab(SLEEPERS);
    let started = monotonic_ns();
    fixture.must(&["lab", "up", "--detach", &file]);
    let takes = monotonic_ns() - started;
    fixture.must(&["lab", "down", &fixture.name()]);
    for step in 0..steps {
        let after = takes * step / (steps - steps / 4);
        let when = format!("killed {} us after its start", after / 1000);
        let moment = monotonic_ns() + after;
        let mut keeper =
            fixture.squall(&["lab", "up", &file]).stdout(Stdio::null()).spawn().unwrap();
        while monotonic_ns() < moment {
            std::hint::spin_loop();
        }
        keeper.kill().unwrap();
        assert_eq!(keeper.wait().unwrap().signal(), Some(libc::SIGKILL), "{when}");
        fixture.assert_gone(GONE_WITHIN, &when);
    }
    // And once for certain when everything stands.
    let mut keeper = fixture.squall(&["lab", "up", &file]).stdout(Stdio::null()).spawn().unwrap();
    let deadline = monotonic_ns() + 20_000_000_000;
    while fixture.registry().list().unwrap().is_empty() {
        assert!(monotonic_ns() < deadline, "it does not come up");
    }
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    fixture.assert_gone(GONE_WITHIN, "killed when everything stood");
    assert_eq!(fixture.must(&["lab", "list"]), "", "stale entries are cleared");
    fixture.must(&["lab", "up", "--detach", &file]);
}

#[test]
fn where_user_namespaces_are_forbidden_the_switch_is_named() {
    let Some(fixture) = Fixture::new(Who::Root) else { return };
    let file = fixture.lab(SLEEPERS);
    // The limit holds for the namespaces below this one only, not for the machine.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let up = std::process::Command::new("unshare")
        .args(["-Ur", "sh", "-c", script, "sh"])
        .arg(crate::fixture::program())
        .args(["lab", "up", &file])
        .env("XDG_STATE_HOME", fixture.folder())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&up.stderr);
    assert_eq!(up.status.code(), Some(1), "{text}");
    assert!(text.contains("sysctl user.max_user_namespaces="), "{text}");
}

#[test]
fn killing_the_init_ends_the_keeper() {
    let Some(fixture) = Fixture::new(Who::User) else { return };
    fixture.must(&["lab", "up", "--detach", &fixture.lab(SLEEPERS)]);
    let init = fixture.standing().record.identity.init;
    LinuxProcesses::new().unwrap().signal(&init, libc::SIGKILL).unwrap();
    fixture.assert_gone(GONE_WITHIN, "after its init was killed");
    let keeper = || fixture.registry().list().unwrap();
    let deadline = monotonic_ns() + 1_000_000_000;
    while !keeper().is_empty() {
        assert!(monotonic_ns() < deadline, "the keeper outlives its lab");
    }
}

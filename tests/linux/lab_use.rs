//! What a drill and a person do with a lab: attach, ask, watch, run things, be refused.

use std::time::Duration;

use squall::host::Processes;
use squall::host::linux::part;
use squall::host::linux::process::LinuxProcesses;
use squall::host::part::End;
use squall::lab::{Lab, LabError, LabEvent, LabPlace};
use squall::model::lab::LabSpec;

use crate::fixture::{Fixture, Who, outer, program};

const RESTARTING: &str = "    one:
      hosts: [a]
      command: [sleep, '600.MARK']
      restart: {always: {after: 300ms}}
    two: {hosts: [b], command: [sleep, '600.MARK']}
";

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(Duration::from_secs(30), work).await };
    runtime.block_on(bounded).expect("it took longer than 30 s")
}

#[test]
fn an_instance_that_is_killed_comes_back_when_its_lab_says_so() {
    let Some(fixture) = Fixture::new(Who::User) else { return };
    fixture.must(&["lab", "up", "--detach", &fixture.lab(RESTARTING)]);
    block_on(async {
        let mut lab = Lab::attach(&fixture.standing(), "a test").await.unwrap();
        let before = lab.targets().await.unwrap();
        assert_eq!(
            before.iter().map(|t| t.name.0.as_str()).collect::<Vec<_>>(),
            ["one@a", "two@b"]
        );
        assert_eq!(before[0].netns.as_ref().unwrap().path, "/run/netns/a");
        assert_ne!(
            before[0].netns.as_ref().unwrap().cookie,
            before[1].netns.as_ref().unwrap().cookie
        );
        let host = LinuxProcesses::new().unwrap();
        for target in &before {
            let who = outer(target.process.as_ref().unwrap(), lab.identity().init.pid);
            host.signal(&who, libc::SIGKILL).unwrap();
        }
        let mut told = std::collections::BTreeMap::new();
        let restarted = loop {
            match lab.next_event().await.unwrap() {
                LabEvent::Ended { at_ns, instance, how } => {
                    assert_eq!(how, End::Signal(libc::SIGKILL));
                    told.insert(instance.0, at_ns);
                }
                LabEvent::Started { at_ns, instance, process } => {
                    let after = at_ns - told[&instance.0];
                    assert!((300_000_000..600_000_000).contains(&after), "{after} ns");
                    break (instance.0, process);
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(told.len(), 2, "{told:?}");
        let after = lab.targets().await.unwrap();
        assert_eq!(restarted, ("one@a".to_owned(), after[0].process.clone().unwrap()));
        assert_ne!(after[0].process, before[0].process);
        assert_eq!(after[1].process, None, "two@b is never restarted");
        assert_eq!(after[0].netns, before[0].netns);
    });
}

#[test]
fn one_drill_at_a_time_and_the_others_are_told_who_it_is() {
    let Some(fixture) = Fixture::new(Who::User) else { return };
    fixture.must(&["lab", "up", "--detach", &fixture.lab(RESTARTING)]);
    let standing = fixture.standing();
    block_on(async {
        let first = Lab::attach(&standing, "drill d0000000001").await.unwrap();
        let refused = Lab::attach(&standing, "another").await.unwrap_err();
        assert!(refused.to_string().contains("in use by drill d0000000001"), "{refused}");
        let down = fixture.run(&["lab", "down", &fixture.name()]);
        assert_eq!(down.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&down.stderr).contains("drill d0000000001"));
        drop(first);
        // Its keeper hears of it by the end of the connection, which is not at once.
        let mut second = loop {
            match Lab::attach(&standing, "another").await {
                Err(LabError::Busy { .. }) => tokio::task::yield_now().await,
                other => break other.unwrap(),
            }
        };
        fixture.must(&["lab", "down", "--force", &fixture.name()]);
        assert!(matches!(second.next_event().await, Some(LabEvent::Died { .. })));
        assert_eq!(second.next_event().await, None);
        assert!(second.targets().await.is_err());
    });
}

#[test]
fn exec_passes_exit_codes_streams_and_refusals_on() {
    let Some(fixture) = Fixture::new(Who::User) else { return };
    let none = fixture.run(&["lab", "exec", "a", "--", "true"]);
    assert_eq!(none.status.code(), Some(2));
    fixture.must(&["lab", "up", "--detach", &fixture.lab(RESTARTING)]);
    let exec = |words: &[&str]| fixture.run(&[&["lab", "exec", "b", "--"], words].concat());
    let told = exec(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(told.status.code(), Some(7));
    assert_eq!((&*told.stdout, &*told.stderr), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(exec(&["sh", "-c", "kill -TERM $$"]).status.code(), Some(128 + 15));
    assert_eq!(exec(&["no-such-program"]).status.code(), Some(127));
    let where_ = exec(&["python3", "-c", "import os;print(os.readlink('/proc/self/ns/net'))"]);
    let there = exec(&["stat", "-c", "net:[%i]", "/run/netns/b"]);
    assert_eq!(where_.stdout, there.stdout, "it runs in the host's namespace");
    let nobody = fixture.run(&["lab", "exec", "zz", "--", "true"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("client, a, b"), "{nobody:?}");
}

#[test]
fn root_has_its_rights_in_the_lab_of_an_ordinary_user() {
    let Some(_root) = Fixture::new(Who::Root) else { return };
    let Some(fixture) = Fixture::new(Who::User) else { return };
    fixture.must(&["lab", "up", "--detach", &fixture.lab(RESTARTING)]);
    let seen = std::process::Command::new(program())
        .args(["lab", "exec", "a", "--", "sh", "-c", "id -u; grep CapEff /proc/self/status"])
        .env("XDG_STATE_HOME", fixture.folder())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&seen.stdout);
    assert!(text.starts_with("0\n") && text.contains("ffffff"), "{seen:?}");
}

#[test]
fn a_missing_program_is_named_with_its_package_before_anything_starts() {
    let Some(fixture) = Fixture::new(Who::User) else { return };
    let file = fixture.lab(
        "    one: {hosts: [a], command: [sleep, '600.MARK']}
    two: {hosts: [b], command: [no-such-server], package: no-such-package, after: [one]}\n",
    );
    let up = fixture.run(&["lab", "up", "--detach", &file]);
    assert_eq!(up.status.code(), Some(2));
    let text = String::from_utf8_lossy(&up.stderr);
    assert!(text.contains("`no-such-server` of two (package no-such-package)"), "{text}");
    assert!(!String::from_utf8_lossy(&up.stdout).contains("ready"));
    fixture.assert_gone(Duration::ZERO, "after it was refused");
}

#[test]
fn an_instance_that_does_not_come_up_is_quoted_and_nothing_is_left() {
    part::use_binary(program()).unwrap();
    let Some(fixture) = Fixture::new(Who::User) else { return };
    let cases = [
        ("command: [sh, -c, 'echo no luck; exit 3', 'MARK']", "exit status 3", "no luck"),
        (
            "command: [sleep, '600.MARK'], ready: [{tcp: {port: 1}}], readyWithin: 200ms",
            "10.66.0.11:1: Connection refused",
            "is empty",
        ),
        ("command: [sh, -c, 'kill -9 $$', 'MARK']", "SIGKILL", "is empty"),
    ];
    for (service, why, quoted) in cases {
        let text = format!("title: t\nservices:\n  one: {{hosts: [a], {service}}}\n");
        let ready = if service.contains("ready") { "" } else { ", ready: [{tcp: {port: 1}}]" };
        let text = text.replace("}\n", &format!("{ready}}}\n")).replace("MARK", &fixture.mark);
        let spec: LabSpec = serde_saphyr::from_str(&text).unwrap();
        let place = LabPlace { logs: fixture.folder().join("logs") };
        let error = block_on(Lab::up(&fixture.name(), &spec, &place, |_| {})).unwrap_err();
        assert!(matches!(error, LabError::NotReady { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("one@a") && said.contains(why) && said.contains(quoted), "{said}");
        fixture.assert_gone(Duration::ZERO, "after it failed");
    }
}

#[test]
fn a_lab_that_we_raised_goes_with_us_and_is_seen_to_go() {
    part::use_binary(program()).unwrap();
    let Some(fixture) = Fixture::new(Who::User) else { return };
    let text = format!(
        "title: t\nservices:\n  one: {{hosts: [a], command: [sleep, '600.{}']}}\n",
        fixture.mark
    );
    let spec: LabSpec = serde_saphyr::from_str(&text).unwrap();
    let place = LabPlace { logs: fixture.folder().join("logs") };
    block_on(async {
        let mut seen = Vec::new();
        let lab = Lab::up(&fixture.name(), &spec, &place, |e| seen.push(e.clone())).await.unwrap();
        assert!(matches!(seen[0], LabEvent::Wired { hosts: 2, .. }), "{seen:?}");
        assert_eq!(lab.hosts()[0].0.name, "client");
        lab.down().await.unwrap();
        fixture.assert_gone(Duration::ZERO, "after down");

        let lab = Lab::up(&fixture.name(), &spec, &place, |_| {}).await.unwrap();
        drop(lab);
        fixture.assert_gone(Duration::ZERO, "after it was dropped");

        let mut lab = Lab::up(&fixture.name(), &spec, &place, |_| {}).await.unwrap();
        let init = lab.identity().init.clone();
        LinuxProcesses::new().unwrap().signal(&init, libc::SIGKILL).unwrap();
        let died = lab.next_event().await;
        assert!(
            matches!(&died, Some(LabEvent::Died { why, .. }) if why.contains("SIGKILL")),
            "{died:?}"
        );
        assert_eq!(lab.next_event().await, None);
    });
}

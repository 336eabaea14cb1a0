//! An abort of several injections: each is undone before the first is looked at or written down.

use std::process::{Child, Command};
use std::time::Duration;

use squall::host::linux::LinuxHost;
use squall::host::process::RunState;
use squall::host::{Host, Processes};
use squall::injection::revert::undo_first;
use squall::model::id::{DrillId, InjectionId};
use squall::model::identity::NetnsIdentity;
use squall::model::inventory::{self, InstanceName, Target};
use squall::model::message::Recipe;

/// A stopped process, ended with this value.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn stopped(host: &LinuxHost, number: u16) -> (Stopped, Recipe) {
    let child = Stopped(Command::new("sleep").arg("60").spawn().unwrap());
    let process = host.identify(i32::try_from(child.0.id()).unwrap()).unwrap();
    host.signal(&process, libc::SIGSTOP).unwrap();
    host.wait(&process, RunState::Stopped, Duration::from_secs(5)).unwrap().unwrap();
    let undo = serde_json::json!({"process": process});
    let own = inventory::Host {
        name: "h1".to_owned(),
        ipv4: "10.0.0.1".parse().unwrap(),
        ipv6: "fd00::1".parse().unwrap(),
    };
    let netns = NetnsIdentity {
        path: "/proc/self/ns/net".to_owned(),
        cookie: 0,
        boot: process.boot.clone(),
    };
    let target = Target {
        name: InstanceName("sleep@h1".to_owned()),
        service: "sleep".to_owned(),
        host: own,
        port: None,
        process: Some(process),
        netns: Some(netns),
        object: None,
    };
    let injection = InjectionId { drill: DrillId::from_bits(11), number };
    let recipe =
        Recipe { injection, kind: "processPause".to_owned(), target, undo, deadline_ns: u64::MAX };
    (child, recipe)
}

fn state(host: &LinuxHost, recipe: &Recipe) -> RunState {
    host.state(recipe.target.process.as_ref().unwrap()).unwrap()
}

#[test]
fn several_are_undone_at_once_and_one_is_left_to_its_orderly_end() {
    let mut host = LinuxHost::new(DrillId::from_bits(11)).unwrap();
    let (mut gone, first) = stopped(&host, 1);
    let (_second_child, second) = stopped(&host, 2);
    let (_third_child, third) = stopped(&host, 3);
    undo_first(&mut host as &mut dyn Host, [&second].into_iter(), &mut || {});
    assert_eq!(state(&host, &second), RunState::Stopped);
    // One that cannot be undone keeps no other from it.
    gone.0.kill().unwrap();
    gone.0.wait().unwrap();
    undo_first(&mut host as &mut dyn Host, [&first, &second, &third].into_iter(), &mut || {});
    assert_eq!(state(&host, &second), RunState::Running);
    assert_eq!(state(&host, &third), RunState::Running);
}

//! Trees of real processes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::json;

use super::*;
use crate::host::Processes;
use crate::host::linux::LinuxHost;
use crate::model::id::DrillId;

const SOON: Duration = Duration::from_secs(5);

/// Starts a child for each line that it reads, and says its number. Ends with the test.
const PARENT: &str = "while read -r line; do sleep 60 & echo $!; done";

/// The same, and no polite signal ends it or any of its children.
const DEAF_PARENT: &str = "trap '' TERM; while read -r line; do sleep 60 & echo $!; done";

struct Tree {
    root: Child,
    orders: ChildStdin,
    numbers: BufReader<ChildStdout>,
    host: LinuxHost,
    target: Target,
}

impl Tree {
    fn new(script: &str) -> Tree {
        let mut root = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let host = LinuxHost::new(DrillId::from_bits(7)).unwrap();
        let who = host.identify(i32::try_from(root.id()).unwrap()).unwrap();
        let netns = json!({"path": "/proc/self/ns/net", "cookie": 1, "boot": "b"});
        let target = json!({
            "name": "tree@here", "service": "tree", "port": null, "process": who, "netns": netns,
            "host": {"name": "here", "ipv4": "10.66.0.1", "ipv6": "fd66::1"},
        });
        let orders = root.stdin.take().unwrap();
        let numbers = BufReader::new(root.stdout.take().unwrap());
        let target = serde_json::from_value(target).unwrap();
        let mut tree = Tree { root, orders, numbers, host, target };
        // Its traps are set when it answers.
        tree.grow();
        tree
    }

    /// One child more, running.
    fn grow(&mut self) -> ProcessIdentity {
        writeln!(self.orders, "more").unwrap();
        let mut number = String::new();
        self.numbers.read_line(&mut number).unwrap();
        self.host.identify(number.trim().parse().unwrap()).unwrap()
    }

    fn order(&self, signal: &str, scope: &str) -> (Order, Params) {
        let params = json!({"target": "t", "signal": signal, "scope": scope});
        let order = json!({
            "injection": {"drill": "d0000000007", "number": 1}, "step": 0, "kind": "processKill",
            "params": params, "target": self.target, "peers": {"blocks": [], "hosts": []},
            "seed": 1, "deadline": "60s",
        });
        (serde_json::from_value(order).unwrap(), serde_json::from_value(params).unwrap())
    }

    fn stop(&self, who: &ProcessIdentity) {
        self.host.signal(who, libc::SIGSTOP).unwrap();
        assert!(self.host.wait(who, RunState::Stopped, SOON).unwrap().is_some());
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let root = self.target.process.clone().unwrap();
        for member in self.host.tree(&root).unwrap_or_default().iter().rev() {
            let _ended = self.host.signal(member, libc::SIGKILL);
        }
        let _status = self.root.wait();
    }
}

/// As it stands when whoever killed dies between the halt and the kill.
#[test]
fn who_was_held_and_is_not_in_the_recipe_is_let_go_by_the_recipe() {
    let mut tree = Tree::new(PARENT);
    let (order, params) = tree.order("SIGKILL", "tree");
    let undo = ProcessKill::arm(&mut tree.host, &order, &params).unwrap();
    let late = tree.grow();
    assert!(!undo.victims.contains(&late) && undo.victims.len() == 2);
    for member in tree.host.tree(&undo.victims[0]).unwrap() {
        tree.stop(&member);
    }
    let held = ProcessKill::verify(&mut tree.host, &order.target, &undo, Expect::Gone);
    let words = held.unwrap_err().to_string();
    assert!(words.contains(&late.pid.to_string()), "{words}");
    ProcessKill::revert(&mut tree.host, &order.target, &undo).unwrap();
    assert_eq!(tree.host.state(&late).unwrap(), RunState::Running);
    ProcessKill::verify(&mut tree.host, &order.target, &undo, Expect::Gone).unwrap();
}

#[test]
fn a_tree_dies_with_those_that_were_born_after_the_look() {
    let mut tree = Tree::new(PARENT);
    let (order, params) = tree.order("SIGTERM", "tree");
    let undo = ProcessKill::arm(&mut tree.host, &order, &params).unwrap();
    let late = tree.grow();
    let took = ProcessKill::inject(&mut tree.host, &order, &params, &undo).unwrap();
    assert!(took.began_ns < took.effective_ns);
    for victim in undo.victims.iter().chain([&late]) {
        assert_eq!(tree.host.state(victim).unwrap(), RunState::Gone);
    }
    ProcessKill::lasted(&mut tree.host, &order.target, &undo).unwrap();
}

/// Three that do not die share one deadline, and it is shorter than a lease of three seconds.
#[test]
fn a_kill_that_does_not_take_is_given_up_within_a_lease_however_many_they_are() {
    let mut tree = Tree::new(DEAF_PARENT);
    tree.grow();
    let (order, params) = tree.order("SIGTERM", "tree");
    let undo = ProcessKill::arm(&mut tree.host, &order, &params).unwrap();
    assert_eq!(undo.victims.len(), 3);
    let began = tree.host.now_ns();
    let kept = ProcessKill::inject(&mut tree.host, &order, &params, &undo).unwrap_err();
    let took = Duration::from_nanos(tree.host.now_ns() - began);
    assert!(kept.to_string().contains("still lives"), "{kept}");
    assert!((DEATH_WITHIN..Duration::from_secs(3)).contains(&took), "{took:?}");
    assert_eq!(tree.host.state(&undo.victims[0]).unwrap(), RunState::Running, "it is let go");
}

/// A kill of one holds nobody: whoever stopped it, it was not us.
#[test]
fn one_that_somebody_else_stopped_stays_stopped() {
    let mut tree = Tree::new(PARENT);
    let (order, params) = tree.order("SIGKILL", "one");
    let undo = ProcessKill::arm(&mut tree.host, &order, &params).unwrap();
    let root = undo.victims[0].clone();
    tree.stop(&root);
    ProcessKill::revert(&mut tree.host, &order.target, &undo).unwrap();
    ProcessKill::verify(&mut tree.host, &order.target, &undo, Expect::Gone).unwrap();
    assert_eq!(tree.host.state(&root).unwrap(), RunState::Stopped);
}

#[test]
fn a_recipe_of_before_may_be_of_a_tree() {
    let old: Undo = serde_json::from_value(json!({"victims": []})).unwrap();
    assert!(old.tree);
}

#[test]
fn guardian_and_journal_stand_behind_what_is_held() {
    let defence = |scope: &str| {
        let params = json!({"target": "t", "scope": scope});
        ProcessKill::facts(&serde_json::from_value(params).unwrap()).defence
    };
    assert_eq!(defence("one"), [Defence::ReadBack]);
    assert_eq!(defence("tree"), [Defence::Guardian, Defence::Journal, Defence::ReadBack]);
}

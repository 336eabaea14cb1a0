//! The prober as a process: its clock, its stalls, its life and its end.

use nix::sys::signal::Signal;
use serde_json::json;
use squall::model::message::{FromProber, ToProber};
use squall::model::observation::{ErrorClass, Grade, Observation};

use crate::support::hostile::{Hostile, Manner};
use crate::support::part::{Part, hello, spec};
use crate::support::server::Server;
use crate::support::{MS, let_pass, wait_for};

fn ping(server: &Server, rate: &str) -> serde_json::Value {
    let params =
        json!({"address": server.address.to_string(), "send": "PING\r\n", "expect": "PONG"});
    spec("tcp", &params, rate)
}

fn count(slots: &[Observation], grade: Grade) -> usize {
    slots.iter().filter(|slot| slot.grade == grade).count()
}

#[test]
fn every_slot_is_due_at_its_number_over_the_rate_and_answered_once() {
    let redis = Server::redis(&[]);
    let mut part = Part::ready(hello(&[("p", ping(&redis, "300/s")), ("q", ping(&redis, "7/s"))]));
    let start = part.start();
    let_pass(2_100);
    let slots = part.finish("p");
    assert!((600..660).contains(&slots.len()), "{}", slots.len());
    for (number, slot) in (0u64..).zip(&slots) {
        assert_eq!(slot.slot, number);
        assert_eq!(slot.due_ns, start + (number * 1_000_000_000 + 150) / 300);
        assert!(slot.started_ns >= slot.due_ns && slot.done_ns >= slot.started_ns);
    }
    let invalid = count(&slots, Grade::Invalid);
    assert_eq!(count(&slots, Grade::Good) + invalid, slots.len());
    assert!(invalid * 10 < slots.len(), "{invalid} of {} invalid", slots.len());
    assert!((14..17).contains(&part.slots("q").len()));
    let lags = part.lags();
    let lagged: u64 = lags.iter().map(|lag| lag.slots).sum();
    assert_eq!(lagged, (slots.len() + part.slots("q").len()) as u64);
    assert!(lags.len() >= 2, "one a second");
    assert!(lags.iter().all(|lag| lag.p50_ns <= lag.p99_ns && lag.p99_ns <= lag.max_ns));
}

#[test]
fn a_prober_that_was_stopped_blames_nobody() {
    let redis = Server::redis(&[]);
    let mut part = Part::ready(hello(&[("p", ping(&redis, "200/s"))]));
    let start = part.start();
    let_pass(700);
    part.signal(Signal::SIGSTOP);
    let stopped = squall::host::linux::clock::monotonic_ns();
    let_pass(300);
    let resumed = squall::host::linux::clock::monotonic_ns();
    part.signal(Signal::SIGCONT);
    let_pass(700);
    let slots = part.finish("p");
    assert_eq!(count(&slots, Grade::Bad) + count(&slots, Grade::Late), 0);
    // Those due while it stood still; the last of them may have been started just in time.
    let within = |slot: &&Observation| slot.due_ns > stopped && slot.due_ns + 6 * MS < resumed;
    let (inside, outside): (Vec<_>, Vec<_>) = slots.iter().partition(within);
    assert!(inside.len() >= 50, "{}", inside.len());
    assert!(inside.iter().all(|slot| slot.grade == Grade::Invalid), "{inside:?}");
    let outside: Vec<_> = outside.into_iter().cloned().collect();
    assert!(count(&outside, Grade::Good) * 10 > outside.len() * 8);
    assert_eq!(slots.len() as u64, slots.last().unwrap().slot + 1, "none is skipped");
    assert!(slots.last().unwrap().due_ns > start + 1_500 * MS);
    let stalled: u64 = part.lags().iter().map(|lag| lag.stalled_ns).sum();
    assert!((250 * MS..500 * MS).contains(&stalled), "{stalled}");
}

#[test]
fn answers_that_came_while_it_stood_still_are_not_called_late() {
    // Each answer takes 40 ms, so about eight slots are under way when it is stopped.
    let slow = Hostile::start(Manner::SaysLate(40, "x"));
    let params = json!({"address": slow.address.to_string(), "send": "q", "expect": "x"});
    let mut part = Part::ready(hello(&[("p", spec("tcp", &params, "200/s"))]));
    part.start();
    let_pass(400);
    part.signal(Signal::SIGSTOP);
    let stopped = squall::host::linux::clock::monotonic_ns();
    let_pass(320);
    part.signal(Signal::SIGCONT);
    let_pass(300);
    let slots = part.finish("p");
    let under_way: Vec<_> =
        slots.iter().filter(|s| s.due_ns < stopped && s.done_ns > stopped + 250 * MS).collect();
    assert!(under_way.len() >= 4, "{}", under_way.len());
    assert!(under_way.iter().all(|slot| slot.grade == Grade::Invalid), "{under_way:?}");
    assert_eq!(count(&slots, Grade::Bad) + count(&slots, Grade::Late), 0);
}

#[test]
fn how_it_is_scheduled_is_what_it_says_and_its_programs_are_like_everybody_else() {
    let params = json!({"run": ["cut", "-d", " ", "-f", "41", "/proc/self/stat"],
                        "expect": "^0\n$"});
    let mut part = Part::spawn(hello(&[("c", spec("command", &params, "20/s"))]));
    part.keep_beating();
    let said = part.wait_ready();
    let mut realtime = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{}/task", part.child.id())).unwrap() {
        let stat = std::fs::read_to_string(thread.unwrap().path().join("stat")).unwrap();
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        if rest.split_whitespace().nth(38) == Some("1") {
            realtime.push(name.to_owned());
        }
    }
    realtime.sort();
    let pid = part.child.id();
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.split_whitespace().nth(5).unwrap();
    assert_eq!(session, pid.to_string(), "a terminal's signals do not reach it");
    let expected: &[&str] = if said == "fifo" { &["metronome", "slots"] } else { &[] };
    assert_eq!(realtime, expected);
    part.start();
    let_pass(300);
    let slots = part.finish("c");
    let right = slots.iter().filter(|slot| slot.error.is_none()).count();
    assert_eq!(right, slots.len(), "{slots:?}");
}

#[test]
fn slots_overlap_without_bound_and_silence_is_the_systems() {
    let silent = Hostile::start(Manner::Silent);
    let params = json!({"address": silent.address.to_string(), "expect": "x"});
    let mut part = Part::ready(hello(&[("p", spec("tcp", &params, "100/s"))]));
    part.start();
    let_pass(1_000);
    // All are still waiting, and new ones begin all the same.
    let slots = part.finish("p");
    assert!(slots.len() >= 95, "{}", slots.len());
    let bad = slots.iter().filter(|s| s.grade == Grade::Bad);
    assert!(bad.clone().count() * 10 > slots.len() * 8);
    for slot in bad {
        assert_eq!(slot.error, Some(ErrorClass::Timeout));
        assert!(slot.done_ns - slot.started_ns >= 2_000 * MS);
    }
}

#[test]
fn what_we_have_no_room_for_is_ours() {
    let silent = Hostile::start(Manner::Silent);
    let params = json!({"address": silent.address.to_string(), "expect": "x"});
    // 128 descriptors are kept for other things: room for 16.
    let mut part = Part::spawn_with(hello(&[("p", spec("tcp", &params, "100/s"))]), 144);
    part.keep_beating();
    part.wait_ready();
    part.start();
    let_pass(600);
    let slots = part.finish("p");
    assert_eq!(slots.iter().filter(|s| s.error == Some(ErrorClass::Timeout)).count(), 16);
    let rest = slots.iter().filter(|s| s.error != Some(ErrorClass::Timeout));
    assert!(rest.clone().count() >= 30);
    assert!(rest.clone().all(|s| s.grade == Grade::Invalid && s.error == Some(ErrorClass::Ours)));
}

#[test]
fn the_end_of_the_conductor_is_the_end_of_the_prober() {
    let redis = Server::redis(&[]);
    let mut part = Part::ready(hello(&[("p", ping(&redis, "100/s"))]));
    part.start();
    let_pass(100);
    part.die();
    let (took, status) = part.wait_gone(5);
    assert!(took < 1_000 * MS, "{took}");
    assert_eq!(status, Some(1));
}

#[test]
fn a_conductor_that_is_silent_for_three_seconds_is_lost() {
    let mut part = Part::spawn(hello(&[]));
    part.wait_ready();
    let (took, status) = part.wait_gone(10);
    assert!((2_000 * MS..4_500 * MS).contains(&took), "{took}");
    assert_eq!(status, Some(1));
}

/// A prober with a program under way that would run for a minute, and that program's number.
fn with_a_long_program() -> (Part, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("pids");
    let script = format!("echo $$ >> {}; exec sleep 60", file.display());
    let params = json!({"run": ["bash", "-c", script]});
    let mut part = Part::ready(hello(&[("c", spec("command", &params, "5/s"))]));
    part.start();
    let pids = wait_for("the program to run", 5, || {
        std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'))
    });
    (part, pids.lines().next().unwrap().to_owned())
}

fn wait_program_gone(pid: &str) {
    wait_for("the program to end", 2, || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn goodbye_ends_it_well_and_its_programs_with_it() {
    let (mut part, program) = with_a_long_program();
    part.wait("a beat", 3, |m| matches!(m, FromProber::Beat).then_some(()));
    part.send(&ToProber::Goodbye);
    let (took, status) = part.wait_gone(5);
    assert_eq!(status, Some(0));
    assert!(took < 1_000 * MS, "{took}");
    wait_program_gone(&program);
}

#[test]
fn killed_it_takes_its_programs_along() {
    let (part, program) = with_a_long_program();
    part.signal(Signal::SIGKILL);
    wait_program_gone(&program);
}

#[test]
fn each_probe_that_cannot_be_built_is_named() {
    let wrong = json!({"address": "nowhere"});
    let unknown = spec("ftp", &json!({}), "1/s");
    let redis = Server::redis(&[]);
    let all = [("a", spec("tcp", &wrong, "1/s")), ("b", unknown), ("c", ping(&redis, "1/s"))];
    let mut part = Part::spawn(hello(&all));
    part.keep_beating();
    for (name, says) in [("a", "nowhere"), ("b", "`ftp`")] {
        let why = part.wait("Unfit", 5, |message| match message {
            FromProber::Unfit { probe, why } if probe == name => Some(why.clone()),
            FromProber::Ready { .. } => panic!("it is not ready"),
            _ => None,
        });
        assert!(why.contains(says), "{why}");
    }
    part.send(&ToProber::Goodbye);
    assert_eq!(part.wait_gone(5).1, Some(0));
}

#[test]
fn a_secret_is_in_no_message_and_in_no_argument() {
    let redis = Server::redis(&["--requirepass", "canary-77ff"]);
    let params = json!({"address": redis.address.to_string(), "password": {"env": "PW"}});
    let wrong = json!({"address": redis.address.to_string(), "password": {"env": "NO"}});
    let mut hello = hello(&[
        ("good", spec("redis", &params, "50/s")),
        ("denied", spec("redis", &wrong, "50/s")),
    ]);
    hello.secrets.insert("env:PW".to_owned(), "canary-77ff".to_owned());
    hello.secrets.insert("env:NO".to_owned(), "canary-other".to_owned());
    assert!(!format!("{hello:?}").contains("canary"));
    let mut part = Part::ready(hello);
    let arguments = std::fs::read(format!("/proc/{}/cmdline", part.child.id())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains("canary"));
    part.start();
    let_pass(300);
    let slots = part.finish("good");
    assert!(slots.iter().any(|slot| slot.grade == Grade::Good));
    assert!(part.slots("denied").iter().any(|slot| slot.error == Some(ErrorClass::Denied)));
    assert!(!format!("{:?}", part.seen).contains("canary"));
}

//! Outages of known length, and what the prober saw of them.

use nix::sys::signal::Signal;
use serde_json::json;
use squall::host::linux::clock::monotonic_ns;
use squall::model::observation::{ErrorClass, Grade, Observation, WriteFate};

use crate::support::part::{Part, hello, spec};
use crate::support::server::Server;
use crate::support::{MS, let_pass};

const RATE: u64 = 200;
const EDGE: u64 = 2 * 1_000 * MS / RATE;

/// From the last good completion before the first bad slot to the first good one after the last.
fn outage(slots: &[Observation]) -> (u64, u64) {
    let bad = |slot: &&Observation| matches!(slot.grade, Grade::Bad | Grade::Late);
    let first = slots.iter().find(bad).expect("a bad slot").slot;
    let last = slots.iter().rev().find(bad).unwrap().slot;
    let good = |slot: &&Observation| slot.grade == Grade::Good;
    let before = slots.iter().filter(good).filter(|s| s.slot < first).map(|s| s.done_ns).max();
    let after = slots.iter().filter(good).filter(|s| s.slot > last).map(|s| s.done_ns).min();
    (before.unwrap(), after.unwrap())
}

#[test]
fn a_killed_and_restarted_server_is_seen_to_within_two_slots() {
    let mut redis = Server::redis(&[]);
    let port = redis.address.port();
    let params =
        json!({"address": redis.address.to_string(), "send": "PING\r\n", "expect": "PONG"});
    let mut prober = Part::ready(hello(&[("p", spec("tcp", &params, "200/s"))]));
    prober.start();
    let_pass(500);
    let before_kill = monotonic_ns();
    redis.kill();
    let killed = monotonic_ns();
    let_pass(400);
    let starting = monotonic_ns();
    let again = Server::redis_at(port, &[]);
    let up = monotonic_ns();
    let_pass(400);
    let slots = prober.finish("p");
    drop(again);
    let (from, to) = outage(&slots);
    // The server's own end lies somewhere in its kill, its beginning somewhere in its start.
    assert!(from + EDGE + 5 * MS >= before_kill && from <= killed, "{from} {before_kill} {killed}");
    assert!(to >= starting && to <= up + EDGE + 5 * MS, "{to} {starting} {up}");
    let bad: Vec<_> = slots.iter().filter(|slot| slot.grade == Grade::Bad).collect();
    let refused = bad.iter().filter(|slot| slot.error == Some(ErrorClass::Refused)).count();
    assert!(refused + 3 >= bad.len(), "{refused} of {}", bad.len());
    assert!(refused as u64 + 20 >= 400 * RATE / 1_000);
}

#[test]
fn a_stopped_server_hangs_slots_and_open_writes_are_told_from_lost_ones() {
    let redis = Server::redis(&[]);
    let params = json!({"address": redis.address.to_string(), "ledger": true});
    let mut prober = Part::ready(hello(&[("w", spec("redis", &params, "200/s"))]));
    prober.start();
    let_pass(400);
    redis.signal(Signal::SIGSTOP);
    let stopped = monotonic_ns();
    let_pass(1_000);
    let resumed = monotonic_ns();
    redis.signal(Signal::SIGCONT);
    let_pass(600);
    let slots = prober.finish("w");
    // Slots of the last 250 ms of the stop were answered in time: a stall looks shorter by the
    // deadline, which is what the report says of it.
    let (from, to) = outage(&slots);
    assert!(from <= stopped + 5 * MS && from + EDGE + 30 * MS > stopped);
    assert!(to >= resumed && to < resumed + 150 * MS, "{}", (to - resumed) / MS);
    assert!(slots.iter().all(|slot| slot.write.is_some()));
    let with = |fate| slots.iter().filter(move |slot| slot.write == Some(fate)).map(|s| s.slot);
    assert!(with(WriteFate::Acknowledged).count() > 150);
    let first = prober.read_ledger(1);
    let second = prober.read_ledger(2);
    assert_eq!(first.found, second.found);
    assert_eq!((first.foreign, first.error), (0, None));
    // Nothing that was acknowledged is missing, nothing that failed is there.
    let mut found = first.found.clone();
    found.sort_unstable();
    assert!(with(WriteFate::Acknowledged).all(|slot| found.binary_search(&slot).is_ok()));
    assert!(with(WriteFate::Failed).all(|slot| found.binary_search(&slot).is_err()));
    found.dedup();
    assert_eq!(found.len(), first.found.len(), "nothing was sent twice");
}

#[test]
fn without_persistence_a_kill_loses_every_acknowledged_write() {
    let mut redis = Server::redis(&[]);
    let port = redis.address.port();
    let params = json!({"address": redis.address.to_string(), "ledger": true});
    let mut prober = Part::ready(hello(&[("w", spec("redis", &params, "200/s"))]));
    prober.start();
    let_pass(500);
    redis.kill();
    let killed = monotonic_ns();
    let again = Server::redis_at(port, &[]);
    let_pass(300);
    let slots = prober.finish("w");
    let found = prober.read_ledger(1).found;
    drop(again);
    let acknowledged = |slot: &&Observation| slot.write == Some(WriteFate::Acknowledged);
    let before = slots.iter().filter(acknowledged).filter(|slot| slot.done_ns < killed);
    assert!(before.clone().count() > 80);
    assert!(before.clone().all(|slot| !found.contains(&slot.slot)));
    let after = slots.iter().filter(acknowledged).filter(|slot| slot.started_ns > killed + 50 * MS);
    assert!(after.clone().count() > 30);
    assert!(after.clone().all(|slot| found.contains(&slot.slot)));
}

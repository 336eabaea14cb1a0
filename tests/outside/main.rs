//! The figures are checked from outside: by a client in another language that shares no code with
//! squall, and by what the system under test wrote down itself. Every edge that squall reports must
//! agree with them within 20 ms, and the set of lost writes must be the same set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests")]

mod edges;
mod stand;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use edges::{Edges, TOLERANCE_NS, agree};
use stand::{Stand, Watched};

/// One measurement at a time: two would measure each other.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const KILL: &str = r#"
  probes:
    writes: {redis: {sentinel: mymaster, ledger: true}, rate: 500/s, deadline: 250ms}
    proxy: {redis: {address: "{{lab.proxy}}"}, rate: 500/s, deadline: 250ms}
  targets: {primary: {lab: {service: redis, role: primary}}}
  steadyState: {for: 1s}
  method: [{at: 0s, hold: 6s, inject: {processKill: {target: primary}}}]
  hypothesis:
    - roleMoved: {target: primary, within: 10s}
    - longestOutage: {probe: proxy, atMost: 10s}
"#;

const PAUSE: &str = r#"
  probes:
    fixed: {redis: {address: "{{lab.redis}}", read: true}, rate: 500/s, deadline: 250ms}
    proxy: {redis: {address: "{{lab.proxy}}"}, rate: 500/s, deadline: 250ms}
  targets: {primary: {lab: {service: redis, role: primary}}}
  steadyState: {for: 1s}
  method: [{at: 0s, hold: 6s, inject: {processPause: {target: primary}}}]
  hypothesis:
    - roleMoved: {target: primary, within: 10s}
    - longestOutage: {probe: proxy, atMost: 10s}
"#;

// Some 17 s of writes are lost, and a report lists a thousand of them at most.
const SPLIT: &str = r"
  probes:
    writes: {redis: {sentinel: mymaster, ledger: true}, rate: 40/s, deadline: 250ms}
  targets:
    primary: {lab: {service: redis, role: primary}}
    replicas: {lab: {service: redis, role: replica}, pick: all}
    sentinels: {lab: {service: sentinel}, pick: all}
  steadyState: {for: 1s}
  method:
    - at: 0s
      hold: 6s
      inject: {networkPartition: {isolate: primary, from: [replicas, sentinels], direction: both}}
  hypothesis: [{dataLoss: {probe: writes, atMost: 0}}]
  recoveryWatch: 12s
";

/// A measurement during which the other client did not run is none: it is made again.
fn measured(
    stand: impl Fn() -> Stand,
    spec: &str,
    roads: &serde_json::Value,
    check: impl Fn(&Stand, &Watched) -> Result<(), String>,
) {
    let mut blind = Vec::new();
    for _ in 0..4 {
        let stand = stand();
        let watched = stand.drill_watched(spec, roads);
        match check(&stand, &watched) {
            Ok(()) => return,
            Err(why) if why.starts_with("blind") => {
                eprintln!("measured again: {why}");
                blind.push(why);
            }
            Err(why) => panic!("{why}\n{}", stand.says()),
        }
    }
    panic!("the other client could not measure in four attempts: {blind:?}");
}

#[test]
fn edges_of_a_killed_primary_agree_with_another_client_and_with_sentinel() {
    let _alone = alone();
    let roads = json!({"proxy": {"address": "10.66.0.11:6379", "writes": true}});
    measured(Stand::of_shipped_lab, KILL, &roads, |stand, watched| {
        let edges = Edges::of(&stand.report());
        agree("proxy", &edges, watched, 1)?;
        let moved = edges.stage("role moved");
        watched.sees("role moved", moved, watched.first_promotion(edges.zero_ns()))?;
        sentinel_agrees(&edges, moved, &stand.sentinel_log(watched))
    });
}

/// The order that Sentinel wrote down, at the times that squall reports.
fn sentinel_agrees(edges: &Edges, moved: i64, log: &[(i64, String)]) -> Result<(), String> {
    let since = edges.zero_ns() - TOLERANCE_NS;
    let times = |what: &str| -> Vec<i64> {
        log.iter()
            .filter(|(at, e)| *at >= since && e.starts_with(what))
            .map(|(at, _)| *at)
            .collect()
    };
    let down = times("+odown master").into_iter().min().ok_or("Sentinel never said +odown")?;
    let (from, to) = edges.longest("writes");
    if !(from..=moved).contains(&(down - TOLERANCE_NS)) && !(from..=moved).contains(&down) {
        return Err(format!("+odown at {down} is not between {from} and {moved}"));
    }
    // The promotion is ordered, then seen; a Sentinel answers with the new address once it knows.
    let nearest = |of: i64, whats: &[&str]| {
        whats.iter().flat_map(|what| times(what)).map(|at| (at - of).abs()).min()
    };
    for (edge, at, whats) in [
        ("role moved", moved, &["+failover-state-wait-promotion"][..]),
        ("end of the outage of writes", to, &["+promoted-slave", "+switch-master"][..]),
    ] {
        let off = nearest(at, whats).ok_or(format!("Sentinel never said {whats:?}"))?;
        eprintln!("{edge}: {:.1} ms from Sentinel's log", edges::ms(off));
        if off > TOLERANCE_NS {
            return Err(format!("{edge}: {} ms from Sentinel's {whats:?}", edges::ms(off)));
        }
    }
    Ok(())
}

#[test]
fn edges_of_a_paused_primary_agree_at_a_fixed_address_and_behind_the_proxy() {
    let _alone = alone();
    let roads = json!({
        "fixed": {"address": "10.66.0.12:6379", "writes": false},
        "proxy": {"address": "10.66.0.11:6379", "writes": true},
    });
    measured(Stand::of_shipped_lab, PAUSE, &roads, |stand, watched| {
        let edges = Edges::of(&stand.report());
        agree("fixed", &edges, watched, 1)?;
        agree("proxy", &edges, watched, 1)?;
        let moved = edges.stage("role moved");
        watched.sees("role moved", moved, watched.first_promotion(edges.zero_ns()))
    });
}

#[test]
fn writes_lost_in_a_split_brain_are_the_very_ones_that_another_reader_misses() {
    let _alone = alone();
    let stand = Stand::of_shipped_lab();
    let code = stand.drill(SPLIT);
    assert_eq!(code, Some(4), "a split brain without loss\n{}", stand.says());
    let (ours, theirs) = (stand.lost_as_reported("writes"), stand.lost_as_read("writes"));
    assert!(ours.len() > 50, "only {} writes were lost\n{}", ours.len(), stand.says());
    assert_eq!(ours, theirs);
}

#[test]
fn writes_lost_by_a_restart_are_the_very_ones_that_another_reader_misses() {
    let _alone = alone();
    let stand = Stand::of_lab("forgetful", stand::FORGETFUL);
    let code = stand.drill(stand::RESTART);
    assert_eq!(code, Some(4), "a restart without loss\n{}", stand.says());
    let (ours, theirs) = (stand.lost_as_reported("writes"), stand.lost_as_read("writes"));
    assert!(ours.len() > 10, "only {} writes were lost\n{}", ours.len(), stand.says());
    assert_eq!(ours, theirs);
}

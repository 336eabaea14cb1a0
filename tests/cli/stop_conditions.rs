//! While we stood still nobody was silent: a stop condition counts the system's outages alone.

use std::time::Duration;

use super::stand::{Drill, Stand, cmdline, marked, signal, stat, until};

/// An outage that is longer ends the hold.
fn stops_after(stand: &Stand, drill: &Drill, longer_than: &str) {
    stand.drill(drill);
    let condition = format!(
        "  stopConditions: [{{outage: {{probe: ping, longerThan: {longer_than}}}}}]\n  recoveryWatch:"
    );
    let text = stand.read("drill.yaml").replacen("  recoveryWatch:", &condition, 1);
    std::fs::write(stand.path("drill.yaml"), text).unwrap();
}

/// One redis is asked, and another one beside it is hit.
fn beside(hold: &'static str, longer_than: &str) -> Stand {
    let stand = Stand::new();
    let lab = stand.read("lab.yaml");
    let (_, redis) = lab.split_once("  services:\n").unwrap();
    let other =
        redis.replace("redis:\n", "other:\n").replace("[r1]", "[r2]").replace("/t-", "/other-");
    std::fs::write(stand.path("lab.yaml"), format!("{lab}{other}")).unwrap();
    let drill = Drill { target: "lab: {service: other}", hold, ..Drill::default() };
    stops_after(&stand, &drill, longer_than);
    stand
}

fn other_is_stopped(stand: &Stand) -> bool {
    let other = marked(&format!("/other-{}", stand.mark));
    let mut servers = other.into_iter().filter(|pid| cmdline(*pid).contains("redis-server"));
    servers.any(|pid| matches!(stat(pid), Some((_, 'T' | 't', _))))
}

#[test]
fn a_conductor_that_stood_still_counts_no_outage() {
    let stand = beside("20s", "2s");
    let mut live = stand.start_drill();
    live.says("in force:");
    assert!(other_is_stopped(&stand));
    live.signal(libc::SIGSTOP);
    until("the lease to end the hold", || !other_is_stopped(&stand));
    live.signal(libc::SIGCONT);
    let ran = live.finish();
    assert!(matches!(ran.code, Some(5 | 6)), "{ran:?}");
    assert!(!stand.read("out/history.jsonl").contains("{\"stopped\":"), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_prober_that_stood_still_counts_no_outage() {
    let stand = beside("5s", "1s");
    let mut live = stand.start_drill();
    live.says("in force:");
    let prober = live.part("prober");
    signal(prober, libc::SIGSTOP);
    std::thread::sleep(Duration::from_secs(2));
    signal(prober, libc::SIGCONT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(!stand.read("out/history.jsonl").contains("{\"stopped\":"), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_silent_target_ends_the_hold_in_time() {
    let stand = Stand::new();
    stops_after(&stand, &Drill { hold: "20s", ..Drill::default() }, "1s");
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    // No slot has given up by then: it is the silence that counts.
    assert!(ran.out.contains("ping has been out for 1."), "{ran:?}");
    stand.assert_nothing_left();
}

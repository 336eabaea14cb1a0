//! Each way a drill can come out has its exit code, and only `held` has 0.

use super::live::assert_gone;
use super::stand::{Drill, Stand, signal};

#[test]
fn held_is_0() {
    let stand = Stand::new();
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("nothing of the drill is left"), "{}", ran.out);
    stand.assert_nothing_left();
}

#[test]
fn deviated_is_4_and_says_by_how_much() {
    let stand = Stand::new();
    let hypothesis = "longestOutage: {probe: ping, atMost: 100ms}";
    stand.drill(&Drill { hold: "600ms", hypothesis, ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let claim = &stand.report()["claims"][0];
    assert_eq!(claim["verdict"], "deviated");
    let measured = claim["measured"].as_f64().unwrap();
    assert!((0.45..0.9).contains(&measured), "{claim}");
    stand.assert_nothing_left();
}

/// Not good for long enough before anything breaks: nothing is broken.
fn never_steady(probe: &'static str) {
    let stand = Stand::new();
    stand.drill(&Drill { probe, steady: "{for: 100ms, within: 1s}", ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(!stand.read("out/history.jsonl").contains("\"effective\""));
    assert!(stand.report()["injections"][0]["effectiveSeconds"].is_null());
    assert!(!ran.out.contains("watching the recovery"), "there is none: {}", ran.out);
    stand.assert_nothing_left();
}

#[test]
fn a_probe_that_never_was_good_is_inconclusive_and_nothing_is_injected() {
    never_steady(
        r#"{tcp: {address: "10.66.0.11:9", send: "PING\r\n", expect: PONG}, rate: 100/s, deadline: 50ms}"#,
    );
}

#[test]
fn a_probe_with_wrong_answers_is_inconclusive_and_nothing_is_injected() {
    never_steady(
        r#"{tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: NEVER}, rate: 100/s, deadline: 50ms}"#,
    );
}

#[test]
fn a_probe_whose_program_fails_is_inconclusive_and_nothing_is_injected() {
    never_steady("{command: {run: [/bin/false]}, rate: 20/s, deadline: 200ms}");
}

#[test]
fn a_probe_whose_program_is_missing_is_said_before_anything_is_injected() {
    let stand = Stand::new();
    let probe = "{command: {run: [/nowhere/program]}, rate: 20/s, deadline: 200ms}";
    stand.drill(&Drill { probe, steady: "{for: 100ms, within: 1s}", ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let why = "nothing was injected: ping: /nowhere/program is no program that can be run here";
    assert!(ran.err.contains(why), "{ran:?}");
    assert!(!ran.out.contains("in force:"), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn zero_targets_are_a_bad_file_or_an_abort_but_never_held() {
    let stand = Stand::new();
    stand.drill(&Drill { target: "lab: {service: nobody}", ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("nobody"), "{ran:?}");
    stand.drill(&Drill { target: "lab: {service: redis, hosts: [r9]}", ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert!(matches!(ran.code, Some(2 | 3)), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_role_that_nobody_has_injects_nothing_and_never_holds() {
    let stand = Stand::new();
    let lab = stand.read("lab.yaml")
        + r#"      role:
        ask: {tcp: {send: "INFO replication\r\n", expect: "role:[a-z]+"}}
        roles: [{role: primary, matches: "role:master"}, {role: replica, matches: "role:slave"}]
"#;
    std::fs::write(stand.path("lab.yaml"), lab).unwrap();
    stand.drill(&Drill { target: "lab: {service: redis, role: replica}", ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(!stand.read("out/history.jsonl").contains("\"effective\""), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_policy_refuses_with_every_reason_and_3() {
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let refused = |name: &str| {
        let stand = Stand::new();
        let policy = policies.join(name).display().to_string();
        let ran = stand.run_drill(&["--policy", &policy]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(!ran.out.contains("raising lab"), "{}", ran.out);
        stand.assert_nothing_left();
        ran.err
    };
    let production = refused("production.yaml");
    for rule in ["environment", "ownership", "approval", "minHealthy", "limits"] {
        assert!(production.contains(rule), "no `{rule}` in {production}");
    }
    let staging = refused("staging.yaml");
    assert!(staging.contains("ownership") && staging.contains("49%"), "{staging}");
    let stand = Stand::new();
    let ci = policies.join("ci.yaml").display().to_string();
    assert_eq!(stand.run_drill(&["--policy", &ci]).code, Some(0));
}

#[test]
fn a_null_drill_holds_without_a_fault_and_without_an_outage() {
    let stand = Stand::new();
    let ran = stand.run_drill(&["--null"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report = stand.report();
    assert_eq!(report["null"], true);
    assert_eq!(report["injections"].as_array().unwrap().len(), 0);
    assert_eq!(report["probes"]["ping"]["outages"].as_array().unwrap().len(), 0, "{report}");
    stand.assert_nothing_left();
}

/// Whoever stopped it: what was seen meanwhile is no evidence.
#[test]
fn a_prober_that_stood_still_never_holds() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "1500ms", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let (family, prober) = (live.family(), live.part("prober"));
    signal(prober, libc::SIGSTOP);
    std::thread::sleep(std::time::Duration::from_millis(300));
    signal(prober, libc::SIGCONT);
    let ran = live.finish();
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_gone(&family);
    stand.assert_nothing_left();
}

/// Somebody else stops the process as soon as we let it go. That it once ran again is no proof: the
/// world is read back at the end, and what looks like our fault then is the loudest outcome.
#[test]
fn a_target_that_is_found_stopped_at_the_end_is_stuck_and_7() {
    let stand = Stand::new();
    stand.raise();
    stand.drill(&Drill { hold: "300ms", watch: "1s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("gone, by injector");
    let service = stand.service().unwrap();
    signal(service, libc::SIGSTOP);
    let ran = live.finish();
    signal(service, libc::SIGCONT);
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.out.contains("is still stopped"), "{ran:?}");
    assert!(!ran.out.contains("nothing of the drill is left"), "{ran:?}");
    let residue = &stand.report()["residue"];
    assert!(residue[0].as_str().unwrap().contains("redis@r1"), "{residue}");
}

#[test]
fn a_lab_that_cannot_be_is_2_and_every_mistake_has_its_place() {
    let stand = Stand::new();
    let lab = stand.read("lab.yaml").replace("title:", "titel:").replace("command:", "comand:");
    std::fs::write(stand.path("bad.yaml"), lab).unwrap();
    let ran = stand.run(&["lab", "up", "bad.yaml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert_eq!(ran.err.matches(" --> bad.yaml:").count(), 2, "both at once: {ran:?}");
    assert!(ran.err.contains("did you mean `title`?"), "{ran:?}");
    std::fs::write(stand.path("other.yaml"), stand.read("drill.yaml")).unwrap();
    let ran = stand.run(&["lab", "up", "other.yaml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("other.yaml:2"), "{ran:?}");
    stand.assert_nothing_left();
}

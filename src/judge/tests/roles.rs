//! `roleMoved`: what counts as a move of a target's role.

use serde_json::json;

use super::{close, out};
use crate::judge::scripted::{Drill, at_ns, injection};
use crate::model::history::{Effective, Entry, Reverted};
use crate::model::inventory::InstanceName;
use crate::model::outcome::ClaimVerdict::{Deviated, Held, Inconclusive};
use crate::model::verdict::ClaimReport;

fn with_roles() -> Drill {
    Drill::of(out()).role(-2400.0, "redis@r1", Some("primary")).role(
        -2400.0,
        "redis@r2",
        Some("replica"),
    )
}

fn moved(drill: Drill, target: &str, within: &str) -> ClaimReport {
    drill.claims("roleMoved", json!({"target": target, "within": within})).first()
}

#[test]
fn a_role_has_moved_when_another_instance_says_so_after_the_fault() {
    let drill = with_roles().role(1500.0, "redis@r2", Some("primary"));
    let claim = moved(drill.clone(), "primary", "5s");
    assert!(close(claim.measured.unwrap(), 1.5) && close(claim.error.unwrap(), 0.022));
    assert_eq!((claim.verdict, claim.probe.as_str()), (Held, ""));
    assert!(claim.finding.contains("redis@r2 asked every 20ms"), "{claim:?}");
    assert_eq!(moved(drill, "primary", "1s").verdict, Deviated);
}

#[test]
fn a_role_that_stays_deviates_once_the_watch_is_long_enough() {
    assert_eq!(moved(with_roles(), "primary", "5s").verdict, Deviated);
    assert_eq!(moved(with_roles(), "primary", "20s").verdict, Inconclusive);
    let itself = with_roles().role(1500.0, "redis@r1", Some("primary"));
    assert_eq!(moved(itself, "primary", "5s").verdict, Deviated, "it came back where it was");
    let unknown = with_roles().role(1500.0, "redis@r2", None);
    assert_eq!(moved(unknown, "primary", "5s").verdict, Deviated);
    let too_late = with_roles().role(10_500.0, "redis@r2", Some("primary"));
    assert_eq!(moved(too_late, "primary", "20s").verdict, Inconclusive, "after the watch");
    let once = with_roles().role(-2300.0, "redis@r2", Some("primary"));
    let once = once.role(-2200.0, "redis@r2", Some("replica"));
    assert_eq!(moved(once, "primary", "5s").verdict, Deviated, "before the fault");
}

#[test]
fn a_role_moves_within_its_own_service_only() {
    let stranger = with_roles()
        .role(-2400.0, "sentinel@s1", Some("primary"))
        .role(1000.0, "sentinel@s1", None)
        .role(2000.0, "sentinel@s1", Some("primary"));
    let claim = moved(stranger, "primary", "5s");
    assert_eq!(claim.verdict, Deviated, "{claim:?}");
    assert!(claim.finding.contains("nobody else was seen"), "{claim:?}");
    let newly = with_roles().role(1000.0, "sentinel@s1", Some("primary"));
    assert_eq!(moved(newly, "primary", "5s").verdict, Deviated, "nor one that had no such role");
    let alone = Drill::of(out()).role(-2400.0, "redis@r1", Some("primary")).role(
        -2400.0,
        "sentinel@s1",
        Some("replica"),
    );
    assert_eq!(moved(alone, "primary", "5s").verdict, Inconclusive, "no other redis was asked");
}

#[test]
fn one_that_had_the_role_already_proves_no_move() {
    let already = || with_roles().role(-500.0, "redis@r3", Some("primary"));
    let steady = already().role(500.0, "redis@r3", Some("primary"));
    let unheard = already().role(-100.0, "redis@r3", None);
    let regained = already().role(1000.0, "redis@r3", Some("replica"));
    for drill in [steady, unheard, regained] {
        let again = drill.role(2000.0, "redis@r3", Some("primary"));
        let claim = moved(again.clone(), "primary", "5s");
        assert_eq!(claim.verdict, Deviated, "{claim:?}");
        assert!(claim.finding.contains("nobody else was seen"), "{claim:?}");
        let real = moved(again.role(2500.0, "redis@r2", Some("primary")), "primary", "5s");
        assert!(real.verdict == Held && close(real.measured.unwrap(), 2.5), "{real:?}");
    }
    let lost = already().role(-100.0, "redis@r3", Some("replica"));
    let back = lost.role(2000.0, "redis@r3", Some("primary"));
    assert_eq!(moved(back, "primary", "5s").verdict, Held, "it was a replica when the fault came");
}

#[test]
fn a_role_that_nobody_asked_for_is_unknown() {
    assert_eq!(moved(Drill::of(out()), "primary", "5s").verdict, Inconclusive);
    let alone = Drill::of(out()).role(-2400.0, "redis@r1", Some("primary"));
    assert_eq!(moved(alone, "primary", "5s").verdict, Inconclusive);
    let any = moved(with_roles(), "any", "5s");
    assert_eq!(any.verdict, Inconclusive);
    assert!(any.finding.contains("not chosen by a role"), "{any:?}");
    assert_eq!(moved(with_roles(), "nowhere", "5s").verdict, Inconclusive);
}

#[test]
fn in_a_null_drill_a_role_must_stay() {
    let null = |drill: Drill| Drill { null: true, ..drill };
    let stays = moved(null(with_roles()), "primary", "5s");
    assert_eq!(stays.verdict, Held, "{stays:?}");
    let moves = with_roles().role(1500.0, "redis@r2", Some("primary"));
    assert_eq!(moved(null(moves), "primary", "5s").verdict, Deviated);
    let nobody = Drill::of(out()).role(-2400.0, "redis@r2", Some("replica"));
    assert_eq!(moved(null(nobody.clone()), "primary", "5s").verdict, Inconclusive);
    let stranger = nobody.role(-2400.0, "sentinel@s1", Some("primary"));
    assert_eq!(moved(null(stranger), "primary", "5s").verdict, Inconclusive, "of another service");
}

#[test]
fn a_move_counts_from_the_fault_that_hit_its_target() {
    // Another fault came half a second earlier.
    let other = Entry::Effective(Effective {
        injection: injection(1),
        step: 0,
        instance: InstanceName("web@w1".to_owned()),
        kind: "processKill".to_owned(),
        began_ns: at_ns(-502.0),
        effective_ns: at_ns(-500.0),
        evidence: String::new(),
    });
    let drill = with_roles().entry(-500.0, other);
    let claim = moved(drill.clone(), "primary", "10200ms");
    assert_eq!(claim.verdict, Inconclusive, "watched for 10 s from its own fault");
    let claim = moved(drill.clone().role(1500.0, "redis@r2", Some("primary")), "primary", "5s");
    assert!(close(claim.measured.unwrap(), 1.5), "{claim:?}");
    let gone = Entry::Reverted(Reverted {
        injection: injection(1),
        gone_ns: at_ns(3000.0),
        by: String::new(),
        evidence: String::new(),
    });
    let drill = drill.role(1500.0, "redis@r2", Some("primary")).entry(3000.0, gone);
    let by: Vec<String> = drill.report().injections.into_iter().map(|i| i.by).collect();
    assert_eq!(by, ["redis@r2 became primary after 1.500 s", "nothing was seen to repair it"]);
}

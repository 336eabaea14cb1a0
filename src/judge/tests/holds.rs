//! A claim is about a fault that was in force for all of its hold.

use serde_json::json;

use crate::judge::judge;
use crate::judge::scripted::{Drill, Service, at_ns, injection};
use crate::model::history::{Effective, Entry};
use crate::model::inventory::InstanceName;
use crate::model::outcome::{AbortCause, ClaimVerdict, Outcome};
use crate::model::verdict::Report;

/// 0.4 s of outage, and the claim that it is at most so many seconds. The scripted fault is gone
/// 10 ms after its hold.
fn drill(at_most: &str) -> Drill {
    Drill::of(Service::refusing(100.0, 500.0))
        .claims("downtime", json!({"probe": "p", "atMost": at_most}))
}

fn held_for(hold_ms: f64, planned_ms: f64, at_most: &str) -> Report {
    Drill { hold_ms, planned_ms: Some(planned_ms), ..drill(at_most) }.report()
}

fn void() -> Entry {
    Entry::Void { injection: injection(0), why: "process 7 is gone".to_owned() }
}

#[test]
fn a_hold_that_ended_early_holds_no_claim_and_says_how_long_it_was() {
    let report = held_for(790.0, 5000.0, "6s");
    let why = "processKill on redis@r1 held for 0.8 s of 5 s";
    assert_eq!((report.verdict, report.reason.as_str()), (Outcome::Inconclusive, why));
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Inconclusive);
    assert!(report.claims[0].finding.ends_with(why), "{}", report.claims[0].finding);
    assert_eq!(report.notes, [why], "said once");
}

#[test]
fn a_claim_that_has_deviated_stays_deviated_however_short_the_hold_was() {
    let report = held_for(790.0, 5000.0, "300ms");
    assert_eq!(report.verdict, Outcome::Deviated);
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Deviated);
    assert!(report.claims[0].finding.contains("held for 0.8 s of 5 s"));
}

#[test]
fn a_hold_to_its_very_end_is_whole_and_one_nanosecond_less_is_not() {
    assert_eq!(held_for(4990.0, 5000.0, "6s").verdict, Outcome::Held);
    let short = held_for(4990.0, 5_000.000_001, "6s");
    assert_eq!(short.verdict, Outcome::Inconclusive);
    assert!(held_for(4989.9, 5000.0, "6s").reason.ends_with("held for 4.999 s of 5 s"));
}

#[test]
fn a_hold_that_a_stop_condition_ended_proves_nothing_of_the_other_claims() {
    let stopped = Entry::Stopped { condition: 0, why: "p is out".to_owned() };
    let short = Drill { hold_ms: 790.0, planned_ms: Some(5000.0), ..drill("6s") };
    let stops = short.stops("outage", json!({"probe": "p", "longerThan": "100ms"}));
    let report = stops.entry(700.0, stopped).report();
    assert_eq!(report.verdict, Outcome::Deviated);
    let verdicts: Vec<ClaimVerdict> = report.claims.iter().map(|claim| claim.verdict).collect();
    assert_eq!(verdicts, [ClaimVerdict::Inconclusive, ClaimVerdict::Deviated]);
}

#[test]
fn an_abort_says_how_long_the_fault_was_held() {
    let signal = Entry::Aborted(AbortCause::Signal("Ctrl-C".to_owned()));
    let short = Drill { hold_ms: 790.0, planned_ms: Some(5000.0), ..drill("6s") };
    let report = short.entry(700.0, signal).report();
    assert_eq!(report.verdict, Outcome::Aborted);
    assert!(report.claims[0].finding.contains("held for 0.8 s of 5 s"));
}

#[test]
fn a_target_that_was_lost_is_a_doubt() {
    let lost = Drill { reverted: false, ..drill("6s") }.entry(3000.0, void());
    let report = lost.report();
    assert_eq!(report.injections[0].ended, "void");
    assert_eq!(report.verdict, Outcome::Inconclusive);
    let unknown = "processKill on redis@r1 held for nobody knows how long, its target is lost: \
                   process 7 is gone";
    assert_eq!(report.reason, unknown);
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Inconclusive);
    let deviated = Drill { reverted: false, ..drill("300ms") }.entry(3000.0, void()).report();
    assert_eq!(deviated.verdict, Outcome::Deviated);
}

#[test]
fn a_target_that_was_seen_to_end_tells_how_long_it_was_held() {
    let ended = |ms, who: &str, running| {
        let instance = InstanceName(who.to_owned());
        let seen = Entry::ProcessSeen { instance, running };
        let drill = Drill { reverted: false, ..drill("6s") }.entry(ms, seen);
        drill.entry(3000.0, void()).report().reason
    };
    assert!(ended(800.0, "redis@r1", false).contains("held for 0.8 s of 3 s, its target is lost"));
    for (ms, who, running) in
        [(800.0, "redis@r2", false), (800.0, "redis@r1", true), (-1.0, "redis@r1", false)]
    {
        assert!(ended(ms, who, running).contains("nobody knows"), "{ms} {who} {running}");
    }
}

#[test]
fn a_fault_that_was_void_before_it_took_hold_is_a_doubt() {
    let other = Entry::Void { injection: injection(1), why: "replaced".to_owned() };
    let report = drill("6s").entry(100.0, other).report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.reason, format!("{} was never in force: replaced", injection(1)));
    assert_eq!(report.injections.len(), 2);
}

#[test]
fn each_of_several_injections_must_be_held() {
    let second = Entry::Effective(Effective {
        injection: injection(1),
        step: 0,
        instance: InstanceName("redis@r2".to_owned()),
        kind: "processKill".to_owned(),
        began_ns: at_ns(0.0),
        effective_ns: at_ns(1.0),
        evidence: "process 8 is gone".to_owned(),
    });
    let report = drill("6s").entry(1.0, second).report();
    assert_eq!(report.reason, "how processKill on redis@r2 ended is unknown");
}

#[test]
fn what_is_stuck_was_held_for_longer_than_asked() {
    let stuck = Entry::Stuck { injection: injection(0), why: "no way in".to_owned() };
    let report = Drill { reverted: false, ..drill("6s") }.entry(3000.0, stuck).report();
    assert_eq!(report.verdict, Outcome::Stuck);
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Held);
}

#[test]
fn a_step_that_never_came_is_a_doubt_on_every_claim() {
    let mut records = drill("6s").records();
    let Entry::Opened(opened) = &mut records[0].entry else { panic!("first is the opening") };
    let method = &mut opened.plan.experiment.method;
    method.push(method[0].clone());
    let report = judge(&records, "").unwrap();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.reason, "step 2 of the plan was never in force");
    assert_eq!(report.notes, ["step 2 of the plan was never in force"]);
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Inconclusive);
    let ends: Vec<_> = report.injections.iter().map(|i| i.ended.as_str()).collect();
    assert_eq!(ends, ["relied on the system", "never in force"]);
    let never = &report.injections[1];
    let said = [&never.id, &never.kind, &never.instance, &never.summary].map(String::as_str);
    assert_eq!(said, ["step 2", "processKill", "primary", "SIGKILL to primary"]);
}

#[test]
fn a_null_drill_misses_no_step() {
    let null = Drill { null: true, ..drill("6s") }.report();
    assert_eq!((null.verdict, null.notes.len()), (Outcome::Held, 0));
    assert_eq!(null.injections.len(), 0);
}

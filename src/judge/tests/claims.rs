//! What each check says, and that it can say no.

use serde_json::{Value, json};

use super::{ask, close, out, verdict};
use crate::judge::scripted::{Drill, Service};
use crate::judge::{CATALOGUE, CheckParams, Live, find};
use crate::model::history::{Entry, Record};
use crate::model::observation::{LedgerRead, WriteFate};
use crate::model::outcome::ClaimVerdict::{Deviated, Held, Inconclusive};
use crate::model::units::Percent;
use crate::model::verdict::ClaimReport;

fn never_ended() -> Service {
    Service::refusing(6000.0, 1e9)
}

#[test]
fn every_example_is_a_claim_of_its_own_kind() {
    for check in CATALOGUE {
        let tagged: serde_json::Map<String, Value> = serde_yaml::from_str(check.example()).unwrap();
        let params: CheckParams = serde_json::from_value(Value::Object(tagged)).unwrap();
        assert_eq!(params.canonical().0, check.kind());
        assert!(params.probe().is_some() != params.target().is_some(), "{}", check.kind());
        assert_eq!(params.stops(), check.kind() == "outage");
        assert!(find(check.kind()).is_some());
    }
}

#[test]
fn no_check_holds_without_data() {
    let missing = Service { missing: vec![(-1e4, 1e9)], ..Service::default() };
    let before = Service { missing: vec![(-50.0, 1e9)], ..Service::default() };
    let invalid = Service { invalid: vec![(-50.0, 1e9)], ..Service::default() };
    let never_good = Service { refused: vec![(-1e4, 1e9)], ..Service::default() };
    for service in [missing, before, invalid, never_good] {
        for check in CATALOGUE {
            let tagged: serde_json::Map<String, Value> =
                serde_yaml::from_str(check.example()).unwrap();
            let mut params = tagged[check.kind()].clone();
            if let Some(probe) = params.get_mut("probe") {
                *probe = json!("p");
            }
            let claim = Drill::of(service.clone()).claims(check.kind(), params).first();
            assert_eq!(claim.verdict, Inconclusive, "{claim:?}");
            assert_eq!(claim.measured, None, "{claim:?}");
            assert!(!claim.finding.is_empty() && !claim.claim.is_empty());
        }
    }
}

#[test]
fn a_claim_on_a_probe_that_is_not_there_is_inconclusive() {
    let claim = ask(out(), "downtime", json!({"probe": "q", "atMost": "6s"}));
    assert_eq!(claim.verdict, Inconclusive);
    assert!(claim.finding.contains("no probe q"));
}

#[test]
fn downtime_adds_up_and_longest_outage_does_not() {
    let twice = Service { refused: vec![(100.0, 1100.0), (3000.0, 5000.0)], ..Service::default() };
    let params = |at_most| json!({"probe": "p", "atMost": at_most});
    let sum = ask(twice.clone(), "downtime", params("4s"));
    assert!(close(sum.measured.unwrap(), 3.02) && close(sum.error.unwrap(), 0.04), "{sum:?}");
    assert_eq!((sum.verdict, sum.unit.as_str()), (Held, "seconds"));
    assert_eq!(sum.claim, "downtime of p at most 4s");
    assert_eq!(sum.finding, "3.02 s ± 0.04 s in 2 outages");
    assert_eq!(verdict(twice.clone(), "downtime", params("2500ms")), Deviated);
    let longest = ask(twice.clone(), "longestOutage", params("2500ms"));
    assert!(close(longest.measured.unwrap(), 2.01) && close(longest.error.unwrap(), 0.02));
    assert_eq!(longest.verdict, Held);
    assert_eq!(verdict(twice, "longestOutage", params("2s")), Deviated);
}

#[test]
fn without_an_outage_the_error_is_what_could_have_been_missed() {
    for check in ["downtime", "longestOutage"] {
        let claim = ask(Service::default(), check, json!({"probe": "p", "atMost": "1s"}));
        assert!(close(claim.measured.unwrap(), 0.0) && close(claim.error.unwrap(), 0.27));
        assert_eq!(claim.verdict, Held);
        let tight = ask(Service::default(), check, json!({"probe": "p", "atMost": "100ms"}));
        assert_eq!(tight.verdict, Held);
        assert!(tight.finding.contains("within the error"), "{tight:?}");
    }
}

#[test]
fn blind_stretches_are_part_of_the_error() {
    // Five slots in a row could hide an outage; three would have been bridged.
    let blind = |to| Service { invalid: vec![(5000.0, to)], ..Service::default() };
    let error = |service| ask(service, "downtime", json!({"probe": "p", "atMost": "1s"})).error;
    assert!(close(error(blind(5050.0)).unwrap(), 0.27 + 0.05));
    assert!(close(error(blind(5030.0)).unwrap(), 0.27));
    for edge in [(50.0, 100.0), (500.0, 550.0)] {
        let service = Service { invalid: vec![edge], ..Service::refusing(100.0, 500.0) };
        assert!(close(error(service).unwrap(), 0.02 + 0.05), "the edge has it already");
    }
}

#[test]
fn an_outage_that_never_ended_can_deviate_and_cannot_hold() {
    let atmost = |at_most| json!({"probe": "p", "atMost": at_most});
    for check in ["downtime", "longestOutage"] {
        let unknown = ask(never_ended(), check, atmost("30s"));
        assert_eq!(unknown.verdict, Inconclusive);
        assert!(unknown.finding.contains("still out"), "{unknown:?}");
        assert_eq!(verdict(never_ended(), check, atmost("2s")), Deviated);
    }
    let available = |percent| json!({"probe": "p", "atLeast": percent});
    assert_eq!(verdict(never_ended(), "availability", available("10%")), Inconclusive);
    assert_eq!(verdict(never_ended(), "availability", available("99%")), Deviated);
    let within = |within| json!({"probe": "p", "within": within});
    assert_eq!(verdict(never_ended(), "recovery", within("30s")), Inconclusive);
    assert_eq!(verdict(never_ended(), "recovery", within("5s")), Deviated);
    let budget = |most| json!({"probe": "p", "slo": "99.9%", "over": "30d", "spendAtMost": most});
    assert_eq!(verdict(never_ended(), "errorBudget", budget("50%")), Inconclusive);
}

#[test]
fn availability_by_time_and_by_request() {
    let claim = |by, at_least| {
        ask(out(), "availability", json!({"probe": "p", "atLeast": at_least, "by": by}))
    };
    let time = claim("time", "76%");
    assert!(close(time.measured.unwrap(), 76.9) && close(time.error.unwrap(), 0.2), "{time:?}");
    assert_eq!((time.verdict, time.unit.as_str()), (Held, "percent"));
    assert_eq!(claim("time", "77%").verdict, Deviated);
    let request = claim("request", "77%");
    assert!(close(request.measured.unwrap(), 100.0 * 771.0 / 1001.0), "{request:?}");
    assert_eq!(request.verdict, Held);
    assert_eq!(claim("request", "78%").verdict, Deviated);
    let unsaid = ask(out(), "availability", json!({"probe": "p", "atLeast": "76%"}));
    assert!(close(unsaid.measured.unwrap(), 76.9), "by time unless told");
}

#[test]
fn recovery_counts_from_the_fault_to_good_for_good() {
    let params = |within| json!({"probe": "p", "within": within});
    let flapping =
        Service { refused: vec![(100.0, 400.0), (2000.0, 2400.0)], ..Service::default() };
    let claim = ask(flapping.clone(), "recovery", params("3s"));
    // Two slots, and the 2 ms in which the fault came into force.
    assert!(close(claim.measured.unwrap(), 2.401) && close(claim.error.unwrap(), 0.022));
    assert_eq!(claim.verdict, Held);
    assert_eq!(verdict(flapping, "recovery", params("2s")), Deviated);
    let never = ask(Service::default(), "recovery", params("1s"));
    assert_eq!((never.verdict, never.finding.as_str()), (Held, "never out"));
    let blind = Service { invalid: vec![(5000.0, 5050.0)], ..Service::default() };
    let blind = ask(blind, "recovery", params("1s"));
    assert!(close(blind.error.unwrap(), 0.27 + 0.05), "{blind:?}");
}

#[test]
fn not_affected_is_nothing_bad_and_nothing_late() {
    let params = || json!({"probe": "p"});
    assert_eq!(verdict(Service::default(), "notAffected", params()), Held);
    let slower = Service { slow: vec![(0.0, 2000.0, 200.0)], ..Service::default() };
    assert_eq!(verdict(slower, "notAffected", params()), Held, "slower is fine");
    let late = Service { slow: vec![(500.0, 505.0, 300.0)], ..Service::default() };
    let late = ask(late, "notAffected", params());
    assert_eq!((late.verdict, late.measured.map(f64::to_bits)), (Deviated, Some(1f64.to_bits())));
    assert_eq!(verdict(Service::refusing(500.0, 505.0), "notAffected", params()), Deviated);
    let as_it_came = Service { phase_ms: 9.0, ..Service::refusing(-1.5, 0.0) };
    assert_eq!(verdict(as_it_came, "notAffected", params()), Deviated, "before second 0");
    assert_eq!(verdict(Service::refusing(-900.0, -500.0), "notAffected", params()), Held);
}

#[test]
fn error_budget_is_spent_by_downtime() {
    let params = |slo, most| json!({"probe": "p", "slo": slo, "spendAtMost": most});
    let claim = ask(out(), "errorBudget", params("99.9%", "1%"));
    // 30 days at 99.9 % allow 2592 s.
    assert!((claim.measured.unwrap() - 100.0 * 2.31 / 2592.0).abs() < 1e-6, "{claim:?}");
    assert!((claim.error.unwrap() - 100.0 * 0.02 / 2592.0).abs() < 1e-6);
    assert_eq!(claim.verdict, Held);
    assert!(claim.finding.contains("1122.1 such drills"), "{claim:?}");
    assert_eq!(verdict(out(), "errorBudget", params("99.999%", "5%")), Deviated);
    let perfect = ask(out(), "errorBudget", params("100%", "5%"));
    assert_eq!(perfect.verdict, Inconclusive);
    let unspent = ask(Service::default(), "errorBudget", params("99.9%", "1%"));
    assert_eq!(unspent.verdict, Held);
    assert!(unspent.finding.contains("at least 9600.0 such drills"), "{unspent:?}");
    let day = json!({"probe": "p", "slo": "99.9%", "over": "1d", "spendAtMost": "1%"});
    assert_eq!(verdict(out(), "errorBudget", day), Deviated);
}

#[test]
fn the_budget_of_a_probe_with_an_objective_is_in_its_report() {
    let service = Service { slo: Some(Percent(99.9)), ..out() };
    let slo = Drill::of(service).report().probes["p"].slo.unwrap();
    assert!((slo.budget_seconds - 2592.0).abs() < 1e-6 && close(slo.spent_seconds, 2.31));
    assert!((slo.affordable - 2592.0 / 2.31).abs() < 1e-6 && close(slo.days, 30.0));
    assert_eq!(Drill::of(out()).report().probes["p"].slo, None);
}

fn writes() -> Drill {
    Drill::of(Service { writes: true, ..out() })
}

fn all() -> Vec<u64> {
    // Slot 210 is the first refused; 440 the first good again.
    (0..210).chain(440..1201).collect()
}

fn without(gone: &[u64]) -> Vec<u64> {
    all().into_iter().filter(|seq| !gone.contains(seq)).collect()
}

fn loss(drill: Drill, params: Value) -> ClaimReport {
    drill.claims("dataLoss", params).first()
}

#[test]
fn data_loss_counts_acknowledged_writes_that_are_gone() {
    let params = |at_most: u64| json!({"probe": "p", "atMost": at_most});
    let none = loss(writes().reads(all(), all()), params(0));
    assert_eq!((none.verdict, none.unit.as_str()), (Held, "writes"));
    let gone = without(&[207, 208, 209]);
    let lost = loss(writes().reads(gone.clone(), gone.clone()), params(2));
    assert_eq!(lost.verdict, Deviated);
    assert!(lost.finding.starts_with("3 of 971 acknowledged writes lost"), "{lost:?}");
    assert_eq!(loss(writes().reads(gone.clone(), gone), params(3)).verdict, Held);
}

#[test]
fn data_loss_can_be_limited_in_time_too() {
    // 150 was acknowledged 499 ms before the fault.
    let gone = without(&[150]);
    let params = |window| json!({"probe": "p", "atMost": 5, "window": window});
    let drill = writes().reads(gone.clone(), gone);
    assert_eq!(loss(drill.clone(), params("500ms")).verdict, Held);
    let far = loss(drill, params("400ms"));
    assert_eq!(far.verdict, Deviated);
    assert!(far.finding.contains("more than 400ms"), "{far:?}");
    // A split brain: all acknowledged after the fault, over 1 s.
    let split = without(&[450, 550]);
    let drill = writes().reads(split.clone(), split);
    assert_eq!(loss(drill.clone(), params("1100ms")).verdict, Held);
    assert_eq!(loss(drill, params("900ms")).verdict, Deviated);
}

#[test]
fn data_loss_without_two_good_reads_is_unknown() {
    let params = || json!({"probe": "p", "atMost": 1000});
    assert_eq!(loss(writes(), params()).verdict, Inconclusive);
    assert_eq!(loss(Drill::of(out()).reads(all(), all()), params()).verdict, Inconclusive);
    let mut one = writes().reads(all(), all());
    one.more.pop();
    assert_eq!(loss(one, params()).verdict, Inconclusive);
    let mut none_acknowledged = writes().reads(Vec::new(), Vec::new());
    let mut slots = none_acknowledged.services["p"].observe(-2000.0, 10_000.0);
    for slot in &mut slots {
        slot.write = Some(WriteFate::Failed);
    }
    none_acknowledged.slots.insert("p".to_owned(), slots);
    assert_eq!(loss(none_acknowledged, params()).verdict, Inconclusive);
    let why = "it died".to_owned();
    let prober_lost = Entry::PartLost { part: "prober".to_owned(), why };
    let lost = writes().reads(all(), all()).entry(2600.0, prober_lost);
    assert_eq!(loss(lost, params()).verdict, Inconclusive);
}

#[test]
fn a_read_that_was_made_again_is_the_one_that_was_good() {
    let mut drill = writes().reads(all(), all());
    let Some(Record { at_ns, entry: Entry::Ledger { read, .. } }) = drill.more.last().cloned()
    else {
        panic!("the second read is the last entry")
    };
    let read = LedgerRead { found: Vec::new(), error: Some("refused".to_owned()), ..read };
    drill
        .more
        .push(Record { at_ns: at_ns + 1, entry: Entry::Ledger { probe: "p".to_owned(), read } });
    assert_eq!(loss(drill, json!({"probe": "p", "atMost": 0})).verdict, Held);
}

#[test]
fn data_lost_without_a_fault_in_force_is_not_the_faults() {
    let gone = without(&[150]);
    let drill = Drill { effective: false, ..writes().reads(gone.clone(), gone) };
    let params = json!({"probe": "p", "atMost": 5, "window": "1ms"});
    assert_eq!(loss(drill, params).verdict, Inconclusive);
}

#[test]
fn slots_that_were_invalid_take_nothing_from_a_ledger() {
    let invalid = vec![(5000.0, 6000.0)];
    let drill = Drill::of(Service { invalid, writes: true, ..out() }).reads(all(), all());
    assert_eq!(loss(drill, json!({"probe": "p", "atMost": 0})).verdict, Held);
}

#[test]
fn a_check_that_ends_no_hold_never_trips() {
    for check in CATALOGUE.iter().filter(|check| !check.stops()) {
        let tagged: serde_json::Map<String, Value> = serde_yaml::from_str(check.example()).unwrap();
        assert_eq!(
            check.trips(&tagged[check.kind()], &mut Live::default(), u64::MAX),
            None,
            "{}",
            check.kind()
        );
    }
}

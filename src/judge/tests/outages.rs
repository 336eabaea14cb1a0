//! How outages are found and measured.

use super::close;
use crate::judge::scripted::{Drill, Service, ZERO_NS, at_ns};
use crate::model::history::{Entry, Phase};
use crate::model::observation::{ErrorClass, Grade};
use crate::model::outcome::ClaimVerdict;
use crate::model::verdict::{Outage, ProbeReport};

fn probe(service: Service) -> ProbeReport {
    Drill::of(service).report().probes.remove("p").unwrap()
}

fn letters(letters: &str) -> ProbeReport {
    let service = Service::default();
    let mut drill = Drill::of(service.clone());
    drill.slots.insert("p".to_owned(), service.observe_letters(letters, drill.watch_ms));
    drill.report().probes.remove("p").unwrap()
}

fn only(report: &ProbeReport) -> &Outage {
    assert_eq!(report.outages.len(), 1, "{:?}", report.outages);
    &report.outages[0]
}

#[test]
fn refusals_are_measured_between_completions_with_an_error_of_two_slots() {
    let report = probe(Service::refusing(100.0, 2400.0));
    let outage = only(&report);
    // Slots at 90 and 2400 are good; each takes 1 ms.
    assert!(close(outage.from_seconds, 0.091) && close(outage.to_seconds, 2.401));
    assert!(close(outage.length_seconds, 2.31) && close(outage.error_seconds, 0.02));
    assert_eq!((outage.character.as_str(), outage.slots), ("refusals", 230));
    assert!(outage.ended && outage.hard);
    assert_eq!(outage.errors["refused"], 230);
    assert!(close(report.first_bad_seconds.unwrap(), 0.1));
    assert!(close(report.last_bad_seconds.unwrap(), 2.39));
    assert!(close(report.first_good_seconds.unwrap(), 2.401));
    assert!(close(report.stable_seconds.unwrap(), 2.401));
    assert!(close(report.downtime_seconds, 2.31) && close(report.hard_down_seconds, 2.31));
    assert!(close(report.brown_out_seconds, 0.0));
    assert!(close(report.availability_by_time.unwrap(), 100.0 * (10.0 - 2.31) / 10.0));
    assert_eq!((report.slots, report.good, report.bad), (1001, 771, 230));
    assert!(close(report.availability_by_request.unwrap(), 100.0 * 771.0 / 1001.0));
}

#[test]
fn a_stall_is_measured_to_its_end_and_its_error_has_the_deadline() {
    let report = probe(Service::stalling(100.0, 1100.0));
    let outage = only(&report);
    // By due times it would end at 850: the slots due after that are good, and complete at 1101.
    assert!(close(outage.from_seconds, 0.091) && close(outage.to_seconds, 1.101));
    assert!(close(outage.error_seconds, 0.02 + 0.25));
    assert_eq!(outage.character, "stalls");
    assert!(outage.hard, "late answers that come when the stall ends are no success inside it");
}

#[test]
fn a_blackout_shorter_than_the_deadline_is_no_outage() {
    assert_eq!(probe(Service::stalling(100.0, 300.0)).outages, []);
    let stretched = probe(Service::stalling(100.0, 500.0));
    assert!(stretched.late > 0, "it is late");
    assert_eq!(stretched.outages, []);
    assert_eq!(stretched.first_bad_seconds, None);
    assert!(close(stretched.stable_seconds.unwrap(), 0.0));
}

#[test]
fn answers_that_stay_late_for_longer_than_the_deadline_are_an_outage() {
    let slow = |to| Service { slow: vec![(100.0, to, 300.0)], ..Service::default() };
    assert_eq!(probe(slow(360.0)).outages, [], "26 slots: from 100 to 350, one deadline");
    let report = probe(slow(2000.0));
    let outage = only(&report);
    assert!(!outage.hard, "it answered, too late");
    assert!(report.brown_out_seconds > 1.0, "{report:?}");
    assert_eq!(report.bad, 0);
}

#[test]
fn late_slots_around_a_bad_one_are_part_of_the_outage() {
    let outage = only(&letters("lllbll")).clone();
    assert_eq!((outage.slots, outage.character.as_str()), (6, "stalls"));
    assert!(close(outage.from_seconds, -0.009) && close(outage.to_seconds, 0.061));
    assert_eq!(outage.errors.values().sum::<u64>(), 1, "late is no error class");
}

#[test]
fn three_good_slots_merge_and_four_do_not() {
    let merged = letters("bgggb");
    assert_eq!((only(&merged).slots, only(&merged).hard), (2, false));
    assert!(close(only(&merged).length_seconds, 0.06));
    assert_eq!(letters("bggggb").outages.len(), 2);
    assert_eq!(letters("b").outages.len(), 1, "one bad slot is an outage");
}

#[test]
fn hard_down_is_silence_and_the_rest_is_brown_out() {
    let flapping = letters("bgbgbgb");
    assert!(close(flapping.hard_down_seconds, 0.0), "{flapping:?}");
    assert!(close(flapping.brown_out_seconds, flapping.downtime_seconds));
    let mixed = letters("bbbbbbbbbbgbgb");
    // From -0.009 to the good slot at 0.101 nothing answered; then it flaps until 0.141.
    assert!(close(mixed.hard_down_seconds, 0.11), "{mixed:?}");
    assert!(close(mixed.brown_out_seconds, 0.04));
}

#[test]
fn invalid_slots_at_an_edge_widen_the_error_and_inside_change_nothing() {
    let error = |text| only(&letters(text)).error_seconds;
    assert!(close(error("bbbb"), 0.02));
    assert!(close(error("xxbbbb"), 0.04));
    assert!(close(error("bbbbxxx"), 0.05));
    assert!(close(error("bbxxbb"), 0.02));
    let inside = letters("bxxxxxxb");
    assert!(close(only(&inside).length_seconds, 0.09));
    assert_eq!(only(&inside).slots, 2);
    assert_eq!(letters("gxxxxg").outages, [], "invalid alone is no outage");
}

#[test]
fn slots_that_the_history_lacks_at_an_edge_widen_the_error_too() {
    let report = probe(Service { missing: vec![(80.0, 100.0)], ..Service::refusing(100.0, 500.0) });
    assert!(close(only(&report).error_seconds, 0.04));
}

#[test]
fn invalid_slots_are_not_in_the_denominator() {
    let report = letters("bxxx");
    assert_eq!((report.slots, report.invalid, report.bad), (1001, 3, 1));
    assert!(close(report.availability_by_request.unwrap(), 100.0 * 997.0 / 998.0));
}

#[test]
fn an_outage_without_an_end_is_a_lower_bound() {
    let report = probe(Service::refusing(100.0, 1e9));
    let outage = only(&report);
    assert!(!outage.ended);
    assert!(close(outage.to_seconds, 10.0), "no later than the window's end");
    assert_eq!((report.first_good_seconds, report.stable_seconds), (None, None));
}

#[test]
fn a_service_that_comes_back_after_the_watch_has_not_come_back_in_it() {
    let service = Service::refusing(100.0, 10_100.0);
    let mut drill = Drill::of(service.clone());
    drill.slots.insert("p".to_owned(), service.observe(-2000.0, 11_000.0));
    let report = drill.report().probes.remove("p").unwrap();
    assert!(!only(&report).ended);
    assert!(close(only(&report).to_seconds, 10.0));
    assert!(report.ribbon.last().unwrap().to_seconds > 10.5, "it is drawn all the same");
}

#[test]
fn stable_needs_more_good_slots_than_a_gap_has() {
    let until = |to| probe(Service::refusing(100.0, to)).stable_seconds.is_some();
    assert!(until(9970.0), "slots at 9970 to 10000 are good: four");
    assert!(!until(9980.0), "three could be a gap");
    let refused = vec![(100.0, 9960.0), (9970.0, 9980.0)];
    let before = probe(Service { refused, ..Service::default() });
    assert_eq!(before.stable_seconds, None, "what was good inside of it does not count");
}

#[test]
fn what_broke_as_the_fault_came_is_the_faults() {
    // The call began at -2 and was certain at 0: the slot at -1 is the fault's, at -3 it is not.
    let shifted = |phase_ms| Service { phase_ms, ..Service::refusing(-9.0, 500.0) };
    let own = probe(shifted(9.0));
    assert!(close(own.first_bad_seconds.unwrap(), -0.001));
    assert!(close(only(&own).from_seconds, -0.01) && close(only(&own).length_seconds, 0.52));
    let before = Drill::of(shifted(7.0)).claims("downtime", downtime("6s")).first();
    assert!(before.finding.contains("before the fault began"), "{before:?}");
}

#[test]
fn a_slot_under_way_as_the_fault_came_is_the_faults() {
    let service = Service { phase_ms: 7.0, ..Service::refusing(-9.0, 500.0) };
    let mut drill = Drill::of(service.clone());
    let mut slots = service.observe(-2000.0, drill.watch_ms);
    let first = slots.iter_mut().find(|slot| slot.due_ns == at_ns(-3.0)).unwrap();
    // Due before the call began at -2, and failed after it.
    first.done_ns = at_ns(-1.0);
    drill.slots.insert("p".to_owned(), slots);
    let report = drill.claims("downtime", downtime("6s")).report();
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Held, "{:?}", report.claims);
    assert!(close(only(&report.probes["p"]).from_seconds, -0.012), "{report:?}");
}

fn downtime(at_most: &str) -> serde_json::Value {
    serde_json::json!({"probe": "p", "atMost": at_most})
}

#[test]
fn an_outage_from_before_the_fault_counts_from_the_window_on() {
    let report = probe(Service::refusing(-500.0, 500.0));
    assert!(close(only(&report).from_seconds, -0.509));
    assert!(close(only(&report).length_seconds, 0.501));
    let over = probe(Service::refusing(-500.0, -100.0));
    assert_eq!(over.outages, [], "what was over before is not drawn into the figures");
    assert_eq!(over.bad, 0);
}

#[test]
fn a_good_answer_after_the_first_failure_widens_the_error() {
    // The slot at 90 takes 200 ms more and completes at 291, when refusals have long begun.
    let slow = vec![(90.0, 91.0, 200.0)];
    let report = probe(Service { slow, ..Service::refusing(100.0, 400.0) });
    let outage = only(&report);
    assert!(close(outage.from_seconds, 0.081), "the last completion before the failure was seen");
    assert!(close(outage.to_seconds, 0.401));
    assert!(close(outage.error_seconds, 0.02 + (0.291 - 0.100_05)));
}

#[test]
fn the_last_good_completion_need_not_be_of_the_last_good_slot() {
    let slow = vec![(80.0, 81.0, 15.0)];
    let report = probe(Service { slow, ..Service::refusing(100.0, 400.0) });
    assert!(close(only(&report).from_seconds, 0.096));
}

#[test]
fn silence_at_either_edge_makes_it_a_stall() {
    let service = |dropped, refused| Service {
        dropped: vec![dropped],
        refused: vec![refused],
        ..Service::default()
    };
    for (dropped, refused) in [((100.0, 300.0), (300.0, 500.0)), ((300.0, 500.0), (100.0, 300.0))] {
        assert_eq!(only(&probe(service(dropped, refused))).character, "stalls");
    }
}

#[test]
fn a_probe_without_slots_has_no_figures() {
    let blank = Drill::of(Service { missing: vec![(-1e4, 1e9)], ..Service::default() });
    for drill in [Drill { complete: false, ..blank.clone() }, blank] {
        let report = drill.report().probes.remove("p").unwrap();
        assert_eq!((report.slots, report.stable_seconds), (0, None));
        assert_eq!(report.availability_by_time, None);
        assert_eq!(report.availability_by_request, None);
    }
}

#[test]
fn availability_is_never_below_nothing() {
    let report = probe(Service { phase_ms: 9.0, ..Service::refusing(-9.0, 1e9) });
    assert!(report.downtime_seconds > 10.0, "it began with the last completion before the fault");
    assert!(close(report.availability_by_time.unwrap(), 0.0));
}

#[test]
fn the_first_good_completion_need_not_be_of_the_first_good_slot() {
    let slow = vec![(400.0, 401.0, 200.0)];
    let report = probe(Service { slow, ..Service::refusing(100.0, 400.0) });
    assert!(close(only(&report).to_seconds, 0.411));
}

#[test]
fn the_window_ends_with_the_watch_or_with_the_last_observation() {
    let window = Drill::of(Service::default()).report().window;
    assert_eq!(window.zero_ns, at_ns(0.0));
    assert!(close(window.to_seconds, 10.0) && close(window.seen_from_seconds, -2.0));
    let cut = Drill { complete: false, ..Drill::of(Service::default()) }.report();
    assert!(close(cut.window.to_seconds, 10.001));
    let extended = Drill { hold_ms: 9000.0, ..Drill::of(Service::default()) };
    assert!(close(extended.report().window.to_seconds, 10.0));
}

#[test]
fn the_window_of_a_null_drill_begins_with_the_method() {
    let report = Drill { null: true, ..Drill::of(Service::default()) }.report();
    assert_eq!(report.window.zero_ns, at_ns(-10.0));
    assert!(report.stages.is_empty() && report.injections.is_empty());
    let two = Drill::of(Service::default()).entry(9999.0, Entry::Phase(Phase::Recover));
    assert!(close(two.report().window.to_seconds, 9.999), "the phase after the first Recover");
}

#[test]
fn latencies_are_told_apart_by_when_a_slot_was_due() {
    let slow = vec![(0.0, 3010.0, 49.0), (3010.0, 1e9, 9.0)];
    let report = probe(Service { slow, ..Service::default() });
    let p50 = |when: &str| report.latency[when].p50;
    assert!((p50("before") - 1.0).abs() < 0.01);
    assert!((p50("during") - 50.0).abs() < 0.1);
    assert!((p50("after") - 10.0).abs() < 0.02);
    assert_eq!(report.latency["during"].count, 301);
    let as_it_came = Service { phase_ms: 9.0, slow: vec![(-1.5, 0.0, 50.0)], ..Service::default() };
    assert!(probe(as_it_came).latency["during"].max > 50.0, "the fault was coming into force");
}

#[test]
fn timeouts_wait_and_refusals_do_not_count_as_latency() {
    let hung = probe(Service::stalling(100.0, 4100.0));
    assert!(hung.latency["during"].max > 1990.0, "they waited for the whole patience");
    let refused = probe(Service::refusing(0.0, 3010.0));
    assert!(!refused.latency.contains_key("during"), "{:?}", refused.latency);
}

#[test]
fn the_ribbon_has_every_slot_once_and_missing_ones_as_invalid() {
    let report =
        probe(Service { missing: vec![(5000.0, 5100.0)], ..Service::refusing(100.0, 500.0) });
    let runs: Vec<(&str, u64)> =
        report.ribbon.iter().map(|run| (run.grade.as_str(), run.slots)).collect();
    let expected = [("good", 210), ("bad", 40), ("good", 450), ("invalid", 10), ("good", 491)];
    assert_eq!(runs, expected);
    let touching = report.ribbon.windows(2).all(|w| close(w[0].to_seconds, w[1].from_seconds));
    assert!(touching && close(report.ribbon[0].from_seconds, -2.0));
    let uneven = probe(Service { rate: 333.0, ..Service::refusing(100.0, 500.0) });
    let mut pairs = uneven.ribbon.windows(2);
    assert!(pairs.all(|w| w[0].to_seconds.to_bits() == w[1].from_seconds.to_bits()));
}

/// A service that is down from 1000 to 3000, seen through samples that are taken every so often.
fn scraped(every_ms: f64, phase_ms: f64, down: std::ops::Range<f64>) -> ProbeReport {
    let service = Service { rate: 20.0, ..Service::default() };
    let mut drill = Drill::of(service.clone());
    let mut slots = service.observe(-1000.0, drill.watch_ms);
    for slot in &mut slots {
        #[expect(clippy::cast_precision_loss, reason = "a test of seconds")]
        let due_ms = (slot.due_ns as f64 - ZERO_NS as f64) / 1e6;
        let sampled_ms = ((due_ms - phase_ms) / every_ms).floor() * every_ms + phase_ms;
        slot.age_ns = Some(at_ns(due_ms) - at_ns(sampled_ms));
        if down.contains(&sampled_ms) {
            (slot.grade, slot.error) = (Grade::Bad, Some(ErrorClass::WrongAnswer));
        }
    }
    drill.slots.insert("p".to_owned(), slots);
    drill.report().probes.remove("p").unwrap()
}

#[test]
fn an_outage_seen_through_samples_is_known_no_better_than_they_are_apart() {
    for every in [400.0, 1000.0] {
        for phase in [0.0, 130.0, 250.0, 390.0] {
            let report = scraped(every, phase, 1000.0..3000.0);
            let outage = only(&report);
            assert_eq!(outage.character, "samples");
            let scrapes = 2.0 * every / 1e3;
            assert!(outage.error_seconds >= scrapes, "{every} {phase}: {outage:?}");
            assert!(outage.error_seconds <= scrapes + 0.1, "{every} {phase}: {outage:?}");
            let wrong = (outage.length_seconds - 2.0).abs();
            assert!(wrong <= outage.error_seconds, "{every} {phase}: {outage:?}");
            assert!((outage.from_seconds - 1.0).abs() <= every / 1e3 + 0.05, "{outage:?}");
            assert!((outage.to_seconds - 3.0).abs() <= every / 1e3 + 0.05, "{outage:?}");
        }
    }
}

#[test]
fn what_is_shorter_than_samples_are_apart_can_hide_between_them() {
    let unseen = scraped(1000.0, 0.0, 1010.0..1990.0);
    assert_eq!(unseen.outages, []);
    let service = Service { rate: 20.0, ..Service::default() };
    let claim = |age_ns: Option<u64>| {
        let mut drill = Drill::of(service.clone());
        let mut slots = service.observe(-1000.0, drill.watch_ms);
        for slot in &mut slots {
            slot.age_ns = age_ns;
        }
        drill.slots.insert("p".to_owned(), slots);
        let params = serde_json::json!({"probe": "p", "atMost": "1s"});
        drill.claims("downtime", params).first()
    };
    assert!(close(claim(None).error.unwrap(), 0.1 + 0.25));
    let old = claim(Some(1_500_000_000));
    assert!(close(old.error.unwrap(), 0.1 + 0.25 + 1.5));
    assert!(old.finding.contains("within the error"), "{}", old.finding);
}

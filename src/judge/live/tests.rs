//! While the drill runs, the same outage is seen as afterwards.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::judge::scripted::{Drill, Service, at_ns};

const DELIVERY: Span = Span::millis(50);

/// Tells the watch everything that was complete by then, and asks.
fn out_at(service: &Service, ms: f64) -> Option<f64> {
    let mut watch = OutageWatch::new(&service.spec(), DELIVERY);
    let mut seen = service.observe(-2000.0, ms);
    seen.retain(|slot| slot.done_ns <= at_ns(ms));
    seen.sort_by_key(|slot| slot.done_ns);
    for slot in &seen {
        watch.observe(slot);
    }
    watch.open_outage(at_ns(ms)).map(Span::seconds)
}

fn about(out: Option<f64>, seconds: f64) -> bool {
    out.is_some_and(|out| (out - seconds).abs() < 0.011)
}

#[test]
fn refusals_are_out_at_once_and_over_after_four_good_slots() {
    let service = Service::refusing(100.0, 1000.0);
    assert_eq!(out_at(&service, 95.0), None);
    assert!(about(out_at(&service, 101.0), 0.01));
    assert!(about(out_at(&service, 600.0), 0.51));
    assert!(about(out_at(&service, 1025.0), 0.935), "three good slots do not end it");
    assert_eq!(out_at(&service, 1035.0), None);
}

#[test]
fn silence_is_out_after_one_deadline_of_lateness() {
    let service = Service::stalling(100.0, 5000.0);
    // Due at 100, late from 350, told by 400, and late for 250 more.
    assert_eq!(out_at(&service, 390.0), None);
    assert_eq!(out_at(&service, 640.0), None);
    assert!(about(out_at(&service, 670.0), 0.579));
    assert!(about(out_at(&service, 4000.0), 3.909));
    assert_eq!(out_at(&service, 5035.0), None);
}

#[test]
fn an_answer_that_was_only_told_late_replaces_the_silence() {
    let service = Service::default();
    let mut watch = OutageWatch::new(&service.spec(), DELIVERY);
    let slots = service.observe(-2000.0, 3000.0);
    let (told, withheld) = slots.split_at(250);
    for slot in told {
        watch.observe(slot);
    }
    assert!(watch.open_outage(at_ns(2000.0)).is_some(), "silent since 500");
    for slot in withheld {
        watch.observe(slot);
    }
    assert_eq!(watch.open_outage(at_ns(3000.0)), None);
}

#[test]
fn our_own_fault_is_no_outage() {
    let service = Service { invalid: vec![(100.0, 5000.0)], ..Service::default() };
    assert_eq!(out_at(&service, 4000.0), None);
    assert_eq!(OutageWatch::new(&service.spec(), DELIVERY).open_outage(at_ns(0.0)), None);
}

#[test]
fn it_forgets_what_is_over() {
    let service = Service::refusing(100.0, 400.0);
    let mut watch = OutageWatch::new(&service.spec(), DELIVERY);
    for slot in service.observe(-2000.0, 60_000.0) {
        watch.observe(&slot);
        watch.open_outage(slot.done_ns);
    }
    assert!(watch.slots.len() < 100, "{}", watch.slots.len());
}

#[test]
fn a_stop_condition_trips_when_its_outage_is_longer() {
    let drill = Drill::of(Service::refusing(100.0, 9000.0))
        .stops("outage", json!({"probe": "p", "longerThan": "9s"}))
        .stops("outage", json!({"probe": "p", "longerThan": "2s"}));
    let plan = drill.plan();
    let mut live = Live::new(&plan.experiment.probes, DELIVERY);
    let mut tripped = None;
    for slot in drill.services["p"].observe(-2000.0, 9000.0) {
        live.observe("p", &slot);
        live.observe("nobody", &slot);
        tripped = live.tripped(&plan.experiment.stop_conditions, slot.done_ns);
        if tripped.is_some() {
            assert!((at_ns(2091.0)..at_ns(2115.0)).contains(&slot.done_ns));
            break;
        }
    }
    assert_eq!(tripped, Some((1, "p has been out for 2.01 s".to_owned())));
}

proptest! {
    /// What is said live about an outage agrees with the verdict on it.
    #[test]
    fn live_and_verdict_agree(
        from in 5.0..2000.0_f64,
        length in 700.0..3000.0_f64,
        stalls in any::<bool>(),
    ) {
        let to = from + length;
        let out = if stalls { Service::stalling } else { Service::refusing };
        let service = out(from, to);
        let judged = Drill::of(service.clone()).report().probes["p"].outages[0].length_seconds;
        let live = out_at(&service, to - 1.0);
        prop_assert!(live.is_some_and(|live| (live - judged).abs() < 0.021), "{:?} {}", live, judged);
    }
}

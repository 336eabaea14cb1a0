//! Whatever the service did, the measured length is within its stated error of the truth.

use proptest::prelude::*;

use crate::judge::scripted::{Drill, Service};
use crate::model::verdict::{Outage, ProbeReport};

/// Floating point, and the rounding of due times to nanoseconds.
const ROUNDING: f64 = 1e-6;

fn probe(service: Service) -> ProbeReport {
    Drill::of(service).report().probes.remove("p").unwrap()
}

fn off_by(outage: &Outage, from_ms: f64, to_ms: f64) -> f64 {
    (outage.length_seconds - (to_ms - from_ms) / 1e3).abs()
}

fn service(rate: f64, phase: f64, latency_ms: f64) -> Service {
    Service { rate, phase_ms: phase * 1000.0 / rate, latency_ms, ..Service::default() }
}

prop_compose! {
    /// Rate, phase of the slots in their interval, latency.
    fn any_service()(
        rate in prop_oneof![Just(10.0), Just(50.0), Just(100.0), Just(333.0), Just(1000.0)],
        phase in 0.0..1.0_f64,
        latency_ms in 0.05..0.9_f64,
    ) -> Service {
        service(rate, phase, latency_ms)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn refusals(service in any_service(), from in 5.0..3000.0_f64, length in 0.0..5000.0_f64) {
        let interval = 1000.0 / service.rate;
        let to = from + length;
        let report = probe(Service { refused: vec![(from, to)], ..service });
        if length > interval {
            prop_assert_eq!(report.outages.len(), 1);
        }
        for outage in &report.outages {
            prop_assert_eq!(&outage.character, "refusals");
            prop_assert!((outage.error_seconds - 2.0 * interval / 1e3).abs() < ROUNDING);
            prop_assert!(off_by(outage, from, to) <= outage.error_seconds + ROUNDING, "{:?}", outage);
        }
    }

    #[test]
    fn stalls(service in any_service(), from in 5.0..3000.0_f64, length in 0.0..5000.0_f64) {
        let interval = 1000.0 / service.rate;
        let to = from + length;
        let report = probe(Service { stalled: vec![(from, to)], ..service });
        // Twice the deadline and the error of the edges: then it cannot be merely late.
        if length > 500.0 + 2.0 * interval {
            prop_assert_eq!(report.outages.len(), 1);
        }
        if length < 250.0 {
            prop_assert_eq!(report.outages.len(), 0);
        }
        for outage in &report.outages {
            prop_assert_eq!(&outage.character, "stalls");
            prop_assert!(off_by(outage, from, to) <= outage.error_seconds + ROUNDING, "{:?}", outage);
            // Completions do better than the error that is promised.
            prop_assert!(off_by(outage, from, to) <= 2.0 * interval / 1e3 + ROUNDING, "{:?}", outage);
        }
    }

    #[test]
    fn silence_that_turns_into_refusals(
        service in any_service(),
        from in 5.0..1000.0_f64,
        silent in 0.0..1000.0_f64,
        refused in 0.0..2000.0_f64,
    ) {
        let (middle, to) = (from + silent, from + silent + refused);
        let (dropped, refused) = (vec![(from, middle)], vec![(middle, to)]);
        let interval = 1000.0 / service.rate;
        let report = probe(Service { refused, dropped, ..service });
        prop_assert_eq!(report.outages.len(), usize::from(report.bad > 0));
        for outage in &report.outages {
            let stalls = outage.character == "stalls";
            prop_assert!(stalls == (outage.errors.contains_key("timeout")));
            prop_assert!(off_by(outage, from, to) <= 2.0 * interval / 1e3 + ROUNDING, "{:?}", outage);
            prop_assert!(outage.hard);
        }
    }

    #[test]
    fn slots_that_nobody_saw(
        service in any_service(),
        from in 5.0..3000.0_f64,
        length in 500.0..3000.0_f64,
        bursts in prop::collection::vec((0.0..8000.0_f64, 0.0..200.0_f64), 0..6),
        gone in any::<bool>(),
    ) {
        let to = from + length;
        let bursts: Vec<(f64, f64)> = bursts.iter().map(|(at, long)| (*at, at + long)).collect();
        let mut service = Service { refused: vec![(from, to)], ..service };
        *(if gone { &mut service.missing } else { &mut service.invalid }) = bursts;
        let report = probe(service);
        for outage in &report.outages {
            prop_assert!(off_by(outage, from, to) <= outage.error_seconds + ROUNDING, "{:?}", outage);
        }
    }

    #[test]
    fn flapping_adds_up(
        phase in 0.0..1.0_f64,
        blackouts in prop::collection::vec((200.0..800.0_f64, 100.0..700.0_f64), 1..6),
    ) {
        let mut at = 50.0;
        let mut refused = Vec::new();
        for (down, up) in &blackouts {
            refused.push((at, at + down));
            at += down + up;
        }
        let truth: f64 = blackouts.iter().map(|(down, _)| down / 1e3).sum();
        let report = probe(Service { refused, ..service(100.0, phase, 0.5) });
        prop_assert_eq!(report.outages.len(), blackouts.len());
        let error: f64 = report.outages.iter().map(|o| o.error_seconds).sum();
        prop_assert!((report.downtime_seconds - truth).abs() <= error + ROUNDING);
        let parts = report.hard_down_seconds + report.brown_out_seconds;
        prop_assert!((parts - report.downtime_seconds).abs() < ROUNDING);
    }

    #[test]
    fn an_outage_that_never_ended_is_never_overstated(
        service in any_service(),
        from in 5.0..9000.0_f64,
        stalls in any::<bool>(),
    ) {
        let mut service = service;
        *(if stalls { &mut service.stalled } else { &mut service.refused }) = vec![(from, 1e9)];
        let slack = 1.0 / service.rate + service.latency_ms / 1e3;
        let report = probe(service);
        prop_assert_eq!(report.outages.len(), 1);
        let outage = &report.outages[0];
        prop_assert!(!outage.ended);
        let truth = 10.0 - from / 1e3;
        prop_assert!(outage.length_seconds <= truth + slack + ROUNDING);
        prop_assert!(outage.length_seconds >= truth - slack - ROUNDING);
    }
}

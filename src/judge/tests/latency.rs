//! `latency`: which slots count, and that none without an answer lets a claim hold.

use serde_json::json;

use super::{ask, verdict};
use crate::judge::scripted::{Drill, Service};
use crate::model::history::{Entry, Lag};
use crate::model::observation::Grade;
use crate::model::outcome::ClaimVerdict::{Deviated, Held, Inconclusive};

#[test]
fn latency_by_quantile_and_stretch() {
    let slow = vec![(0.0, 3010.0, 99.0)];
    let service = Service { slow, ..Service::default() };
    let claim = |during: &str, at_most: &str| {
        let params = json!({"probe": "p", "quantile": "99%", "atMost": at_most, "during": during});
        ask(service.clone(), "latency", params)
    };
    let during = claim("during", "150ms");
    assert!((during.measured.unwrap() - 100.0).abs() < 0.2, "{during:?}");
    assert_eq!((during.verdict, during.unit.as_str()), (Held, "milliseconds"));
    assert_eq!(claim("during", "50ms").verdict, Deviated);
    assert_eq!(claim("after", "50ms").verdict, Held);
    assert_eq!(claim("window", "50ms").verdict, Deviated);
    let median = json!({"probe": "p", "quantile": "50%", "atMost": "50ms"});
    assert_eq!(verdict(service, "latency", median), Held, "of the window unless told");
    let few = json!({"probe": "p", "quantile": "99.99%", "atMost": "1s"});
    assert!(ask(Service::default(), "latency", few).finding.contains("too few"));
    let refused = Service::refusing(0.0, 3010.0);
    let during = json!({"probe": "p", "quantile": "50%", "atMost": "1s", "during": "during"});
    assert_eq!(verdict(refused, "latency", during), Inconclusive, "no answer, no latency");
}

#[test]
fn a_slot_without_an_answer_has_no_latency_that_holds() {
    let params = |quantile: &str, at_most: &str| {
        let during = "during";
        json!({"probe": "p", "quantile": quantile, "atMost": at_most, "during": during})
    };
    // Nobody is served while the fault is in force, and the patience is 2 s.
    let black = || Drill::of(Service { dropped: vec![(0.0, 3010.0)], ..Service::default() });
    let claim = black().claims("latency", params("99%", "3s")).first();
    assert_eq!(claim.verdict, Inconclusive, "{claim:?}");
    assert!(claim.finding.starts_with("at least 2000"), "{claim:?}");
    assert!(claim.finding.contains("301 slots, 301 of them without an answer"), "{claim:?}");
    assert_eq!(black().claims("latency", params("99%", "1s")).first().verdict, Deviated);

    // The same where they give up at once.
    let quick = |answered: usize| {
        let mut slots = black().services["p"].observe(-2000.0, 10_000.0);
        let dropped = slots.iter_mut().filter(|slot| slot.grade == Grade::Bad);
        for (index, slot) in dropped.enumerate() {
            slot.done_ns = slot.due_ns + 5_000_000;
            if index < answered {
                (slot.grade, slot.error) = (Grade::Good, None);
                slot.done_ns = slot.due_ns + 100_000_000;
            }
        }
        Drill { slots: [("p".to_owned(), slots)].into(), ..black() }
    };
    let claim = quick(0).claims("latency", params("99%", "3s")).first();
    assert_eq!((claim.verdict, claim.measured.map(f64::round)), (Inconclusive, Some(5.0)));

    // A quantile among those that were answered is a figure; beyond them it is not below any.
    let median = |answered, limit| quick(answered).claims("latency", params("50%", limit)).first();
    let half = median(151, "150ms");
    assert_eq!((half.verdict, half.measured.map(f64::round)), (Held, Some(100.0)));
    let third = median(101, "150ms");
    assert_eq!((third.verdict, third.measured.map(f64::round)), (Inconclusive, Some(100.0)));
    assert_eq!(median(101, "50ms").verdict, Deviated);
}

#[test]
fn our_own_lag_is_the_error_of_a_latency() {
    let lag = Lag { slots: 1, p99_ns: 5_000_000, ..Lag::default() };
    let params = json!({"probe": "p", "quantile": "50%", "atMost": "1s"});
    let drill = Drill::of(Service::default()).entry(500.0, Entry::Lag(lag));
    let claim = drill.claims("latency", params).first();
    assert!((claim.error.unwrap() - 5.001).abs() < 1e-3, "{claim:?}");
}

//! `latency`: which slots count, and that none without an answer lets a claim hold.

use serde_json::json;

use super::{ask, verdict};
use crate::judge::scripted::{Drill, Service};
use crate::model::history::{Entry, Lag};
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
fn our_own_lag_is_the_error_of_a_latency() {
    let lag = Lag { slots: 1, p99_ns: 5_000_000, ..Lag::default() };
    let params = json!({"probe": "p", "quantile": "50%", "atMost": "1s"});
    let drill = Drill::of(Service::default()).entry(500.0, Entry::Lag(lag));
    let claim = drill.claims("latency", params).first();
    assert!((claim.error.unwrap() - 5.001).abs() < 1e-3, "{claim:?}");
}

//! The rules of judging, by scripted histories. Each test names a rule.

use serde_json::Value;

use crate::judge::scripted::{Drill, Service};
use crate::model::outcome::ClaimVerdict;
use crate::model::verdict::ClaimReport;

mod claims;
mod cluster;
mod drill;
mod holds;
mod latency;
mod outages;
mod roles;
mod truth;

/// Equal to within a nanosecond.
fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

fn ask(service: Service, check: &str, params: Value) -> ClaimReport {
    Drill::of(service).claims(check, params).first()
}

fn verdict(service: Service, check: &str, params: Value) -> ClaimVerdict {
    ask(service, check, params).verdict
}

/// 2.31 s of outage.
fn out() -> Service {
    Service::refusing(100.0, 2400.0)
}

//! The rules of judging, by scripted histories. Each test names a rule.

mod claims;
mod drill;
mod holds;
mod outages;
mod truth;

/// Equal to within a nanosecond.
fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

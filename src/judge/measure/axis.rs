//! From nanoseconds of `CLOCK_MONOTONIC` to the seconds of a report, which count from the first
//! fault effective. Every conversion between whole numbers and fractions of this room is here.

/// Second 0 of a report.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    pub zero_ns: u64,
}

impl Axis {
    /// Seconds from zero; negative before it.
    #[must_use]
    pub fn at(self, ns: u64) -> f64 {
        if ns >= self.zero_ns { seconds(ns - self.zero_ns) } else { -seconds(self.zero_ns - ns) }
    }
}

/// Nanoseconds as seconds.
#[must_use]
pub fn seconds(ns: u64) -> f64 {
    count(ns) / 1e9
}

/// Nanoseconds as milliseconds.
#[must_use]
pub fn millis(ns: u64) -> f64 {
    count(ns) / 1e6
}

/// A count as a figure.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "104 days of nanoseconds are exact in 53 bits")]
pub fn count(n: u64) -> f64 {
    n as f64
}

/// The whole part of a figure; 0 for what is negative or no number.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted"
)]
pub fn whole(figure: f64) -> u64 {
    figure.floor() as u64
}

/// A length in memory as a count.
#[must_use]
pub fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// `part` of `whole` in percent; None where there is no whole.
#[must_use]
pub fn percent(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| 100.0 * part / whole)
}

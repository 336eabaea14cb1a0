//! How late our own clockwork was, gathered over a second.

use hdrhistogram::Histogram;

use crate::model::history::Lag;

/// A minute: what is longer is recorded as that.
const LONGEST_NS: u64 = 60_000_000_000;

pub struct LagRecorder {
    histogram: Histogram<u64>,
}

impl LagRecorder {
    pub fn new() -> Result<LagRecorder, String> {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3);
        Ok(LagRecorder { histogram: histogram.map_err(|e| e.to_string())? })
    }

    /// One slot began this long after it was due.
    pub fn record(&mut self, lag_ns: u64) {
        self.histogram.saturating_record(lag_ns);
    }

    /// The figures since the last call.
    pub fn take(&mut self, stalled_ns: u64) -> Lag {
        let lag = Lag {
            slots: self.histogram.len(),
            p50_ns: self.histogram.value_at_quantile(0.5),
            p99_ns: self.histogram.value_at_quantile(0.99),
            max_ns: self.histogram.max(),
            stalled_ns,
        };
        self.histogram.reset();
        lag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_last_second_only() {
        let mut lag = LagRecorder::new().unwrap();
        (1..=100).for_each(|i| lag.record(i * 1_000));
        let first = lag.take(7);
        assert_eq!((first.slots, first.stalled_ns), (100, 7));
        assert!((50_000..50_100).contains(&first.p50_ns), "{}", first.p50_ns);
        assert!((99_000..99_200).contains(&first.p99_ns), "{}", first.p99_ns);
        assert!((100_000..100_200).contains(&first.max_ns), "{}", first.max_ns);
        assert_eq!(lag.take(0), Lag::default());
    }
}

//! Figures of a sample: no figure without its number of repeats.

/// What was measured, in one unit, in the order of measuring.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn push_ns_as_ms(&mut self, ns: u64) {
        self.push(millis(ns));
    }

    pub fn extend(&mut self, more: &Sample) {
        self.0.extend(&more.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn p50(&self) -> f64 {
        self.at(0.50)
    }

    pub fn p99(&self) -> f64 {
        self.at(0.99)
    }

    pub fn max(&self) -> f64 {
        self.at(1.0)
    }

    /// Nearest rank: always a value that was measured. Of a small sample the p99 is the largest.
    fn at(&self, quantile: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (quantile * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).copied().unwrap_or(f64::NAN)
    }
}

pub fn millis(ns: u64) -> f64 {
    ns as f64 / 1e6
}

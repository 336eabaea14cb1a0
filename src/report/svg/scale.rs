//! From seconds to a place on the drawing, and round numbers for the axis.

use crate::report::timeline::Extent;

/// A linear scale from a stretch of time to a stretch of the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub extent: Extent,
    pub left: f64,
    pub right: f64,
}

/// Round moments at equal distances, and how to write them.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticks {
    pub values: Vec<f64>,
    decimals: usize,
}

impl Scale {
    /// Where that moment is; moments outside are at the edges.
    #[must_use]
    pub fn x(&self, at: f64) -> f64 {
        self.left + self.extent.fraction(at) * (self.right - self.left)
    }

    #[must_use]
    pub fn width(&self) -> f64 {
        self.right - self.left
    }
}

impl Ticks {
    /// The number of a tick: all of an axis have as many decimals.
    #[must_use]
    pub fn label(&self, value: f64) -> String {
        crate::report::figure::number(value, self.decimals).unwrap_or_default()
    }
}

/// About `wanted` round moments inside; at least one step apart, at most a few more than wanted.
#[must_use]
pub fn ticks(extent: Extent, wanted: usize) -> Ticks {
    let wanted = f64::from(u32::try_from(wanted.max(2)).unwrap_or(2));
    let rough = extent.length() / wanted;
    if !(rough.is_finite() && rough > 0.0) {
        return Ticks { values: Vec::new(), decimals: 0 };
    }
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * magnitude);
    let mut values = Vec::new();
    let mut index = (extent.from / step - 1e-9).ceil();
    while index * step <= extent.to + step * 1e-9 {
        values.push(index * step);
        index += 1.0;
    }
    Ticks { values, decimals: decimals(step) }
}

fn decimals(step: f64) -> usize {
    (0..6).find(|d| step >= 0.999 * 10_f64.powi(-i32::try_from(*d).unwrap_or(0))).unwrap_or(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: f64, to: f64, wanted: usize) -> Vec<String> {
        let ticks = ticks(Extent { from, to }, wanted);
        ticks.values.iter().map(|value| ticks.label(*value)).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(labels(-2.0, 8.0, 5), ["-2", "0", "2", "4", "6", "8"]);
        assert_eq!(labels(-0.3, 2.6, 6), ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]);
        assert_eq!(labels(0.0, 0.05, 5), ["0.00", "0.01", "0.02", "0.03", "0.04", "0.05"]);
        assert_eq!(labels(-7.0, 3600.0, 4), ["0", "1000", "2000", "3000"]);
    }

    #[test]
    fn zero_is_written_without_a_sign() {
        assert_eq!(labels(-1.0, 1.0, 4)[2], "0.0");
    }

    #[test]
    fn no_extent_gives_a_flood_of_ticks() {
        for length in [1e-6, 0.013, 1.0, 59.9, 86_400.0, 1e9] {
            for wanted in [0, 2, 6, 12] {
                let ticks = ticks(Extent { from: -length / 3.0, to: length }, wanted);
                assert!(!ticks.values.is_empty() && ticks.values.len() <= wanted.max(2) * 2);
            }
        }
        assert!(ticks(Extent { from: 1.0, to: 1.0 }, 6).values.is_empty());
    }

    #[test]
    fn the_ends_of_the_time_are_the_edges_of_the_drawing() {
        let scale = Scale { extent: Extent { from: -2.0, to: 8.0 }, left: 100.0, right: 200.0 };
        let near = |at: f64, x: f64| assert!((scale.x(at) - x).abs() < 1e-9);
        near(-2.0, 100.0);
        near(8.0, 200.0);
        near(0.0, 120.0);
        near(99.0, 200.0);
    }
}

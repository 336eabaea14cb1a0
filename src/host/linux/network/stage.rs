//! What one impairment does to one packet, as pure arithmetic on a seeded generator: the same seed
//! and the same packets give the same fates.

use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use crate::model::network::Effect;

/// One delay or loss.
#[derive(Debug)]
pub(super) struct Stage {
    law: Law,
    random: ChaCha8Rng,
}

#[derive(Debug)]
enum Law {
    /// Lost when the draw is below this.
    Lose { below: f64 },
    /// Held this long, uniformly, nanoseconds.
    Delay { least: u64, most: u64 },
}

impl Stage {
    /// None: a drop needs no stage, the kernel does it alone.
    pub fn new(effect: &Effect) -> Option<Stage> {
        match effect {
            Effect::Drop => None,
            Effect::Lose { percent, seed } => Some(Stage {
                law: Law::Lose { below: percent.fraction() },
                random: ChaCha8Rng::seed_from_u64(*seed),
            }),
            Effect::Delay { delay, jitter, seed } => Some(Stage {
                law: Law::Delay {
                    least: delay.nanos().saturating_sub(jitter.nanos()),
                    most: delay.nanos().saturating_add(jitter.nanos()),
                },
                random: ChaCha8Rng::seed_from_u64(*seed),
            }),
        }
    }

    pub fn loses(&self) -> bool {
        matches!(self.law, Law::Lose { .. })
    }

    /// Is this packet lost? Draws once for every packet that meets a loss.
    pub fn takes(&mut self) -> bool {
        match self.law {
            Law::Lose { below } => self.draw() < below,
            Law::Delay { .. } => false,
        }
    }

    /// How long this packet is held, nanoseconds; None where this is no delay.
    pub fn holds(&mut self) -> Option<u64> {
        match self.law {
            Law::Lose { .. } => None,
            Law::Delay { least, most } if least == most => Some(least),
            Law::Delay { least, most } => {
                let width = u128::from(most - least) + 1;
                let offset = (u128::from(self.random.next_u64()) * width) >> 64;
                Some(least + u64::try_from(offset).unwrap_or(0))
            }
        }
    }

    /// Uniform in 0 to 1, the 1 left out, on the 53 bits that a double has.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn draw(&mut self) -> f64 {
        (self.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::units::{Percent, Span};

    fn losing(percent: f64) -> Stage {
        Stage::new(&Effect::Lose { percent: Percent(percent), seed: 7 }).unwrap()
    }

    #[test]
    fn loss_is_none_all_or_near_its_share() {
        assert_eq!((0..1000).filter(|_| losing(0.0).takes()).count(), 0);
        let mut all = losing(100.0);
        assert_eq!((0..1000).filter(|_| all.takes()).count(), 1000);
        let mut some = losing(10.0);
        let lost = (0..100_000).filter(|_| some.takes()).count();
        assert!((9_500..10_500).contains(&lost), "{lost}");
    }

    #[test]
    fn jitter_is_uniform_between_its_ends() {
        let (delay, jitter) = (Span::millis(50), Span::millis(10));
        let mut stage = Stage::new(&Effect::Delay { delay, jitter, seed: 7 }).unwrap();
        let held: Vec<u64> = (0..10_000).map(|_| stage.holds().unwrap()).collect();
        assert!(held.iter().all(|ns| (40_000_000..=60_000_000).contains(ns)));
        let mean = held.iter().sum::<u64>() / 10_000;
        assert!((49_800_000..50_200_000).contains(&mean), "{mean}");
        assert!(held.iter().min().unwrap() < &40_100_000);
        assert!(held.iter().max().unwrap() > &59_900_000);
    }

    #[test]
    fn a_jitter_wider_than_the_delay_never_goes_below_nothing() {
        let (delay, jitter) = (Span::millis(1), Span::millis(10));
        let mut stage = Stage::new(&Effect::Delay { delay, jitter, seed: 7 }).unwrap();
        assert!((0..1000).all(|_| stage.holds().unwrap() <= 11_000_000));
    }

    #[test]
    fn the_same_seed_gives_the_same_fates() {
        let (mut a, mut b) = (losing(50.0), losing(50.0));
        assert!((0..1000).all(|_| a.takes() == b.takes()));
    }
}

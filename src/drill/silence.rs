//! For how long a part has said nothing, counted in beats of our own: while we did not run, nobody
//! was silent to us, so a pause of ours is one beat, however long it was.

use super::run::BEAT;
use crate::model::units::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Silence {
    beats: u32,
}

impl Silence {
    /// One more beat of ours without a word.
    pub fn beat(&mut self) {
        self.beats = self.beats.saturating_add(1);
    }

    /// It spoke, or its turn begins now.
    pub fn heard(&mut self) {
        self.beats = 0;
    }

    #[must_use]
    pub fn longer_than(self, span: Span) -> bool {
        BEAT.nanos().saturating_mul(u64::from(self.beats)) > span.nanos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::run::LEASE;

    #[test]
    fn a_whole_lease_without_a_word_is_silence_and_a_word_ends_it() {
        let mut silence = Silence::default();
        for _ in 0..6 {
            silence.beat();
            assert!(!silence.longer_than(LEASE));
        }
        silence.beat();
        assert!(silence.longer_than(LEASE));
        silence.heard();
        assert!(!silence.longer_than(LEASE));
    }
}

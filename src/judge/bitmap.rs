//! A set of numbers from a range, one bit each.

/// Numbers from `low` on; those outside the range it was made for are never in it.
#[derive(Debug, Clone)]
pub struct Bitmap {
    low: u64,
    high: u64,
    words: Vec<u64>,
}

impl Bitmap {
    /// An empty set over `low..=high`; `low` must not be above `high`.
    #[must_use]
    pub fn over(low: u64, high: u64) -> Bitmap {
        let words = usize::try_from((high - low) / 64 + 1).unwrap_or(usize::MAX);
        Bitmap { low, high, words: vec![0; words] }
    }

    /// Puts a number in. False where it was in already, or is outside the range.
    pub fn insert(&mut self, number: u64) -> bool {
        let Some((word, bit)) = self.place(number) else { return false };
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        fresh
    }

    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.place(number).is_some_and(|(word, bit)| self.words[word] & bit != 0)
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    fn place(&self, number: u64) -> Option<(usize, u64)> {
        let offset = number.checked_sub(self.low).filter(|_| number <= self.high)?;
        Some((usize::try_from(offset / 64).ok()?, 1 << (offset % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_is_in_its_range() {
        let mut set = Bitmap::over(100, 163);
        assert!(set.insert(100) && set.insert(163));
        assert!(!set.insert(100), "already in");
        assert!(!set.insert(99) && !set.insert(164) && !set.insert(u64::MAX), "outside");
        assert!(set.contains(163) && !set.contains(101) && !set.contains(99));
        assert_eq!(set.count(), 2);
        assert!(!Bitmap::over(100, 110).insert(111), "not even in the same word");
        assert!(Bitmap::over(7, 7 + 64).insert(71), "the range's end needs a second word");
    }
}

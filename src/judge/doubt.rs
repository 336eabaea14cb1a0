//! What weakens a figure. A doubt never makes a claim hold; most let it deviate where the figure is
//! beyond its limit by more than its error.

/// One reason for not trusting a figure, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    pub why: String,
    pub weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Deviated is still possible, beyond doubt.
    Weakens,
    /// Nothing at all was measured.
    Voids,
}

impl Doubt {
    #[must_use]
    pub fn weakens(why: impl Into<String>) -> Doubt {
        Doubt { why: why.into(), weight: Weight::Weakens }
    }

    #[must_use]
    pub fn voids(why: impl Into<String>) -> Doubt {
        Doubt { why: why.into(), weight: Weight::Voids }
    }
}

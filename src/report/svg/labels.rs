//! Labels that never overlap, and whose leaders never cross one.
//!
//! Each label begins at its moment and runs to the right; its leader drops from its row to the
//! drawing below. A leader is at the left of every later label, so only the leader of a later
//! label can cross an earlier one. It does not if the later label stands lower: hence each label
//! stands one row above all later labels that begin before it ends.

/// Something to be labelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    pub x: f64,
    pub width: f64,
}

/// The row of each anchor, 0 the lowest, in the order given. Anchors come in the order of `x`.
#[must_use]
pub fn rows(anchors: &[Anchor], gap: f64) -> Vec<usize> {
    let mut rows = vec![0; anchors.len()];
    for (index, anchor) in anchors.iter().enumerate().rev() {
        let end = anchor.x + anchor.width + gap;
        let later = anchors.iter().zip(&rows).skip(index + 1);
        let reached = later.filter(|(later, _)| later.x < end).map(|(_, row)| row + 1);
        rows[index] = reached.max().unwrap_or(0);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = 6.0;

    fn anchors(places: &[f64], width: f64) -> Vec<Anchor> {
        places.iter().map(|x| Anchor { x: *x, width }).collect()
    }

    /// No two labels overlap, and no leader passes through a label.
    fn assert_legible(anchors: &[Anchor]) {
        let rows = rows(anchors, GAP);
        for (i, early) in anchors.iter().enumerate() {
            for (j, late) in anchors.iter().enumerate().skip(i + 1) {
                let reaches = late.x < early.x + early.width;
                assert!(!(reaches && rows[i] == rows[j]), "{i} overlaps {j}");
                assert!(!(reaches && rows[j] > rows[i]), "the leader of {j} crosses {i}");
            }
        }
    }

    #[test]
    fn labels_far_apart_share_the_lowest_row() {
        assert_eq!(rows(&anchors(&[0.0, 100.0, 200.0], 80.0), GAP), [0, 0, 0]);
    }

    #[test]
    fn labels_close_together_make_stairs() {
        assert_eq!(rows(&anchors(&[0.0, 10.0, 20.0], 80.0), GAP), [2, 1, 0]);
        assert_eq!(rows(&anchors(&[0.0, 10.0, 95.0], 80.0), GAP), [2, 1, 0]);
        assert_eq!(rows(&anchors(&[0.0, 10.0, 97.0], 80.0), GAP), [1, 0, 0]);
    }

    #[test]
    fn labels_at_one_moment_are_stacked() {
        assert_eq!(rows(&anchors(&[5.0, 5.0], 80.0), GAP), [1, 0]);
    }

    #[test]
    fn every_crowd_is_legible() {
        // A fixed walk over many spacings, from nothing to far apart.
        for spread in 1..40_u32 {
            let mut x = 0.0;
            let crowd: Vec<Anchor> = (0..12_u32)
                .map(|i| {
                    x += f64::from((i * 7 + spread * 3) % spread) * 5.0;
                    Anchor { x, width: f64::from(20 + (i * 31) % 90) }
                })
                .collect();
            assert_legible(&crowd);
        }
    }
}

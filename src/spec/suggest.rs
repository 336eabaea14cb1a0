//! "Did you mean": the nearest of the words that would have been right.

/// The one that was most likely meant, if any is near.
#[must_use]
pub fn nearest<'w>(found: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |word: &str| -> String {
        word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    let wanted = plain(found);
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&wanted, &plain(word)), word))
        .filter(|(distance, word)| {
            // A third of a word may be wrong; of one or two letters none.
            *distance <= word.len().min(found.len()).max(2) / 3 || *distance == 0
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// What to write instead: the nearest word, or all there are.
#[must_use]
pub fn remedy(found: &str, known: &[&str]) -> String {
    match nearest(found, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "nothing may stand here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["atMost", "probe", "processKill"];
        assert_eq!(nearest("at_most", known), Some("atMost"));
        assert_eq!(nearest("porbe", known), Some("probe"));
        assert_eq!(nearest("processkil", known), Some("processKill"));
        assert_eq!(nearest("hold", known), None);
        assert_eq!(nearest("at", ["to", "is"]), None);
    }

    #[test]
    fn without_a_near_word_all_are_listed() {
        assert_eq!(remedy("zzz", &["a", "b"]), "known here: a, b");
    }
}

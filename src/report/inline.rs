//! Words of others, made safe to stand in one line.
//!
//! A report quotes what a system under test said. Control characters could move a terminal's
//! cursor, and marks of writing direction could reorder what a person reads, so both are shown
//! as a replacement character instead.

/// The text in one line: line ends and tabs are spaces, control characters are visible.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { shown(c) }).collect()
}

/// The same for a text of many lines; its line ends stay.
#[must_use]
pub fn many_lines(text: &str) -> String {
    text.lines().map(|line| line.replace('\t', "    ")).map(|line| one_line(&line) + "\n").collect()
}

/// At most that many characters; what is left out is an ellipsis.
#[must_use]
pub fn clipped(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// With a capital, as the first word of a sentence.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>());
    first.unwrap_or_default() + letters.as_str()
}

fn shown(c: char) -> char {
    let reorders =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separates = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    if c.is_control() || reorders || separates { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_turns_the_line() {
        let said = one_line("a\x1b[2Jb\u{202e}c\r\nd\te\u{9b}f");
        assert_eq!(said, "a\u{fffd}[2Jb\u{fffd}c  d e\u{fffd}f");
    }

    #[test]
    fn a_plan_keeps_its_lines() {
        assert_eq!(many_lines("a\n\tb\x07\n"), "a\n    b\u{fffd}\n");
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis() {
        assert_eq!(clipped("abcdef", 6), "abcdef");
        assert_eq!(clipped("abc ef", 5), "abc…");
        assert_eq!(clipped("äöüß", 3), "äö…");
    }
}

//! Names: of documents, targets, probes, services and hosts. One form for all, so that each can be
//! part of a file's name, a host's name and a message.

use std::ops::Range;

use super::finding::{Code, is_hidden};
use super::sheet::Sheet;
use super::tree::{Key, Node};

const LENGTH_MAX: usize = 63;

/// The form as a regular expression, for the schema.
pub(super) const PATTERN: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";

/// Has it the form of [`PATTERN`]?
#[must_use]
pub fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=LENGTH_MAX).contains(&bytes.len())
        && bytes.iter().all(|b| inner(*b) || *b == b'-')
        && inner(bytes[0])
        && inner(bytes[bytes.len() - 1])
}

pub(super) fn check_key(what: &str, key: &Key, sheet: &mut Sheet) {
    check(what, &key.text, key.span.clone(), sheet);
}

pub(super) fn check_value(what: &str, node: &Node, sheet: &mut Sheet) {
    if let Some(text) = node.text() {
        check(what, text, node.span.clone(), sheet);
    }
}

fn check(what: &str, text: &str, span: Range<usize>, sheet: &mut Sheet) {
    // A hidden character has its finding already.
    if is_name(text) || text.chars().any(is_hidden) {
        return;
    }
    let help = match mended(text) {
        Some(name) => format!("write it like `{name}`"),
        None => {
            "lower-case letters, digits and hyphens, at most 63, no hyphen at an end".to_owned()
        }
    };
    sheet.error(Code::BadName, span, format!("`{text}` cannot be the name of {what}")).help(help);
}

fn mended(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_uppercase() && name.ends_with(|last: char| last.is_ascii_lowercase()) {
            name.push('-');
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_matches('-').to_owned();
    is_name(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_exact() {
        let pattern = regex::Regex::new(PATTERN).unwrap();
        for good in ["a", "0", "a-b", "redis-primary-loss", &"x".repeat(63)] {
            assert!(is_name(good) && pattern.is_match(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a b", "ä", "a\n", "a.b", &"x".repeat(64)] {
            assert!(!is_name(bad) && !pattern.is_match(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_near_name_is_shown() {
        assert_eq!(mended("redisPrimary_loss").unwrap(), "redis-primary-loss");
        assert_eq!(mended("---"), None);
    }
}

//! The query language, as far as it must be known here: what is a plain selector, over how much
//! time a query looks back, and how an answer and its age are asked for at once.

use regex::Regex;

/// The label by which the two halves of an answer are told apart.
pub const LABEL: &str = "squall";
/// Its value on what was asked for,
pub const VALUE: &str = "value";
/// and on the time of the oldest sample.
pub const OLDEST: &str = "oldest";

const SELECTOR: &str =
    r#"^\s*([a-zA-Z_:][a-zA-Z0-9_:]*\s*)?(\{([^{}"'`]|"([^"\\]|\\.)*")*\}\s*)?$"#;
const TEXTS: &str = r#""([^"\\]|\\.)*"|'([^'\\]|\\.)*'|`[^`]*`"#;
const RANGE: &str = r"\[\s*([0-9a-z]+)\s*(:?)";
const OFFSET: &str = r"\boffset\s+-?\s*([0-9a-z]+)";
const PART: &str = r"([0-9]+)(ms|[ywdhms])";

/// Is it a name, labels in braces, or both? Only of such a vector `timestamp()` gives the time at
/// which a sample was taken; of anything else it gives the time of the question.
#[must_use]
pub fn is_selector(query: &str) -> bool {
    !query.trim().is_empty() && Regex::new(SELECTOR).is_ok_and(|selector| selector.is_match(query))
}

/// One query for both, so that they are of one moment. `query` is followed by a new line, since it
/// may end in a comment.
#[must_use]
pub fn with_age(query: &str, fresh_by: &str) -> String {
    format!(
        "label_replace((\n{query}\n), \"{LABEL}\", \"{VALUE}\", \"\", \"\")\n\
         or label_replace(min(timestamp(\n{fresh_by}\n)), \"{LABEL}\", \"{OLDEST}\", \"\", \"\")"
    )
}

/// How far back the query looks beyond its samples' own age, nanoseconds: an average over a minute
/// tells of a minute. Subqueries reach further back than the ranges in them.
///
/// Errors: the patterns of this file cannot be used.
pub fn reach_ns(query: &str) -> Result<u64, regex::Error> {
    let bare = Regex::new(TEXTS)?.replace_all(query, "\"\"").into_owned();
    let (mut range_ns, mut subqueries_ns, mut offset_ns) = (0, 0, 0);
    for found in Regex::new(RANGE)?.captures_iter(&bare) {
        let long_ns = duration_ns(&found[1])?;
        if found[2].is_empty() {
            range_ns = long_ns.max(range_ns);
        } else {
            subqueries_ns += long_ns;
        }
    }
    for found in Regex::new(OFFSET)?.captures_iter(&bare) {
        offset_ns = duration_ns(&found[1])?.max(offset_ns);
    }
    Ok(range_ns + subqueries_ns + offset_ns)
}

/// `1h30m`, `500ms`.
fn duration_ns(text: &str) -> Result<u64, regex::Error> {
    let part = |found: regex::Captures<'_>| {
        let unit_ms: u64 = match &found[2] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => 31_536_000_000,
        };
        found[1].parse::<u64>().unwrap_or(u64::MAX).saturating_mul(unit_ms * 1_000_000)
    };
    Ok(Regex::new(PART)?.captures_iter(text).map(part).fold(0, u64::saturating_add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_told_from_what_computes() {
        for text in [
            "up",
            " up ",
            "job:errors:rate5m",
            r#"up{job="shop"}"#,
            r#"up { job = "shop", x!~"a{2}\"}" } "#,
            r#"{__name__=~"up|down"}"#,
        ] {
            assert!(is_selector(text), "{text}");
        }
        for text in [
            "",
            " ",
            "1",
            "up == 0",
            "sum(up)",
            "up + up",
            "up[5m]",
            "up offset 5m",
            "up # plain",
            "-up",
            r#"up{a="b"} or up{c="d"}"#,
            "up @ 5",
        ] {
            assert!(!is_selector(text), "{text}");
        }
    }

    #[test]
    fn ranges_subqueries_and_offsets_reach_back() {
        for (query, seconds) in [
            ("up", 0),
            ("rate(a[1m]) / rate(b[30s])", 60),
            ("max_over_time(rate(a[1m])[10m:5s])", 660),
            ("rate(a[1h30m] offset 5m)", 5_700),
            (r#"rate(a{x=~"[5h]+", y='[1d]'}[ 20s ])"#, 20),
            ("a offset -1m", 60),
        ] {
            assert_eq!(reach_ns(query).unwrap(), seconds * 1_000_000_000, "{query}");
        }
        assert_eq!(duration_ns("1s500ms").unwrap(), 1_500_000_000);
    }
}

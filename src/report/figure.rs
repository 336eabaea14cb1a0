//! How figures are written.
//!
//! A figure never claims more than its resolution: the digits shown follow from the error, and a
//! shown error is never smaller than the real one.

use crate::model::verdict::ClaimReport;

/// Shown where a value is missing or not a number.
pub const UNKNOWN: &str = "not measured";

/// `2.31 s`; below 0.1 s with milliseconds.
#[must_use]
pub fn seconds(value: f64) -> String {
    let decimals = if value.abs() < 0.1 && value != 0.0 { 3 } else { 2 };
    number(value, decimals).map_or_else(|| UNKNOWN.to_owned(), |n| n + " s")
}

/// `2.31 s ± 0.02 s`.
#[must_use]
pub fn seconds_within(value: f64, error: Option<f64>) -> String {
    within(value, error, "seconds")
}

/// `+1.91 s`, `-0.04 s`.
#[must_use]
pub fn signed_seconds(value: f64) -> String {
    let text = seconds(value);
    if text.starts_with(['-', 'n']) { text } else { format!("+{text}") }
}

/// A value, its error, and the unit of both.
#[must_use]
pub fn within(value: f64, error: Option<f64>, unit: &str) -> String {
    let error = error.filter(|e| e.is_finite() && *e > 0.0);
    let decimals = error.map_or_else(|| decimals_of(value, unit), |e| decimals_for(e, unit));
    let Some(shown) = number(value, decimals) else { return UNKNOWN.to_owned() };
    let Some(error) = error else { return with_unit(&shown, unit) };
    let error = number(rounded_up(error, decimals), decimals).unwrap_or_default();
    match unit {
        "seconds" | "percent" | "milliseconds" => {
            format!("{} ± {}", with_unit(&shown, unit), with_unit(&error, unit))
        }
        _ => format!("{shown} ± {error} {unit}"),
    }
}

/// The figure of a claim, or that there is none.
#[must_use]
pub fn measured(claim: &ClaimReport) -> String {
    claim.measured.map_or_else(|| UNKNOWN.to_owned(), |m| within(m, claim.error, &claim.unit))
}

/// The limit of a claim as it was written: `6 s`, `99.9%`.
#[must_use]
pub fn limit(claim: &ClaimReport) -> String {
    exact(claim.limit, &claim.unit)
}

/// A stated quantity, with no digit more than it has.
#[must_use]
pub fn exact(value: f64, unit: &str) -> String {
    if value.is_finite() { with_unit(&format!("{value}"), unit) } else { UNKNOWN.to_owned() }
}

/// `85.58%`, `99.951%`: from 99 on to a thousandth, so that five nines are told from four.
#[must_use]
pub fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |v| within(v, None, "percent"))
}

/// `0.42 ms`: three digits that count.
#[must_use]
pub fn milliseconds(value: f64) -> String {
    within(value, None, "milliseconds")
}

/// `12,345`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 outage`, `2 outages`.
#[must_use]
pub fn counted(value: u64, thing: &str) -> String {
    if value == 1 { format!("1 {thing}") } else { format!("{} {thing}s", count(value)) }
}

/// The first characters of a digest, enough to tell two apart.
#[must_use]
pub fn short_digest(digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.chars().take(12).collect()
}

/// A moment of the wall clock as RFC 3339, with no more digits than milliseconds.
#[must_use]
pub fn moment(rfc3339: &str) -> String {
    let Some((whole, rest)) = rfc3339.split_once('.') else { return rfc3339.to_owned() };
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    let (fraction, offset) = rest.split_at(digits);
    match &fraction[..digits.min(3)] {
        "" => rfc3339.to_owned(),
        shown => format!("{whole}.{shown}{offset}"),
    }
}

/// The number with that many decimals; none where it is not finite. There is no minus zero.
#[must_use]
pub fn number(value: f64, decimals: usize) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let text = format!("{value:.decimals$}");
    let zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
    Some(if zero { text.trim_start_matches('-').to_owned() } else { text })
}

fn with_unit(number: &str, unit: &str) -> String {
    match unit {
        "seconds" => format!("{number} s"),
        "milliseconds" => format!("{number} ms"),
        "percent" => format!("{number}%"),
        "writes" if number == "1" => "1 write".to_owned(),
        "" => number.to_owned(),
        other => format!("{number} {other}"),
    }
}

fn decimals_of(value: f64, unit: &str) -> usize {
    match unit {
        "percent" if value >= 99.0 => 3,
        "milliseconds" if value.abs() < 10.0 => 2,
        "milliseconds" if value.abs() < 100.0 => 1,
        "milliseconds" => 0,
        "seconds" if value.abs() < 0.1 && value != 0.0 => 3,
        "seconds" | "percent" => 2,
        _ => usize::from(value.fract() != 0.0),
    }
}

/// Two decimals where they hold the error, else three.
fn decimals_for(error: f64, unit: &str) -> usize {
    if unit == "writes" {
        return 0;
    }
    let hundredths = error * 100.0;
    if hundredths > 0.5 && (hundredths - hundredths.round()).abs() < 1e-6 { 2 } else { 3 }
}

fn rounded_up(error: f64, decimals: usize) -> f64 {
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(3));
    (error * scale - 1e-6).ceil() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_from_the_error() {
        assert_eq!(seconds_within(2.3104, Some(0.02)), "2.31 s ± 0.02 s");
        assert_eq!(seconds_within(2.3104, Some(0.003)), "2.310 s ± 0.003 s");
        assert_eq!(seconds_within(2.3104, Some(0.0201)), "2.310 s ± 0.021 s");
        assert_eq!(seconds_within(2.3104, None), "2.31 s");
        assert_eq!(seconds_within(2.3104, Some(0.0)), "2.31 s");
    }

    #[test]
    fn an_error_is_never_shown_smaller_than_it_is() {
        for error in [0.000_01, 0.0004, 0.0101, 0.0199, 0.25, 1.0049] {
            let text = seconds_within(1.0, Some(error));
            let shown = text.split(" ± ").nth(1).unwrap().trim_end_matches(" s");
            assert!(shown.parse::<f64>().unwrap() >= error, "{error} is shown as {text}");
        }
    }

    #[test]
    fn each_unit_has_its_form() {
        assert_eq!(within(3.0, Some(2.0), "writes"), "3 ± 2 writes");
        assert_eq!(within(1.0, None, "writes"), "1 write");
        assert_eq!(within(99.95, Some(0.01), "percent"), "99.95% ± 0.01%");
        assert_eq!(percent(Some(99.9991)), "99.999%");
        assert_eq!(percent(Some(85.5812)), "85.58%");
        assert_eq!(milliseconds(0.4217), "0.42 ms");
        assert_eq!(milliseconds(1234.5), "1234 ms");
        assert_eq!(exact(6.0, "seconds"), "6 s");
        assert_eq!(exact(99.9, "percent"), "99.9%");
    }

    #[test]
    fn what_is_no_number_is_not_measured() {
        assert_eq!(seconds(f64::NAN), UNKNOWN);
        assert_eq!(within(f64::INFINITY, None, "percent"), UNKNOWN);
        assert_eq!(percent(None), UNKNOWN);
        assert_eq!(signed_seconds(f64::NAN), UNKNOWN);
    }

    #[test]
    fn a_moment_has_milliseconds_at_most() {
        assert_eq!(moment("2026-03-14T09:26:53.123456789Z"), "2026-03-14T09:26:53.123Z");
        assert_eq!(moment("2026-03-14T09:26:53.1+01:00"), "2026-03-14T09:26:53.1+01:00");
        assert_eq!(moment("2026-03-14T09:26:53+01:00"), "2026-03-14T09:26:53+01:00");
        assert_eq!(moment("no. moment"), "no. moment");
    }

    #[test]
    fn there_is_no_minus_zero() {
        assert_eq!(seconds(-0.0001), "0.000 s");
        assert_eq!(signed_seconds(-0.04), "-0.040 s");
        assert_eq!(signed_seconds(1.914), "+1.91 s");
    }

    #[test]
    fn large_counts_are_grouped() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "outage"), "1 outage");
        assert_eq!(counted(0, "outage"), "0 outages");
    }
}

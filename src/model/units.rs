//! Quantities as people write them: `250ms`, `99.9%`, `200/s`. A unit is never left out.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A length of time, written with a unit: `250ms`, `20s`, `5m`, `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Span(pub Duration);

/// A share of a whole, written `50%` or `99.9%`; between 0 and 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Percent(pub f64);

/// How often something happens, written `200/s`, `30/m`; above 0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

impl Span {
    pub const ZERO: Span = Span(Duration::ZERO);

    #[must_use]
    pub const fn millis(ms: u64) -> Span {
        Span(Duration::from_millis(ms))
    }

    #[must_use]
    pub const fn secs(s: u64) -> Span {
        Span(Duration::from_secs(s))
    }

    #[must_use]
    pub fn nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }
}

impl Percent {
    /// The share as a fraction of 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        self.0 / 100.0
    }
}

impl Rate {
    /// Nanoseconds from one event to the next.
    #[must_use]
    pub fn interval_ns(self) -> f64 {
        1e9 / self.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(s: &str) -> Result<Span, String> {
        if s.trim().parse::<f64>().is_ok() && s.trim() != "0" {
            return Err(format!("`{s}` has no unit; write `{s}ms` or `{s}s`"));
        }
        if s.trim() == "0" {
            return Err("`0` has no unit; write `0s`".to_owned());
        }
        humantime::parse_duration(s)
            .map(Span)
            .map_err(|_| format!("`{s}` is not a duration; write it like `250ms`, `20s` or `5m`"))
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(s: &str) -> Result<Percent, String> {
        let wrong = || format!("`{s}` is not a percentage; write it like `50%` or `99.9%`");
        let number = s.trim().strip_suffix('%').ok_or_else(wrong)?;
        let value: f64 = number.trim().parse().map_err(|_| wrong())?;
        if !(0.0..=100.0).contains(&value) {
            return Err(format!("`{s}` is outside 0% to 100%"));
        }
        Ok(Percent(value))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(s: &str) -> Result<Rate, String> {
        let wrong = || format!("`{s}` is not a rate; write it like `200/s` or `30/m`");
        let (count, unit) = s.trim().split_once('/').ok_or_else(wrong)?;
        let count: f64 = count.trim().parse().map_err(|_| wrong())?;
        let per_second = match unit.trim() {
            "s" => count,
            "m" => count / 60.0,
            "h" => count / 3600.0,
            _ => return Err(wrong()),
        };
        if !(per_second > 0.0 && per_second <= 100_000.0) {
            return Err(format!("`{s}` is outside what can be kept: above 0 and up to 100000/s"));
        }
        Ok(Rate(per_second))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whole microseconds at least: nobody reads the nanoseconds of a plan.
        let shown = Duration::from_micros(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX));
        // A month is no length of time that one can count with; hours are.
        let hours = shown.as_secs() / 3600;
        if hours < 24 {
            let text = humantime::format_duration(shown).to_string();
            return f.write_str(&text.replace(' ', ""));
        }
        write!(f, "{hours}h")?;
        let rest = shown.saturating_sub(Duration::from_secs(hours * 3600));
        if rest.is_zero() {
            return Ok(());
        }
        f.write_str(&humantime::format_duration(rest).to_string().replace(' ', ""))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1.0 { write!(f, "{}/m", self.0 * 60.0) } else { write!(f, "{}/s", self.0) }
    }
}

/// Reads a unit from its text; a bare number becomes an error that shows what to write.
macro_rules! text_unit {
    ($unit:ty, $name:literal, $pattern:literal, $description:literal) => {
        impl Serialize for $unit {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $unit {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $unit {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "description": $description})
            }
        }
    };
}

text_unit!(
    Span,
    "Duration",
    r"^\s*([0-9]+\s*(ns|us|ms|s|sec|m|min|h|hr|d|day|days)\s*)+$",
    "a length of time with its unit: 250ms, 20s, 1m30s"
);
text_unit!(Percent, "Percent", r"^\s*[0-9]+(\.[0-9]+)?\s*%$", "a percentage from 0% to 100%");
text_unit!(
    Rate,
    "Rate",
    r"^\s*[0-9]+(\.[0-9]+)?\s*/\s*(s|m|h)$",
    "how often: 200/s, 30/m; at most 100000/s"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_never_left_out() {
        assert!("5".parse::<Span>().unwrap_err().contains("no unit"));
        assert!("0".parse::<Span>().unwrap_err().contains("no unit"));
        assert!("5".parse::<Percent>().is_err());
        assert!("200".parse::<Rate>().is_err());
    }

    #[test]
    fn text_survives_a_round_trip() {
        for text in ["250ms", "20s", "1m30s", "0s", "2h", "900h", "25h1m"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("14d".parse::<Span>().unwrap().to_string(), "336h", "no months");
        assert_eq!("99.9%".parse::<Percent>().unwrap().to_string(), "99.9%");
        assert_eq!("200/s".parse::<Rate>().unwrap().to_string(), "200/s");
        assert_eq!("30/m".parse::<Rate>().unwrap().to_string(), "30/m");
    }

    #[test]
    fn out_of_range_is_refused() {
        assert!("101%".parse::<Percent>().is_err());
        assert!("-1%".parse::<Percent>().is_err());
        assert!("0/s".parse::<Rate>().is_err());
        assert!("200001/s".parse::<Rate>().is_err());
    }
}

//! What an answer of Prometheus says: right, wrong, or nothing; and how old that is.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::params::{Expectation, Params};
use super::query::{LABEL, OLDEST, VALUE, reach_ns};
use crate::model::observation::ErrorClass;

/// By what an answer is read.
pub struct Rule {
    expect: Expectation,
    fresh_within_ns: u64,
    reach_ns: u64,
}

/// What one answer said.
#[derive(Debug, PartialEq)]
pub struct Reading {
    pub answer: Result<(), ErrorClass>,
    /// Of its oldest sample, and how far the query looks back beyond that.
    pub age_ns: Option<u64>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    /// The time of the question in seconds, and the value as text.
    value: (f64, String),
}

impl Reading {
    pub fn nothing() -> Reading {
        Reading { answer: Err(ErrorClass::NoData), age_ns: None }
    }
}

impl Rule {
    pub fn of(params: &Params) -> Result<Rule, String> {
        Ok(Rule {
            expect: params.expect,
            fresh_within_ns: params.fresh_within.nanos(),
            reach_ns: reach_ns(&params.query).map_err(|e| e.to_string())?,
        })
    }

    /// Reads a body that came with status 200.
    pub fn read(&self, body: &[u8]) -> Reading {
        self.figure(body).unwrap_or_else(Reading::nothing)
    }

    /// None wherever it says nothing: it must be whole, without a warning, fresh, and of numbers.
    fn figure(&self, body: &[u8]) -> Option<Reading> {
        let answer: Answer = serde_json::from_slice(body).ok()?;
        let sound = answer.status == "success" && answer.warnings.is_empty();
        let series = answer.data.filter(|_| sound)?.result;
        let of = |half: &'static str| {
            series.iter().filter(move |one| one.metric.get(LABEL).is_some_and(|text| text == half))
        };
        let (asked, oldest) = of(OLDEST).map(|one| &one.value).next()?;
        let age_ns = nanos(asked - oldest.parse::<f64>().ok()?)?;
        if age_ns > self.fresh_within_ns {
            return None;
        }
        let values: Option<Vec<f64>> = of(VALUE).map(|one| one.value.1.parse().ok()).collect();
        let values = values.filter(|all| !all.is_empty() && all.iter().all(|v| !v.is_nan()))?;
        let right = values.iter().all(|value| self.expect.is_met_by(*value));
        Some(Reading {
            answer: if right { Ok(()) } else { Err(ErrorClass::WrongAnswer) },
            age_ns: Some(age_ns.saturating_add(self.reach_ns)),
        })
    }
}

/// What is wrong with the question itself, if the answer says so.
pub fn objection(status: u16, body: &[u8]) -> Option<String> {
    let said = || serde_json::from_slice::<Answer>(body).map(|a| a.error).unwrap_or_default();
    match status {
        400 => Some(format!("Prometheus does not understand the query: {}; mend it", said())),
        401 | 403 => {
            Some(format!("Prometheus does not let us ask (status {status}); give `bearer`"))
        }
        404 => Some("there is no Prometheus under this `url`; give it without `/api`".to_owned()),
        _ => None,
    }
}

/// A sample from a moment ahead of the question is of that moment.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and `as` saturates"
)]
fn nanos(seconds: f64) -> Option<u64> {
    seconds.is_finite().then(|| (seconds.max(0.0) * 1e9).round() as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(expect: Value) -> Rule {
        let params = json!({"url": "http://a", "query": "rate(a[1m])", "freshBy": "a",
                            "expect": expect, "freshWithin": "10s"});
        Rule::of(&serde_json::from_value(params).unwrap()).unwrap()
    }

    /// An answer at 100 s.
    fn answer(values: &[&str], oldest: Option<&str>) -> Value {
        let series =
            |half: &str, text: &str| json!({"metric": {LABEL: half}, "value": [100.0, text]});
        let values = values.iter().map(|text| series(VALUE, text));
        let result: Vec<Value> = values.chain(oldest.map(|text| series(OLDEST, text))).collect();
        json!({"status": "success", "data": {"resultType": "vector", "result": result}})
    }

    fn read(expect: Value, answer: &Value) -> Result<(), ErrorClass> {
        rule(expect).read(&serde_json::to_vec(answer).unwrap()).answer
    }

    #[test]
    fn every_series_must_fit_and_bounds_belong_to_the_range() {
        let (good, bad) = (Ok(()), Err(ErrorClass::WrongAnswer));
        for (expect, values, right) in [
            (json!({"atLeast": 1}), &["1", "2"][..], good),
            (json!({"atLeast": 1}), &["1", "0"], bad),
            (json!({"atMost": 0.5}), &["0.5"], good),
            (json!({"atMost": 0.5}), &["0.51"], bad),
            (json!({"atLeast": 1, "atMost": 2}), &["1", "2"], good),
            (json!({"atLeast": 1, "atMost": 2}), &["3"], bad),
            (json!({"atLeast": 1}), &["+Inf"], good),
            (json!({"atLeast": 1}), &["-Inf"], bad),
        ] {
            assert_eq!(read(expect, &answer(values, Some("99"))), right, "{values:?}");
        }
    }

    #[test]
    fn what_is_no_figure_is_neither_good_nor_bad() {
        let expect = || json!({"atMost": 0.5});
        let nothing = Err(ErrorClass::NoData);
        for (values, oldest) in [
            (&[][..], Some("99")),
            (&["0"], None),
            (&["NaN"], Some("99")),
            (&["0", "NaN"], Some("99")),
            (&["0"], Some("NaN")),
            (&["0"], Some("89.9")),
            (&["none"], Some("99")),
        ] {
            assert_eq!(read(expect(), &answer(values, oldest)), nothing, "{values:?} {oldest:?}");
        }
        let mut doubtful = answer(&["0"], Some("99"));
        assert_eq!(read(expect(), &doubtful), Ok(()));
        doubtful["warnings"] = json!(["a store did not answer"]);
        assert_eq!(read(expect(), &doubtful), nothing);
        assert_eq!(read(expect(), &json!({"status": "error", "error": "x"})), nothing);
        assert_eq!(rule(expect()).read(b"<html>"), Reading::nothing());
        let scalar = json!({"status": "success", "data": {"result": [100.0, "0"]}});
        assert_eq!(read(expect(), &scalar), nothing);
    }

    #[test]
    fn the_age_is_of_the_oldest_sample_and_of_what_the_query_looks_back() {
        let age = |oldest: &str| {
            let body = serde_json::to_vec(&answer(&["0"], Some(oldest))).unwrap();
            rule(json!({"atMost": 1})).read(&body).age_ns
        };
        assert_eq!(age("97.5"), Some(62_500_000_000));
        assert_eq!(age("100.001"), Some(60_000_000_000));
        assert_eq!(age("80"), None);
    }

    #[test]
    fn only_an_objection_to_the_question_is_one() {
        let body = br#"{"status":"error","errorType":"bad_data","error":"parse error: up{"}"#;
        assert!(objection(400, body).unwrap().contains("parse error: up{"));
        assert!(objection(401, b"").unwrap().contains("bearer"));
        assert!(objection(404, b"404 page not found").unwrap().contains("url"));
        for status in [200, 422, 500, 503] {
            assert_eq!(objection(status, body), None);
        }
    }
}

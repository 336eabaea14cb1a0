//! Hours, days, zones and the two odd nights of the year.

use jiff::Timestamp;
use serde_json::json;

use super::{Params, Window};
use crate::guard::RuleKind;
use crate::guard::facts::Facts;
use crate::model::plan::Plan;
use crate::plan::fixture::{planned, primary_loss};

fn hours(open: &serde_json::Value) -> Params {
    serde_json::from_value(json!({"zone": "Europe/Berlin", "open": open})).unwrap()
}

fn working() -> Params {
    hours(&json!([{"days": ["mon", "tue", "wed", "thu"], "from": "09:30", "to": "16:00"}]))
}

fn at(time: &str) -> Facts {
    Facts { now: Some(time.parse().unwrap()), ..Facts::default() }
}

/// It takes 51 s at most.
fn plan() -> Plan {
    planned(&primary_loss())
}

fn refused(params: &Params, time: &str) -> String {
    let reasons = Window::check(params, &plan(), &at(time));
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn open_in_its_hours_and_shut_outside() {
    let params = working();
    assert_eq!(refused(&params, "2026-06-16T09:30:00+02:00"), "");
    assert_eq!(refused(&params, "2026-06-16T15:59:06+02:00"), "");
    let early = refused(&params, "2026-06-16T09:29:59+02:00");
    assert_eq!(early, "Tue 09:29 in Europe/Berlin is outside mon tue wed thu 09:30 to 16:00");
    assert!(refused(&params, "2026-06-16T16:00:00+02:00").contains("is outside"));
    assert!(refused(&params, "2026-06-19T12:00:00+02:00").starts_with("Fri 12:00 in"));
    // The same hour by UTC is not the same hour.
    assert!(refused(&params, "2026-06-16T07:29:00Z").contains("is outside"));
    assert_eq!(refused(&params, "2026-06-16T07:30:00Z"), "");
}

#[test]
fn a_drill_must_be_over_when_the_window_closes() {
    let late = refused(&working(), "2026-06-16T15:59:08+02:00");
    let told =
        "begun at Tue 15:59 it could take 53s, and the window in Europe/Berlin closes at 16:00";
    assert_eq!(late, told);
    let until = Window::until(&working(), &plan(), &at("2026-06-16T15:58:00+02:00"));
    assert_eq!(until, Some("2026-06-16T15:59:07+02:00".parse::<Timestamp>().unwrap()));
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let night = hours(&json!([{"days": ["fri"], "from": "22:00", "to": "06:00"}]));
    assert_eq!(refused(&night, "2026-06-19T23:00:00+02:00"), "");
    assert_eq!(refused(&night, "2026-06-20T05:00:00+02:00"), "");
    assert_ne!(refused(&night, "2026-06-19T05:00:00+02:00"), "");
    assert_ne!(refused(&night, "2026-06-20T23:00:00+02:00"), "");
}

#[test]
fn openings_that_touch_are_one() {
    let halves = hours(&json!([
        {"days": ["tue"], "from": "09:00", "to": "12:00"},
        {"days": ["tue"], "from": "12:00", "to": "16:00"},
    ]));
    assert_eq!(refused(&halves, "2026-06-16T11:59:50+02:00"), "");
    let always = hours(&json!([
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "00:00"},
    ]));
    assert_eq!(refused(&always, "2026-06-16T23:59:50+02:00"), "");
}

#[test]
fn the_odd_nights_are_counted_by_the_clock_on_the_wall() {
    let early = hours(&json!([{"days": ["sun"], "from": "02:15", "to": "03:15"}]));
    // 29 March 2026: 02:00 becomes 03:00, so 02:15 is 03:15 and it closes as it opens.
    assert_ne!(refused(&early, "2026-03-29T01:10:00Z"), "");
    // 25 October 2026: 02:15 comes twice, and the window is open for two hours.
    assert_eq!(refused(&early, "2026-10-25T00:20:00Z"), "");
    assert_eq!(refused(&early, "2026-10-25T01:20:00Z"), "");
}

#[test]
fn what_never_opens_is_said() {
    let wrong = |params: &Params| Window::faults_of(params).join("; ");
    assert!(wrong(&hours(&json!([]))).contains("never opens"));
    assert!(wrong(&Params { zone: "Mars/Phobos".into(), ..working() }).contains("no IANA"));
    assert_eq!(wrong(&working()), "");
    let clock = |text: &str| serde_json::from_value::<super::Clock>(json!(text));
    assert!(clock("9h30").unwrap_err().to_string().contains("write it like"));
    assert!(clock("24:00").is_err());
    assert_eq!(serde_json::to_value(clock("09:30").unwrap()).unwrap(), json!("09:30"));
}

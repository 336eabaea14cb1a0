//! `window`: the hours in which a drill may run, in a named time zone. It must also be over by the
//! end of them, at its longest.

use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admission::clock;
use super::facts::Facts;
use super::{Reason, RuleKind};
use crate::model::plan::Plan;

/// Open in any one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// An IANA name: `Europe/Berlin`, `UTC`.
    pub zone: String,
    pub open: Vec<Opening>,
}

/// From one time of day to another; to an earlier one means into the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Opening {
    /// The days on which it opens.
    pub days: Vec<Day>,
    pub from: Clock,
    pub to: Clock,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A time of day, `09:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Clock(Time);

/// Openings that touch are joined over as many days.
const DAYS: usize = 9;

pub struct Window;

impl RuleKind for Window {
    type Params = Params;

    const KIND: &'static str = "window";
    const SUMMARY: &'static str = "the hours in which a drill may run and must be over";
    const EXAMPLE: &'static str = "window: {zone: Europe/Berlin, open: [{days: [mon, tue, wed, \
         thu], from: \"09:30\", to: \"16:00\"}]}";

    fn faults_of(params: &Params) -> Vec<String> {
        let mut wrong = Vec::new();
        if zone(&params.zone).is_none() {
            wrong.push(format!("`{}` is no IANA time zone; write Europe/Berlin", params.zone));
        }
        if params.open.iter().all(|opening| opening.days.is_empty()) {
            wrong.push("it never opens; name days under `open`".to_owned());
        }
        wrong
    }

    fn check(params: &Params, plan: &Plan, facts: &Facts) -> Vec<Reason> {
        let now = match clock(facts) {
            Ok(now) => now,
            Err(missing) => return vec![missing],
        };
        let Some(zone) = zone(&params.zone) else { return Vec::new() };
        let local = now.to_zoned(zone.clone()).strftime("%a %H:%M").to_string();
        match closing(params, &zone, now) {
            None => vec![Reason::Breaks(format!(
                "{local} in {} is outside {}",
                params.zone,
                openings(params)
            ))],
            Some(end) if last_start(end, plan).is_none_or(|last| last <= now) => {
                vec![Reason::Breaks(format!(
                    "begun at {local} it could take {}, and the window in {} closes at {}",
                    plan.blast_radius.longest_drill,
                    params.zone,
                    end.to_zoned(zone).strftime("%H:%M")
                ))]
            }
            Some(_) => Vec::new(),
        }
    }

    fn until(params: &Params, plan: &Plan, facts: &Facts) -> Option<Timestamp> {
        last_start(closing(params, &zone(&params.zone)?, facts.now?)?, plan)
    }
}

/// From the database in the program, so that no machine's files decide.
fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// When the opening that is open now ends; one that begins by then carries on from it.
fn closing(params: &Params, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let openings = around(params, zone, now);
    let mut end = now;
    loop {
        let reached = |(from, to): &&(Timestamp, Timestamp)| *from <= end && end < *to;
        match openings.iter().filter(reached).map(|(_, to)| *to).max() {
            Some(later) => end = later,
            None => return (end > now).then_some(end),
        }
    }
}

/// Every opening from yesterday on for as many days as a drill could last, as moments.
fn around(params: &Params, zone: &TimeZone, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut day = now.to_zoned(zone.clone()).date().yesterday().ok();
    let mut openings = Vec::new();
    for _ in 0..DAYS {
        let Some(today) = day else { break };
        day = today.tomorrow().ok();
        let opens = |o: &&Opening| o.days.iter().any(|d| d.weekday() == today.weekday());
        for opening in params.open.iter().filter(opens) {
            let (from, to) = (opening.from.0, opening.to.0);
            let last = if to <= from { day } else { Some(today) };
            let begin = zone.to_timestamp(today.to_datetime(from)).ok();
            let end = last.and_then(|last| zone.to_timestamp(last.to_datetime(to)).ok());
            openings.extend(begin.zip(end));
        }
    }
    openings
}

/// The last moment at which the drill may begin and still be over at `end`.
fn last_start(end: Timestamp, plan: &Plan) -> Option<Timestamp> {
    let longest = SignedDuration::try_from(plan.blast_radius.longest_drill.0).ok()?;
    end.checked_sub(longest).ok()
}

fn openings(params: &Params) -> String {
    let each = params.open.iter().map(|o| {
        let days: Vec<&str> = o.days.iter().map(|d| d.name()).collect();
        format!("{} {} to {}", days.join(" "), String::from(o.from), String::from(o.to))
    });
    each.collect::<Vec<_>>().join(", ")
}

impl Day {
    fn weekday(self) -> Weekday {
        match self {
            Day::Mon => Weekday::Monday,
            Day::Tue => Weekday::Tuesday,
            Day::Wed => Weekday::Wednesday,
            Day::Thu => Weekday::Thursday,
            Day::Fri => Weekday::Friday,
            Day::Sat => Weekday::Saturday,
            Day::Sun => Weekday::Sunday,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Day::Mon => "mon",
            Day::Tue => "tue",
            Day::Wed => "wed",
            Day::Thu => "thu",
            Day::Fri => "fri",
            Day::Sat => "sat",
            Day::Sun => "sun",
        }
    }
}

impl TryFrom<String> for Clock {
    type Error = String;

    fn try_from(text: String) -> Result<Clock, String> {
        let wrong = |_| format!("`{text}` is not a time of day; write it like `\"09:30\"`");
        Time::strptime("%H:%M", &text).map(Clock).map_err(wrong)
    }
}

impl From<Clock> for String {
    fn from(clock: Clock) -> String {
        clock.0.strftime("%H:%M").to_string()
    }
}

impl JsonSchema for Clock {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Clock".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
            "description": "a time of day: \"09:30\""
        })
    }
}

#[cfg(test)]
mod tests;

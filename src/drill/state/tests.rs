//! Whose silence it is: the system's while the prober looks, and nobody's while it does not.

use serde_json::json;

use super::*;
use crate::model::experiment::{Claim, ProbeSpec};
use crate::model::observation::{Grade, Observation};
use crate::model::units::Rate;
use crate::plan::fixture;

const MS: u64 = 1_000_000;

/// Out for longer than a second ends the hold.
fn plan() -> Plan {
    let mut experiment = fixture::primary_loss();
    let probe = ProbeSpec {
        kind: "tcp".into(),
        params: json!({"address": "10.0.0.1:80"}),
        rate: Rate(100.0),
        deadline: Span::millis(50),
        steady: true,
        slo: None,
        from: None,
    };
    experiment.probes.insert("ping".into(), probe);
    experiment.stop_conditions.push(Claim {
        check: "outage".into(),
        params: json!({"probe": "ping", "longerThan": "1s"}),
        probe: Some("ping".into()),
        target: None,
        line: 1,
    });
    fixture::planned(&experiment)
}

fn slots(from_ms: u64, to_ms: u64, grade: Grade) -> Entry {
    let slot = |ms: u64| Observation {
        slot: ms / 10,
        due_ns: ms * MS,
        started_ns: ms * MS,
        done_ns: (ms + 1) * MS,
        grade,
        error: None,
        phases: None,
        write: None,
        peer: None,
        age_ns: None,
    };
    let slots = (from_ms..to_ms).step_by(10).map(slot).collect();
    Entry::Slots { probe: "ping".into(), slots }
}

/// All is well up to 5 s.
fn well(plan: &Plan) -> State {
    let mut state = State::new(Watch::of(&plan.experiment.probes), plan);
    state.saw(5_000 * MS, &slots(0, 5_000, Grade::Good));
    state
}

#[test]
fn no_word_from_the_prober_never_trips() {
    let plan = plan();
    let mut state = well(&plan);
    // However long ago that was.
    assert_eq!(state.tripped(&plan), None, "it has never said that it is awake");
    state.prober_awake(5_000 * MS);
    assert_eq!(state.tripped(&plan), None);
}

/// A prober that is late again and again may never be awake for long enough.
#[test]
fn failures_that_were_told_trip_without_a_word_of_who_is_awake() {
    let plan = plan();
    let mut state = well(&plan);
    state.saw(5_900 * MS, &slots(5_000, 5_900, Grade::Bad));
    assert_eq!(state.tripped(&plan), None, "not longer than 1 s");
    state.saw(6_100 * MS, &slots(5_900, 6_100, Grade::Bad));
    assert!(state.tripped(&plan).is_some());
}

#[test]
fn what_a_standstill_held_up_is_taken_in_before_anything_trips() {
    let plan = plan();
    let mut state = well(&plan);
    state.prober_awake(5_000 * MS);
    // It stood still for 10 s, and says so before it says that it is awake again.
    state.saw(15_010 * MS, &slots(5_000, 15_000, Grade::Invalid));
    assert_eq!(state.tripped(&plan), None);
    state.saw(15_210 * MS, &slots(15_000, 15_200, Grade::Good));
    state.prober_awake(15_210 * MS);
    assert_eq!(state.tripped(&plan), None);
}

#[test]
fn silence_while_the_prober_is_awake_trips_in_time() {
    let plan = plan();
    let mut state = well(&plan);
    let trips = (5_000..9_000).step_by(50).find(|ms| {
        state.prober_awake(ms * MS);
        state.tripped(&plan).is_some()
    });
    // The last good slot was over at 4991 ms.
    assert_eq!(trips, Some(6_000));
    state.prober_awake(100 * MS);
    assert!(state.tripped(&plan).is_some(), "it does not fall asleep backwards");
}

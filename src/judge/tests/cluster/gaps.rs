//! What was not watched is not known: no claim holds over it, and none deviates.

use serde_json::json;

use super::{World, within};
use crate::judge::scripted::at_ns;
use crate::model::cluster_seen::ClusterFact;
use crate::model::outcome::ClaimVerdict::{Held, Inconclusive};

#[test]
fn a_gap_before_the_moment_of_a_figure_leaves_it_unknown() {
    let claims = ["podsReady", "rescheduled", "endpointsDropped"];
    for check in claims {
        let (verdict, measured, finding) = within(World::repaired().gap(10.0, 1700.0), check, "5s");
        assert_eq!((verdict, measured), (Inconclusive, None), "{check}: {finding}");
        assert!(finding.contains("unwatched from 0.01 s to 1.70 s"), "{check}: {finding}");
        assert!(finding.contains("connection refused"), "{check}: {finding}");
        // Nor does it deviate: the news may have been late, and not what it tells of.
        assert_eq!(within(World::repaired().gap(10.0, 1700.0), check, "1ms").0, Inconclusive);
    }
    let later = || World::repaired().gap(5000.0, 6000.0);
    assert_eq!(within(later(), "rescheduled", "5s").0, Held, "it was seen before the gap");
    assert_eq!(within(later(), "endpointsDropped", "5s").0, Held);
    assert_eq!(within(later(), "podsReady", "5s").0, Inconclusive, "ready for good is not known");
    let before = World::repaired().gap(-1500.0, -900.0);
    assert_eq!(within(before, "podsReady", "5s").0, Held, "long before the fault");
    let count = json!({"target": "web", "count": 0});
    assert_eq!(later().claim("restartsAtMost", count).verdict, Inconclusive);
}

#[test]
fn a_gap_without_an_end_lasts() {
    let why = "connection refused".to_owned();
    let gap = ClusterFact::Unwatched { from_ns: at_ns(2000.0), why };
    let world = World::repaired().fact(2500.0, gap);
    assert_eq!(within(world.clone(), "podsReady", "5s").0, Inconclusive);
    assert_eq!(within(world, "rescheduled", "5s").0, Held);
}

#[test]
fn who_was_not_watched_when_the_fault_came_says_nothing() {
    let is_watched = |fact: &ClusterFact| matches!(fact, ClusterFact::Watched);
    for check in ["podsReady", "rescheduled", "endpointsDropped", "rolloutCompletes"] {
        let never = World::repaired().without(is_watched);
        let (verdict, _, finding) = within(never, check, "5s");
        assert_eq!(verdict, Inconclusive, "{check}: {finding}");
        let late = World::repaired().without(is_watched).fact(700.0, ClusterFact::Watched);
        let (verdict, _, finding) = within(late, check, "5s");
        assert!(verdict == Inconclusive && finding.contains("only from 0.70 s"), "{finding}");
        let nothing = World::repaired().without(|_| true);
        assert_eq!(within(nothing, check, "5s").0, Inconclusive);
    }
}

#[test]
fn what_may_not_be_read_is_unknown_to_those_who_need_it() {
    let denied = |what: &str| {
        let (what, why) = (what.to_owned(), "forbidden".to_owned());
        World::repaired().fact(-2390.0, ClusterFact::Unreadable { what, why })
    };
    let (verdict, _, finding) = within(denied("endpointslices of shop"), "endpointsDropped", "5s");
    assert!(verdict == Inconclusive && finding.contains("forbidden"), "{finding}");
    assert_eq!(within(denied("endpointslices of shop"), "podsReady", "5s").0, Held);
    assert_eq!(within(denied("pods of shop"), "podsReady", "5s").0, Inconclusive);
    assert_eq!(within(denied("nodes"), "rescheduled", "5s").0, Held);
    let budget = json!({"target": "web"});
    let claim = denied("poddisruptionbudgets of shop").claim("budgetRespected", budget);
    assert_eq!(claim.verdict, Inconclusive, "it may have one: {claim:?}");
}

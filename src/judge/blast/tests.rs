//! Maps out of drills that are told.

use super::*;
use crate::model::units::Span;

fn declared(losing: &[&str]) -> BlastMap {
    let losing = losing.iter().map(|s| (*s).to_owned()).collect();
    BlastMap {
        name: "shop".to_owned(),
        title: String::new(),
        hurt_by: Span::secs(1),
        journeys: vec!["browse".to_owned(), "checkout".to_owned()],
        services: vec!["mail".to_owned(), "payment".to_owned()],
        claims: vec![BlastClaim::Survives(Survives { journey: "checkout".to_owned(), losing })],
    }
}

fn seen(effect: Effect) -> Cell {
    Cell {
        effect,
        unavailable_percent: Some(0.0),
        longest_seconds: None,
        error_seconds: None,
        ended: true,
        error: None,
        finding: "4.10 s ± 0.20 s".to_owned(),
    }
}

fn lost(service: &str, outcome: Outcome, checkout: Effect) -> Loss {
    let cells = [("browse", Effect::Unhurt), ("checkout", checkout)];
    Loss {
        outcome: Some(outcome),
        cells: cells.map(|(name, effect)| (name.to_owned(), seen(effect))).into(),
        ..spared(service, "so it was")
    }
}

fn judged(map: &BlastMap, losses: Vec<Loss>) -> BlastReport {
    let series = Series { squall: "0".to_owned(), started: String::new(), seed: 1 };
    super::map(map, losses, series)
}

#[test]
fn who_is_hurt_is_no_matter_of_the_verdict_unless_it_is_claimed() {
    let losses = || {
        let hurting = lost("payment", Outcome::Deviated, Effect::Hurt);
        vec![lost("mail", Outcome::Held, Effect::Unhurt), hurting]
    };
    let held = judged(&declared(&["mail"]), losses());
    assert_eq!(held.verdict, Outcome::Held);
    assert_eq!(held.reason, "2 services lost, one at a time: 1 of them hurt somebody");
    let deviated = judged(&declared(&["mail", "payment"]), losses());
    assert_eq!(deviated.verdict, Outcome::Deviated);
    assert!(deviated.reason.contains("losing payment hurt it: 4.10 s"), "{}", deviated.reason);
}

#[test]
fn what_was_not_measured_spares_nobody() {
    let mail = || lost("mail", Outcome::Held, Effect::Unhurt);
    let without = judged(&declared(&["payment"]), vec![mail(), spared("payment", "Ctrl-C")]);
    assert_eq!(without.claims[0].verdict, ClaimVerdict::Inconclusive);
    assert_eq!(without.verdict, Outcome::Inconclusive);
    assert!(without.reason.contains("payment") && without.reason.contains("Ctrl-C"));
    let unclear = lost("payment", Outcome::Inconclusive, Effect::Inconclusive);
    let unclear = judged(&declared(&["mail"]), vec![mail(), unclear]);
    assert_eq!(unclear.claims[0].verdict, ClaimVerdict::Held);
    assert_eq!(unclear.verdict, Outcome::Inconclusive);
    // A claim about a service that is not in the map at all.
    let stranger = judged(&declared(&["nobody"]), vec![mail()]);
    assert_eq!(stranger.claims[0].verdict, ClaimVerdict::Inconclusive);
    assert_eq!(stranger.verdict, Outcome::Inconclusive, "nor is such a claim a pass");
}

#[test]
fn the_worst_end_of_a_drill_is_the_end_of_the_map() {
    let all = |payment: Outcome| {
        let losses = vec![
            lost("mail", Outcome::Held, Effect::Hurt),
            lost("payment", payment, Effect::Inconclusive),
        ];
        judged(&declared(&["payment"]), losses).verdict
    };
    assert_eq!(all(Outcome::Stuck), Outcome::Stuck);
    assert_eq!(all(Outcome::Aborted), Outcome::Aborted);
    let claimed = |outcome: Outcome| {
        judged(&declared(&["mail"]), vec![lost("mail", outcome, Effect::Hurt)]).verdict
    };
    assert_eq!(claimed(Outcome::Aborted), Outcome::Deviated);
    assert_eq!(claimed(Outcome::Stuck), Outcome::Stuck);
}

//! The faces of one map, with every kind of field in it.

use std::collections::BTreeMap;

use super::*;
use crate::model::blast::{BLAST_VERSION, BlastClaimReport, Cell, Effect, Loss};
use crate::model::outcome::{ClaimVerdict, Outcome};
use crate::report::text::Style;

fn cell(effect: Effect) -> Cell {
    let hurt = effect == Effect::Hurt;
    Cell {
        effect,
        unavailable_percent: Some(if hurt { 41.5 } else { 0.0 }),
        longest_seconds: hurt.then_some(5.31),
        error_seconds: hurt.then_some(0.2),
        ended: true,
        error: hurt.then(|| "unavailable".to_owned()),
        finding: String::new(),
    }
}

fn loss(service: &str, outcome: Option<Outcome>, effects: &[(&str, Effect)]) -> Loss {
    let cells: BTreeMap<String, Cell> =
        effects.iter().map(|(name, effect)| ((*name).to_owned(), cell(*effect))).collect();
    Loss {
        service: service.to_owned(),
        what: format!("scale deployment shop/{service} to 0"),
        drill: "d1".to_owned(),
        folder: service.to_owned(),
        outcome,
        reason: "because <b>".to_owned(),
        in_force_seconds: Some(8.0),
        cells,
    }
}

fn report() -> BlastReport {
    let two = |browse, checkout| [("browse", browse), ("checkout", checkout)];
    BlastReport {
        version: BLAST_VERSION,
        map: "shop".to_owned(),
        title: "Who notices".to_owned(),
        squall: "0.1.0".to_owned(),
        started: "2026-01-01T00:00:00Z".to_owned(),
        seed: 1,
        hurt_by_seconds: 1.0,
        journeys: vec!["browse".to_owned(), "checkout".to_owned()],
        losses: vec![
            loss("mail", Some(Outcome::Held), &two(Effect::Unhurt, Effect::Unhurt)),
            loss("payment", Some(Outcome::Deviated), &two(Effect::Unhurt, Effect::Hurt)),
            loss("stock", Some(Outcome::Inconclusive), &two(Effect::Inconclusive, Effect::Hurt)),
            Loss { folder: String::new(), ..loss("users", None, &[]) },
        ],
        claims: vec![BlastClaimReport {
            claim: "checkout survives the loss of mail".to_owned(),
            verdict: ClaimVerdict::Held,
            finding: "none of 1 service hurt it".to_owned(),
        }],
        verdict: Outcome::Inconclusive,
        reason: "the loss of users is not known".to_owned(),
    }
}

#[test]
fn the_table_says_who_was_hurt_for_how_long() {
    let text = text::render(&report(), &Style::plain(80), &[]);
    let row = |name: &str| {
        let row = text.lines().find(|line| line.trim_start().starts_with(name));
        row.unwrap().split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("lost"), ["lost", "browse", "checkout"]);
    assert_eq!(row("mail"), ["mail", "-", "-"]);
    assert_eq!(row("payment"), ["payment", "-", "5.3", "s"]);
    assert_eq!(row("stock"), ["stock", "?", "5.3", "s"]);
    assert_eq!(row("users"), ["users", "?", "?"]);
    assert!(text.contains("payment: hurts checkout (5.31 s ± 0.20 s, unavailable)"), "{text}");
    assert!(text.contains("mail: hurts nobody"), "{text}");
    assert!(text.contains("users: not lost: because"), "{text}");
}

#[test]
fn a_narrow_terminal_gets_the_lines_alone() {
    let mut wide = report();
    wide.journeys = (0..9).map(|n| format!("journey-{n}")).collect();
    let text = text::render(&wide, &Style::plain(60), &[]);
    assert!(!text.contains("lost  "), "{text}");
    assert!(text.lines().all(|line| crate::report::text::columns::width(line) <= 60), "{text}");
}

#[test]
fn no_face_lets_a_word_of_others_be_more_than_a_word() {
    let report = report();
    for face in [html::render(&report), svg::render(&report)] {
        assert!(!face.contains("<b>") && face.contains("&lt;b&gt;"), "{face}");
    }
    assert!(!markdown::render(&report).contains("<b>"));
}

#[test]
fn every_kind_of_field_has_a_shape_of_its_own() {
    let svg = svg::render(&report());
    let counted = |class: &str| svg.matches(&format!("class=\"{class}\"")).count();
    assert_eq!((counted("map-hurt"), counted("map-unhurt"), counted("map-unknown")), (2, 3, 3));
    let page = html::render(&report());
    assert_eq!(page.matches("report.html").count(), 3, "no report of a drill that was not run");
}

#[test]
fn the_json_reads_back() {
    let text = json(&report()).unwrap();
    assert_eq!(serde_json::from_str::<BlastReport>(&text).unwrap(), report());
}

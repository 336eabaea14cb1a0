//! JSON, `JUnit` and Markdown: what other programs and other people's pages take in.

use quick_xml::events::Event;
use squall::model::outcome::Outcome;
use squall::model::verdict::Report;
use squall::report::{json, junit, markdown};

use crate::sample;

/// JSON has no numbers that are none, so that sample cannot be read back.
fn readable() -> impl Iterator<Item = (&'static str, Report)> {
    sample::all().into_iter().filter(|(name, _)| *name != "hostile")
}

#[test]
fn json_reads_back_and_fits_its_schema() {
    let schema = json::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, report) in readable() {
        let text = json::render(&report).unwrap();
        assert!(text.ends_with("}\n"), "{name}");
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report, "{name}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<_> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_a_report_is_not() {
    let validator = jsonschema::validator_for(&json::schema()).unwrap();
    let mut value = serde_json::to_value(sample::named("held")).unwrap();
    assert!(validator.is_valid(&value));
    value["verdict"] = "splendid".into();
    assert!(!validator.is_valid(&value));
}

#[test]
fn the_json_of_a_null_drill() {
    let mut report = sample::named("null");
    report.plan = String::new();
    insta::assert_snapshot!(json::render(&report).unwrap());
}

#[test]
fn the_promised_keys_are_there() {
    let value = serde_json::to_value(sample::named("held")).unwrap();
    for pointer in [
        "/verdict",
        "/seed",
        "/digest",
        "/claims/0/check",
        "/claims/0/probe",
        "/claims/0/verdict",
        "/claims/0/measured",
        "/claims/0/error",
        "/claims/0/limit",
        "/probes/writes/outages/0/fromSeconds",
        "/probes/writes/outages/0/toSeconds",
        "/probes/writes/outages/0/lengthSeconds",
        "/probes/writes/outages/0/errorSeconds",
        "/stages/0/name",
        "/stages/0/atSeconds",
        "/residue",
        "/environment",
    ] {
        assert!(value.pointer(pointer).is_some(), "{pointer}");
    }
}

/// How many cases there are, and how many of them failed or erred.
fn cases(xml: &str) -> (usize, usize, usize) {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut counted = (0, 0, 0);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => match tag.name().as_ref() {
                b"testcase" => counted.0 += 1,
                b"failure" => counted.1 += 1,
                b"error" => counted.2 += 1,
                _ => {}
            },
            Event::Eof => return counted,
            _ => {}
        }
    }
}

#[test]
fn junit_of_a_deviated_drill() {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"(?s)(\n        <system-out>).*?(</system-out>)", "${1}the text$2");
    settings.bind(|| {
        insta::assert_snapshot!(junit::render(&sample::named("deviated")).unwrap());
    });
}

#[test]
fn a_drill_passes_in_junit_only_if_it_held() {
    for (name, report) in sample::all() {
        let (all, failures, errors) = cases(&junit::render(&report).unwrap());
        assert_eq!(all, report.claims.len() + 1, "{name}");
        let passed = failures + errors == 0;
        assert_eq!(passed, report.verdict == Outcome::Held, "{name}");
    }
    let counted = |name| cases(&junit::render(&sample::named(name)).unwrap());
    assert_eq!(counted("deviated"), (5, 3, 1));
    assert_eq!(counted("inconclusive"), (2, 0, 1));
    assert_eq!(counted("stuck"), (2, 1, 1));
    assert_eq!(counted("aborted"), (1, 0, 1));
    assert_eq!(counted("empty"), (1, 0, 1));
}

#[test]
fn a_verdict_that_no_claim_explains_is_the_fault_of_the_drill() {
    let mut report = sample::named("held");
    let claims = report.claims.len() + 1;
    report.verdict = Outcome::Inconclusive;
    assert_eq!(cases(&junit::render(&report).unwrap()), (claims, 0, 1));
    report.verdict = Outcome::Deviated;
    assert_eq!(cases(&junit::render(&report).unwrap()), (claims, 1, 0));
    report.verdict = Outcome::Held;
    report.residue = vec!["a table".to_owned()];
    assert_eq!(cases(&junit::render(&report).unwrap()), (claims, 0, 1));
}

#[test]
fn markdown_of_a_held_failover() {
    insta::assert_snapshot!(markdown::render(&sample::named("held")));
}

#[test]
fn markdown_tables_keep_their_columns() {
    for (name, report) in sample::all() {
        let text = markdown::render(&report);
        let mut columns = None;
        for line in text.lines() {
            let bars = line.replace("\\|", "").matches('|').count();
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            assert_eq!(*columns.get_or_insert(bars), bars, "{name}: {line}");
        }
        // In a block of code every sign is itself, and a line that begins with a word is no fence.
        let (before, code) = text.split_once("```sh\n").unwrap();
        let (command, after) = code.split_once("\n```\n").unwrap();
        assert!(command.starts_with("squall run ") && !command.contains('\n'), "{name}");
        assert!(!before.contains("<script") && !after.contains("<script"), "{name}");
        assert!(text.starts_with(&format!("## {}", report.verdict)), "{name}");
        assert_eq!(text, markdown::render(&report.clone()), "{name}");
    }
}

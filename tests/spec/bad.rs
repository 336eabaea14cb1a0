//! Every file of `bad/` has several mistakes. What is said of it is the snapshot beside it: review
//! it as you would the text of a page.

use std::path::Path;

use squall::spec::Severity;

use super::{folder, read};

#[test]
fn every_bad_document_is_refused_as_its_snapshot_says() {
    let mut files: Vec<_> =
        std::fs::read_dir(folder("bad")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    assert!(files.len() >= 20, "the folder is not there");
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let findings = read(&path).expect_err(&name);
        assert!(findings.has_errors(), "{name}");
        insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(name, without_catalogues(&findings.to_string()));
        });
    }
}

/// A new fault, probe or check must not change these snapshots.
fn without_catalogues(text: &str) -> String {
    let joined = |kinds: Vec<&str>| kinds.join(", ");
    let stops = squall::judge::CATALOGUE.iter().filter(|check| check.stops());
    [
        (joined(squall::fault::CATALOGUE.iter().map(|e| e.kind()).collect()), "[every fault]"),
        (joined(squall::probe::CATALOGUE.iter().map(|e| e.kind()).collect()), "[every probe]"),
        (joined(squall::judge::CATALOGUE.iter().map(|e| e.kind()).collect()), "[every check]"),
        (joined(stops.map(|e| e.kind()).collect()), "[every stop condition]"),
    ]
    .iter()
    .filter(|(kinds, _)| kinds.len() > 4)
    .fold(text.to_owned(), |text, (kinds, word)| text.replace(kinds, word))
}

#[test]
fn findings_as_json_have_places_and_stable_codes() {
    let findings = read(&folder("bad").join("duplicate.yaml")).unwrap_err();
    let json = serde_json::to_value(&findings.0).unwrap();
    insta::with_settings!({snapshot_path => "snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_json_snapshot!("duplicate-json", json);
    });
}

#[test]
fn warnings_alone_refuse_nothing() {
    let text = std::fs::read_to_string(folder("bad").join("warnings.yaml")).unwrap();
    let good = text.replace("  owner: [a, b]\n", "");
    let loaded = squall::spec::experiment_from_text(
        &folder("bad").join("warnings.yaml"),
        &good,
        &squall::spec::Surroundings { lab: None, env: &super::unset },
    )
    .unwrap();
    let codes: Vec<_> = loaded.warnings.iter().map(|w| (w.severity, w.line)).collect();
    assert_eq!(codes, [(Severity::Warning, 13), (Severity::Warning, 15)]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let findings = read(Path::new("tests/spec/nowhere.yaml")).unwrap_err();
    assert!(findings.to_string().contains("tests/spec/nowhere.yaml"), "{findings}");
    assert!(read(Path::new("tests/spec")).unwrap_err().to_string().contains("folder"));
}

/// What is said of a shipped experiment in which one text is another.
fn said_of(from: &str, to: &str) -> String {
    let path = Path::new("experiments/redis-primary-loss.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "no `{from}`");
    let text = text.replace(from, to);
    let surroundings = squall::spec::Surroundings { lab: None, env: &super::unset };
    match squall::spec::experiment_from_text(path, &text, &surroundings) {
        Ok(loaded) => squall::spec::render(&loaded.warnings, squall::spec::Look::Plain),
        Err(findings) => findings.to_string(),
    }
}

#[test]
fn a_stop_condition_that_outlasts_the_drill_is_warned_of_at_its_limit() {
    // Six seconds of hold and five of watching.
    let said = said_of("longerThan: 9s", "longerThan: 11s");
    assert!(said.contains("can never trip: the drill ends 11s after"), "{said}");
    assert!(said.contains("1 warning") && said.contains("^^^"), "{said}");
    assert_eq!(said_of("longerThan: 9s", "longerThan: 10900ms").trim(), "");
    // Two faults: what counts is from the first to the last.
    let two = "inject: {processKill: {target: primary}}}\n    - {at: 4s, hold: 6s, inject: \
               {processPause: {target: primary}}}";
    let said = said_of("inject: {processKill: {target: primary}}}", two);
    assert!(!said.contains("never trip"), "{said}");
}

#[test]
fn a_misspelled_hypothesis_is_not_an_empty_one() {
    let said = said_of("  hypothesis:", "  hypotesis:");
    assert!(said.contains("did you mean `hypothesis`?"), "{said}");
    assert!(!said.contains("claims nothing"), "{said}");
    assert!(said_of("  hypothesis:", "  labels:").contains("claims nothing"));
}

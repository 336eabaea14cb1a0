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

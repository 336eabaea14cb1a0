//! `validate`, `new`, `schema` and the catalogues as functions: what they print and how they exit.

use std::path::{Path, PathBuf};

use squall::cli::catalogue::{self, Catalogue, Which};
use squall::cli::failure::Failure;
use squall::cli::new::{self, New};
use squall::cli::schema::{self, Of, Schema};
use squall::cli::validate::{self, Validate};
use squall::model::outcome::ExitCode;
use squall::spec::{Look, Surroundings};

use super::{folder, unset};

/// The exit code, and what was written or why not.
fn told(outcome: Result<ExitCode, Failure>, out: Vec<u8>) -> (u8, String) {
    match outcome {
        Ok(code) => (code as u8, String::from_utf8(out).unwrap()),
        Err(failure) => (failure.code, failure.why),
    }
}

fn validated(files: &[PathBuf], json: bool) -> (u8, String) {
    let mut out = Vec::new();
    let args = Validate { files: files.to_vec(), lab: None, json };
    let code = validate::run(&args, Look::Plain, &mut out);
    told(code, out)
}

#[test]
fn one_bad_file_among_good_ones_exits_2_and_all_are_told_of() {
    let labs = folder("labs");
    let files = [labs.join("web.yaml"), folder("bad").join("unused.yaml"), labs.join("etcd.yaml")];
    let (code, text) = validated(&files, false);
    assert_eq!(code, 2);
    assert!(text.contains("lab web can be started") && text.contains("lab etcd can be started"));
    assert!(text.contains("nothing uses the target `spare`"), "{text}");
}

#[test]
fn json_of_validate_is_one_object() {
    let (code, text) = validated(&[folder("bad").join("kind.yaml")], true);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["valid"]), (2, &false.into()));
    assert_eq!(json["findings"][0]["code"], "document-kind");
    assert_eq!(json["findings"][0]["line"], 2);
    let (code, text) = validated(&[folder("labs").join("web.yaml")], true);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["valid"]), (0, &true.into()));
}

fn written(lab: &Path, service: Option<&str>) -> (u8, String) {
    let mut out = Vec::new();
    let args = New { service: service.map(str::to_owned), lab: lab.to_owned(), output: None };
    let code = new::run(&args, Look::Plain, &mut out);
    told(code, out)
}

#[test]
fn what_new_writes_validates_without_a_word_for_every_service_of_every_lab() {
    let mut seen = 0;
    for entry in std::fs::read_dir("experiments/labs").unwrap() {
        let path = entry.unwrap().path();
        // Beside them are the manifests of a cluster.
        if path.is_dir() {
            continue;
        }
        let lab = squall::spec::lab(&path).unwrap();
        for service in lab.value.services.keys().map(|name| Some(name.as_str())).chain([None]) {
            let (code, text) = written(&path, service);
            assert_eq!(code, 0, "{text}");
            let surroundings = Surroundings { lab: None, env: &unset };
            let loaded =
                squall::spec::experiment_from_text(Path::new("new.yaml"), &text, &surroundings)
                    .unwrap_or_else(|findings| {
                        panic!("{service:?} of {path:?}:\n{text}\n{findings}")
                    });
            assert!(loaded.warnings.is_empty(), "{text}\n{:?}", loaded.warnings);
            assert_eq!(loaded.value.experiment.method.len(), 1);
            seen += 1;
        }
    }
    assert!(seen >= 12, "labs are missing");
}

#[test]
fn new_looks_through_the_proxy_in_the_way_of_the_service() {
    let (_, redis) = written(Path::new("experiments/labs/redis-sentinel.yaml"), Some("redis"));
    assert!(redis.contains(r#"redis: {address: "{{lab.proxy}}"}"#), "{redis}");
    assert!(redis.contains("role: primary") && redis.contains("roleMoved"), "{redis}");
    let (_, web) = written(Path::new("experiments/labs/web.yaml"), Some("web"));
    assert!(web.contains(r#"http: {url: "http://{{lab.proxy}}/"}"#), "{web}");
    assert!(web.contains("pick: one") && !web.contains("roleMoved"), "{web}");
}

#[test]
fn new_refuses_an_unknown_service_and_a_file_that_is_there() {
    let lab = Path::new("experiments/labs/web.yaml");
    let (code, text) = written(lab, Some("wbe"));
    assert_eq!(code, 2);
    assert!(text.contains("did you mean `web`"), "{text}");
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("mine.yaml");
    let args =
        New { service: None, lab: std::path::absolute(lab).unwrap(), output: Some(path.clone()) };
    assert_eq!(new::run(&args, Look::Plain, &mut Vec::new()).unwrap(), ExitCode::Held);
    let first = std::fs::read(&path).unwrap();
    assert_eq!(new::run(&args, Look::Plain, &mut Vec::new()).unwrap_err().code, 2);
    assert_eq!(std::fs::read(&path).unwrap(), first);
    assert_eq!(validated(&[path], false).0, 0);
}

fn listed(which: Which, kind: Option<&str>) -> (u8, String) {
    let mut out = Vec::new();
    let args = Catalogue { kind: kind.map(str::to_owned) };
    let code = catalogue::run(which, &args, &mut out);
    told(code, out)
}

#[test]
fn the_catalogues_are_listed_and_explained() {
    let (code, table) = listed(Which::Faults, None);
    assert_eq!((code, table.lines().count()), (0, squall::fault::CATALOGUE.len()));
    let (code, page) = listed(Which::Faults, Some("processKill"));
    assert!(code == 0 && page.contains("SIGTERM") && page.contains("restore"), "{page}");
    let (code, text) = listed(Which::Faults, Some("procesKill"));
    assert!(code == 2 && text.contains("did you mean `processKill`"), "{text}");
    // A kind of another catalogue is none of this one.
    assert_eq!(listed(Which::Checks, Some("processKill")).0, 2);
    assert!(listed(Which::Probes, Some("tcp")).1.contains("address"));
    assert!(listed(Which::Checks, Some("downtime")).1.contains("atMost"));
}

#[test]
fn schemas_are_valid_and_each_says_what_it_is_of() {
    for (of, key) in [
        (None, "oneOf"),
        (Some(Of::Experiment), "$ref"),
        (Some(Of::Lab), "$ref"),
        (Some(Of::Policy), "$ref"),
        (Some(Of::Report), "properties"),
    ] {
        let mut out = Vec::new();
        schema::run(&Schema { of }, &mut out).unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert!(schema.get(key).is_some(), "{of:?}");
        jsonschema::draft202012::new(&schema).unwrap();
    }
}

#[test]
fn a_program_that_is_missing_is_a_warning_that_names_its_package() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("lab.yaml");
    let lab = std::fs::read_to_string("experiments/labs/redis-alone.yaml").unwrap();
    std::fs::write(&path, lab.replace("redis-server,", "redis-nowhere,")).unwrap();
    let (code, text) = validated(std::slice::from_ref(&path), false);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("warning: the program `redis-nowhere` of the service `redis`"), "{text}");
    assert!(text.contains("apt-get install redis-server"), "{text}");
    let (code, json) = validated(&[path], true);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["findings"][0]["code"]), (0, &"missing-program".into()));
    assert!(json["findings"][0]["line"].as_u64().unwrap() > 1, "{json}");
}

//! Locks, stale entries, names.

use super::*;
use crate::model::identity::BootId;

fn record(name: &str) -> Record {
    let process =
        ProcessIdentity { pid: 7, start_ticks: 1, boot: BootId("b".to_owned()), pid_namespace: 3 };
    Record {
        version: RECORD_VERSION,
        identity: LabIdentity { name: name.to_owned(), init: process.clone() },
        keeper: process,
        path: "lab.yaml".to_owned(),
        sha256: String::new(),
        spec: serde_json::from_str(r#"{"title": "t", "services": {}}"#).unwrap(),
        cluster: None,
        hosts: Vec::new(),
    }
}

#[test]
fn a_lab_is_found_while_its_keeper_holds_it_and_cleared_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::at(folder.path().join("deep/labs"));
    assert_eq!(registry.list().unwrap(), []);
    let claim = registry.claim("one").unwrap();
    assert_eq!(registry.list().unwrap(), [], "not published yet");
    let _listener = claim.publish(&record("one")).unwrap();
    assert_eq!(registry.list().unwrap()[0].record, record("one"));
    assert!(matches!(registry.claim("one"), Err(LabError::Taken { keeper: 7, .. })));
    drop(claim);
    assert_eq!(registry.list().unwrap(), []);
    assert!(!registry.folder().join("one").exists());
}

#[test]
fn an_entry_without_a_keeper_is_stale_and_its_logs_stay() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::at(folder.path().to_owned());
    let entry = folder.path().join("one");
    fs::create_dir_all(entry.join(LOGS)).unwrap();
    fs::write(entry.join("logs/a.log"), "x").unwrap();
    // As a killed keeper leaves it: everything there, nothing locked.
    fs::write(entry.join(RECORD), serde_json::to_vec(&record("one")).unwrap()).unwrap();
    let _socket = UnixListener::bind(entry.join(SOCKET)).unwrap();
    assert_eq!(registry.find("one").unwrap(), None);
    assert!(!entry.join(RECORD).exists() && !entry.join(SOCKET).exists());
    assert!(entry.join("logs/a.log").exists());
    registry.claim("one").unwrap().publish(&record("one")).unwrap();
}

#[test]
fn a_long_path_does_not_keep_a_socket_from_being_made() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::at(folder.path().join("x".repeat(120)));
    let claim = registry.claim("one").unwrap();
    let _listener = claim.publish(&record("one")).unwrap();
    registry.find("one").unwrap().unwrap().connect().unwrap();
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::at(folder.path().to_owned());
    for name in ["", "..", "a/b", "-a", "A"] {
        assert!(matches!(registry.claim(name), Err(LabError::Wrong(_))), "{name}");
        assert_eq!(registry.find(name).unwrap(), None);
    }
}

#[test]
fn a_record_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::at(folder.path().to_owned());
    let claim = registry.claim("one").unwrap();
    claim.publish(&Record { version: 2, ..record("one") }).unwrap();
    assert!(registry.find("one").unwrap_err().to_string().contains("version 2"));
}

//! The catalogue as a whole: examples, schema, and what a document may say.

use super::*;

fn read(text: &str) -> Result<ProbeDocument, String> {
    serde_saphyr::from_str(text).map_err(|e| e.to_string())
}

#[test]
fn every_example_is_a_document_of_its_kind() {
    for probe in CATALOGUE {
        let document = read(probe.example()).unwrap();
        let (kind, params) = document.canonical().unwrap();
        assert_eq!(kind, probe.kind());
        assert_eq!(probe.faults_of(&params).unwrap(), Vec::<String>::new(), "{kind}");
        probe.secrets(&params).unwrap();
        assert!(find(kind).is_some());
        assert!(!probe.summary().is_empty());
    }
}

#[test]
fn what_is_left_out_has_its_default_and_comes_back_the_same() {
    let document = read("tcp: {address: '10.0.0.1:1'}").unwrap();
    let spec = document.spec().unwrap();
    assert_eq!((spec.rate.0, spec.deadline, spec.steady), (20.0, Span::millis(250), true));
    assert_eq!(spec.slo, None);
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<ProbeDocument>(&text).unwrap(), document);
}

#[test]
fn a_probe_has_exactly_one_kind() {
    let none = read("rate: 5/s").unwrap();
    assert!(
        none.canonical()
            .unwrap_err()
            .contains("http, tcp, redis, grpc, dns, prometheus, kubernetes, command")
    );
    assert_eq!(none.faults_of().len(), 1);
    let two = read("tcp: {address: 'a:1'}\nhttp: {url: 'http://a/'}").unwrap();
    let why = two.canonical().unwrap_err();
    assert!(why.contains("`http` and `tcp`"), "{why}");
}

#[test]
fn unknown_keys_and_kinds_are_errors_with_a_position() {
    assert!(read("tpc: {address: 'a:1'}").unwrap_err().contains("tpc"));
    let why = read("tcp:\n  address: 'a:1'\n  sned: x").unwrap_err();
    assert!(why.contains("sned") && why.contains('3'), "{why}");
    assert!(read("tcp: {address: 'a:1'}\nrate: 5").is_err());
}

#[test]
fn what_is_wrong_beyond_the_types_is_said_before_anything_runs() {
    for (text, says) in [
        ("tcp: {address: 'a:1', expect: '('}", "regular expression"),
        ("http: {url: 'ftp://a'}", "not a URL"),
        ("http: {url: 'http://u:p@a/'}", "secretHeaders"),
        ("http: {url: 'http://a/', method: 'GE T'}", "not a method"),
        ("http: {url: 'http://a/', tls: {}}", "https"),
        ("http: {url: 'https://a/', tls: {key: {env: A}}}", "belong together"),
        ("redis: {}", "`sentinel` or `address`"),
        ("redis: {sentinel: a, address: 'b:1'}", "two probes"),
        ("redis: {address: 'b:1', ledger: true, read: true}", "one of them"),
        ("redis: {address: 'b:1', username: u}", "without `password`"),
        ("redis: {address: 'b'}", "not an address"),
        ("grpc: {address: x}", "not an address"),
        ("grpc: {address: 'a:1', tls: {key: {env: A}}}", "belong together"),
        ("dns: {server: x, name: a.b}", "not an address"),
        ("dns: {server: 'a:53', name: ''}", "not a name"),
        ("dns: {server: 'a:53', name: 'a..b'}", "not a name"),
        ("dns: {server: 'a:53', name: a, expect: '('}", "regular expression"),
        ("dns: {server: 'a:53', name: a, atLeast: 0}", "empty answer"),
        ("prometheus: {url: x, query: up, expect: {atLeast: 1}}", "not a URL"),
        ("prometheus: {url: 'http://a', query: up, expect: {}}", "`expect` is empty"),
        ("prometheus: {url: 'http://a', query: up, expect: {atLeast: 2, atMost: 1}}", "swap"),
        ("prometheus: {url: 'http://a', query: sum(up), expect: {atLeast: 1}}", "freshBy"),
        (
            "prometheus: {url: 'http://a', query: up, freshBy: sum(up), expect: {atLeast: 1}}",
            "not a plain selector",
        ),
        (
            "prometheus: {url: 'http://a', query: up, freshWithin: 0s, expect: {atLeast: 1}}",
            "two scrape intervals",
        ),
        ("command: {run: []}", "empty"),
    ] {
        let faults = read(text).unwrap().faults_of().join("; ");
        assert!(faults.contains(says), "{text}: {faults}");
    }
}

#[test]
fn a_status_is_a_number_or_a_list_within_range() {
    let statuses = |text: &str| {
        let document = read(&format!("http: {{url: 'http://a/', status: {text}}}"))?;
        Ok::<_, String>(document.http.unwrap().status.0)
    };
    assert_eq!(statuses("204").unwrap(), [204]);
    assert_eq!(statuses("[200, 301]").unwrap(), [200, 301]);
    for wrong in ["[]", "99", "600", "ok", "-1"] {
        assert!(statuses(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ledgers_and_secrets_are_known_without_building() {
    let entry = find("redis").unwrap();
    let given = serde_json::json!({
        "address": "a:1", "ledger": true, "password": {"env": "PW"}, "tls": {"ca": {"file": "ca"}}
    });
    assert!(entry.keeps_ledger(&given).unwrap());
    let keys: Vec<_> = entry.secrets(&given).unwrap().iter().map(SecretRef::key).collect();
    assert_eq!(keys, ["env:PW", "file:ca"]);
    assert!(!entry.keeps_ledger(&serde_json::json!({"address": "a:1"})).unwrap());
    assert!(entry.keeps_ledger(&serde_json::json!({"adress": "a:1"})).is_err());
}

#[test]
fn secrets_print_their_names_only() {
    let values = [("env:PW".to_owned(), "canary-7f3a".to_owned())];
    let secrets = Secrets::new(values.into());
    let shown = format!("{secrets:?}");
    assert!(shown.contains("env:PW") && !shown.contains("canary"));
    assert_eq!(secrets.value(&SecretRef::Env("PW".into())).unwrap(), "canary-7f3a");
    assert!(secrets.value(&SecretRef::Env("X".into())).unwrap_err().contains("env:X"));
}

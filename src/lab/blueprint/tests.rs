//! What can be wrong on paper.

use super::*;

fn spec(yaml: &str) -> LabSpec {
    serde_saphyr::from_str(yaml).unwrap()
}

fn blueprint(yaml: &str) -> Result<Blueprint, LabError> {
    let spec = spec(yaml);
    Blueprint::of("demo", &spec, &Layout::of(&spec).unwrap())
}

fn wrong(yaml: &str) -> String {
    match blueprint(yaml) {
        Err(LabError::Wrong(reasons)) => reasons.join("\n"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn templates_know_hosts_peers_and_folders() {
    let plan = blueprint(
        "title: t
services:
  db:
    hosts: [a, b]
    command: [sleep, '{{host.ipv4}}', '{{index}}', '{{dir}}']
    port: 7
    env: {WHO: '{{service.name}}:{{service.port}}'}
    files:
      conf: |
        {% for i in instances if i.index != index %}peer {{i.host}} {{i.ipv6}} {{i.port}}
        {% endfor %}front {{services.front[0].ipv4}}
  front: {hosts: [c], command: [sleep, '1']}
",
    )
    .unwrap();
    let b = &plan.instances[1];
    assert!(b.argv[0].starts_with('/') && b.argv[0].ends_with("/sleep"), "{:?}", b.argv);
    assert_eq!(b.argv[1..], ["10.66.0.12", "1", "/run/lab/b/db"]);
    assert_eq!(b.env["WHO"], "db:7");
    assert_eq!(b.files["conf"], "peer a fd66::11 7\nfront 10.66.0.13\n");
}

#[test]
fn every_reason_is_given_at_once() {
    let text = wrong(
        "title: t
services:
  Db:
    hosts: [a, a, 'x/y']
    command: []
    after: [nobody]
    files: {'../up': x}
    ready: [{tcp: {}}, {tcp: {port: 1, expect: '('}}]
",
    );
    for reason in [
        "`Db` is no name for a service",
        "names host `a` twice",
        "`x/y` is no name for a host",
        "has no command",
        "waits for `nobody`",
        "`../up`, which is no plain name",
        "has no port",
        "is no regular expression",
    ] {
        assert!(text.contains(reason), "{reason} is missing in {text}");
    }
}

#[test]
fn a_circle_of_services_is_named() {
    let text = wrong(
        "title: t
services:
  a: {hosts: [h], command: [sleep, '1'], after: [b]}
  b: {hosts: [h], command: [sleep, '1'], after: [a]}
  c: {hosts: [h], command: [sleep, '1'], after: [a]}
  d: {hosts: [h], command: [sleep, '1']}
",
    );
    assert_eq!(text, "services wait for each other: a, b, c");
}

#[test]
fn an_unknown_variable_is_an_error_with_its_place() {
    let text = wrong(
        "title: t
services:
  a: {hosts: [h], command: [sleep, '1'], files: {conf: \"x\\n{{hots.ipv4}}\"}}
",
    );
    assert!(text.contains("conf of a@h") && text.contains("line 2"), "{text}");
}

#[test]
fn every_missing_program_is_named_with_its_package() {
    let missing = blueprint(
        "title: t
services:
  a: {hosts: [h, i], command: [no-such-a], package: pkg-a}
  b: {hosts: [h], command: [no-such-a]}
  c: {hosts: [h], command: [no-such-c]}
  d: {hosts: [h], command: [sleep, '1']}
",
    );
    let text = missing.unwrap_err().to_string();
    assert_eq!(
        text,
        "programs of the lab are missing: `no-such-a` of a, b (package pkg-a); `no-such-c` of c \
         (its package is not declared); install them with `apt-get install pkg-a`"
    );
}

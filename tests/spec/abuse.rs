//! Documents made to hurt the reader: they are refused, quickly, with a sentence.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use squall::spec::{Code, Declared, Findings, Loaded, Surroundings, experiment_from_text};

use super::{read, unset};

/// Far more than any of these needs, also without optimisation on a busy machine.
const AT_MOST: Duration = Duration::from_secs(1);

const HEAD: &str =
    "apiVersion: squall.dev/v1alpha1\nkind: Experiment\nmetadata: {name: a}\nspec:\n";

fn parse(text: &str) -> Result<Loaded<Declared>, Findings> {
    let surroundings = Surroundings { lab: None, env: &unset };
    experiment_from_text(Path::new("experiments/abuse.yaml"), text, &surroundings)
}

/// Refused with this code within the time.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the test is of the time that it takes")]
fn refused(text: &str, code: Code) -> Findings {
    let began = Instant::now();
    let findings = parse(text).unwrap_err();
    let took = began.elapsed();
    assert!(findings.0.iter().any(|f| f.code == code), "{:?}", findings.0.first());
    assert!(took < AT_MOST, "{took:?}");
    findings
}

#[test]
fn a_bomb_of_aliases_is_refused_at_once() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![below; 10].join(", "));
    }
    let findings = refused(&bomb, Code::TooComplex);
    assert!(findings.to_string().contains("at most 20000 values"), "{findings}");
}

#[test]
fn a_bomb_of_merge_keys_is_refused_at_once() {
    let mut bomb = String::from("a0: &a0 {k0: 1}\n");
    for level in 1..60 {
        let below = level - 1;
        let _ = writeln!(bomb, "a{level}: &a{level} {{<<: [*a{below}, *a{below}], k{level}: 1}}");
    }
    refused(&bomb, Code::TooComplex);
}

#[test]
fn depth_is_refused_whatever_it_is_made_of() {
    refused(&"[".repeat(500_000), Code::TooComplex);
    refused(&"{a: ".repeat(100_000), Code::TooComplex);
    refused(&"- ".repeat(100_000), Code::TooComplex);
    let block: String = (0..1000).fold(String::new(), |mut text, level| {
        let _ = writeln!(text, "{}a:", " ".repeat(level));
        text
    });
    refused(&block, Code::TooComplex);
}

#[test]
fn more_values_than_any_document_has_are_refused() {
    let list: String = "- x\n".repeat(30_000);
    refused(&list, Code::TooComplex);
    let keys: String = (0..15_000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "k{n}: x");
        text
    });
    refused(&keys, Code::TooComplex);
}

#[test]
fn a_thousand_mistakes_are_told_of_a_hundred_at_a_time() {
    let steps = "    - {at: 0, hold: 1, inject: {proces: {}}}\n".repeat(1000);
    let findings = refused(&format!("{HEAD}  method:\n{steps}"), Code::More);
    assert_eq!(findings.0.len(), 101);
}

#[test]
fn anchors_and_merge_keys_are_fine_in_moderation() {
    let text = format!(
        "{HEAD}  title: x\n  probes:\n    a: &a {{tcp: {{address: \"h:1\"}}, rate: 50/s}}\n    \
         b: {{<<: *a, deadline: 1s}}\n    c: *a\n  method: []\n  \
         hypothesis: [{{downtime: {{probe: b, atMost: 5s}}}}]\n"
    );
    let loaded = parse(&text).unwrap_or_else(|findings| panic!("{findings}"));
    let probes = &loaded.value.experiment.probes;
    assert_eq!(probes["a"], probes["c"]);
    assert_eq!(probes["b"].rate, probes["a"].rate);
    assert_ne!(probes["b"].deadline, probes["a"].deadline);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is of the time that it takes")]
fn a_file_of_100_mb_is_refused_by_its_size() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(HEAD.as_bytes()).unwrap();
    file.as_file().set_len(100 * 1024 * 1024).unwrap();
    let began = Instant::now();
    let findings = read(file.path()).unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(100), "it was read");
    assert_eq!(findings.0[0].code, Code::TooLarge);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is of the time that it takes")]
fn a_file_without_an_end_is_refused() {
    let began = Instant::now();
    let findings = read(Path::new("/dev/zero")).unwrap_err();
    assert_eq!(findings.0[0].code, Code::TooLarge);
    assert!(began.elapsed() < AT_MOST);
}

#[test]
fn the_ends_of_lines_and_a_byte_order_mark_change_nothing() {
    let text = std::fs::read_to_string("experiments/redis-primary-loss.yaml").unwrap();
    let plain = parse(&text).unwrap().value.experiment;
    assert_eq!(parse(&text.replace('\n', "\r\n")).unwrap().value.experiment, plain);
    assert_eq!(parse(&format!("\u{feff}{text}")).unwrap().value.experiment, plain);
    let first = text.lines().position(|line| line.contains("- downtime:")).unwrap();
    assert_eq!(plain.hypothesis[0].line, first as u64 + 1);
}

#[test]
fn no_finding_can_steer_a_terminal() {
    for bad in ["\\e[2J", "\\u202e", "\\u009b31m", "\\x7f"] {
        let text =
            format!("{HEAD}  title: \"{bad}\"\n  \"{bad}\": 1\n  targets: {{\"{bad}\": 7}}\n");
        let shown = parse(&text).unwrap_err().to_string();
        let hidden =
            |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!shown.contains(hidden), "{shown:?}");
    }
}

/// Texts that a writer has to quote, fold or escape.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~äß漢🔑]{0,40}",
        "[a-z:#&*!|>'\"%@`,\\[\\]{}? -]{1,12}",
        "(yes|no|on|null|~|true|1|1\\.5|0x10|1e3|-|---|\\.nan|2024-01-01|=|<<| | a|a |\n|a\nb\n)",
    ]
    .prop_filter("a template is no text", |text| !text.contains("{{"))
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,8}[a-z0-9]"
}

/// A document with one of everything that a text can stand in.
fn document() -> impl Strategy<Value = serde_json::Value> {
    let labels = prop::collection::btree_map("[a-z/.]{1,9}", words(), 0..4);
    let texts = (words(), prop::option::of(words()), words(), words());
    (name(), labels, texts, name(), name(), 1_u32..5000, 1_u32..100_000).prop_map(
        |(name, labels, (title, owner, send, env), probe, target, ms, rate)| {
            serde_json::json!({
                "apiVersion": "squall.dev/v1alpha1",
                "kind": "Experiment",
                "metadata": {"name": name, "labels": labels},
                "spec": {
                    "title": title, "owner": owner, "environment": env,
                    "lab": "../tests/spec/labs/redis-sentinel.yaml",
                    "targets": {&target: {"lab": {"service": "redis"}, "pick": "2"}},
                    "probes": {&probe: {
                        "tcp": {"address": "h:1", "send": send}, "rate": format!("{rate}/s"),
                    }},
                    "method": [{
                        "at": format!("{ms}ms"), "hold": "9s",
                        "inject": {"processPause": {"target": &target}},
                    }],
                    "hypothesis": [{"downtime": {"probe": &probe, "atMost": format!("{ms}s")}}],
                },
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// One reader, one writer.
    #[test]
    fn what_is_written_reads_back_equal(document in document()) {
        let text = serde_yaml::to_string(&document).unwrap();
        let loaded = parse(&text).map_err(|e| TestCaseError::fail(format!("{text}\n{e}")))?;
        let mut read = loaded.value.experiment;
        let spec = &document["spec"];
        prop_assert_eq!(&read.title, spec["title"].as_str().unwrap());
        prop_assert_eq!(read.owner.as_deref(), spec["owner"].as_str());
        prop_assert_eq!(read.environment.as_deref(), spec["environment"].as_str());
        let labels = serde_json::to_value(&read.labels).unwrap();
        prop_assert_eq!(&labels, &document["metadata"]["labels"]);
        let (name, probe) = read.probes.first_key_value().unwrap();
        prop_assert_eq!(&probe.params["send"], &spec["probes"][name]["tcp"]["send"]);
        // JSON is YAML, and another writer's text of the same document means the same.
        let json = serde_json::to_string_pretty(&document).unwrap();
        let again = parse(&json).map_err(|e| TestCaseError::fail(format!("{json}\n{e}")))?;
        let mut again = again.value.experiment;
        for claim in read.hypothesis.iter_mut().chain(&mut again.hypothesis) {
            claim.line = 0;
        }
        prop_assert_eq!(read, again);
    }

    /// Damage anywhere gives a value or findings with places inside the text, never a panic.
    #[test]
    fn a_damaged_file_is_read_or_refused(
        which in 0_usize..3,
        edits in prop::collection::vec(
            (0_usize..4096, 0_usize..12, "[ -~\\n\\t{}:&*\u{0}é]{0,6}"),
            1..6,
        ),
    ) {
        let files = ["redis-primary-loss", "web-backend-slow", "etcd-quorum-lost"];
        let path = format!("experiments/{}.yaml", files[which]);
        let mut text: Vec<char> = std::fs::read_to_string(path).unwrap().chars().collect();
        for (at, cut, put) in edits {
            let start = at % text.len().max(1);
            let end = (start + cut).min(text.len());
            text.splice(start..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(findings) = parse(&text) {
            prop_assert!(!findings.0.is_empty());
            let lines = text.lines().count() + 1;
            prop_assert!(findings.0.iter().all(|f| f.line <= lines || f.file.contains("labs")));
            prop_assert!(!findings.to_string().is_empty());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        if let Err(findings) = read(file.path()) {
            prop_assert!(!findings.to_string().is_empty());
        }
    }

    #[test]
    fn any_text_like_yaml_is_read_or_refused(text in "[ab:\\-\\[\\]{},&*#'\"|>!%@~<? \\n]{0,200}") {
        if let Err(findings) = parse(&text) {
            prop_assert!(!findings.to_string().is_empty());
        }
    }
}

//! What it says, to whom, and what it does not.

use super::stand::{Drill, Stand};

#[test]
fn without_a_terminal_it_prints_plain_lines() {
    let stand = Stand::new();
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.out.contains('\x1b') && !ran.out.contains('\r'), "{}", ran.out);
    for line in
        ["waiting for the steady state", "in force:", "watching the recovery", "verdict: held"]
    {
        assert!(ran.out.contains(line), "no `{line}` in {}", ran.out);
    }
    assert!(ran.out.contains("n=1: bounds no RTO"), "{}", ran.out);
    assert_eq!(ran.err, "");
    for face in ["report.json", "report.html", "report.md", "junit.xml", "history.jsonl"] {
        assert!(stand.path("out").join(face).exists(), "{face}");
    }
    assert!(!stand.path("out/parts.log").exists(), "the parts had nothing to say");
    assert!(!ran.out.contains("ledger"), "there is none in this drill: {}", ran.out);
}

#[test]
fn events_are_one_json_value_a_line_and_nothing_else() {
    let stand = Stand::new();
    let ran = stand.run_drill(&["--events"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.lines().count() > 10);
    for line in ran.out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(event["atNs"].is_u64() && !event["entry"].is_null(), "{line}");
    }
    assert_eq!(ran.out, stand.read("out/history.jsonl"), "what is told is what is kept");
}

#[test]
fn quiet_says_the_verdict_only() {
    let stand = Stand::new();
    let ran = stand.run_drill(&["-q"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("held"), "{}", ran.out);
    assert!(!ran.out.contains("in force:") && !ran.out.contains("raising lab"), "{}", ran.out);
    // The verdict, its one claim, what is left, four faces.
    assert_eq!(ran.out.lines().count(), 7, "{}", ran.out);
    assert!(ran.out.contains("report: out/report.html"), "{}", ran.out);
    let stand = Stand::new();
    let hypothesis = "longestOutage: {probe: ping, atMost: 100ms}";
    stand.drill(&Drill { hold: "600ms", hypothesis, ..Drill::default() });
    let ran = stand.run_drill(&["-q"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("longestOutage of ping: "), "what went wrong: {}", ran.out);
    assert!(!ran.out.contains("Timeline") && !ran.out.contains("Stages"), "{}", ran.out);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_want_it() {
    let coloured = |env: &[(&str, &str)]| {
        let stand = Stand::new();
        let args = ["run", "drill.yaml", "--out", "out"];
        let ran = stand.start_on_terminal(&args, env).finish();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains("1 claim held"), "{}", ran.out);
        // Colours and attributes end in `m`; moving the cursor does not.
        let sequences = ran.out.split("\x1b[").skip(1);
        sequences
            .filter(|s| {
                s.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
            })
            .count()
    };
    assert!(coloured(&[]) > 0);
    assert_eq!(coloured(&[("NO_COLOR", "1")]), 0);
    assert_eq!(coloured(&[("TERM", "dumb")]), 0);
}

#[test]
fn a_folder_that_holds_a_drill_is_refused_in_words() {
    let stand = Stand::new();
    assert_eq!(stand.run_drill(&[]).code, Some(0));
    let before = stand.read("out/report.json");
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("out holds a drill already; give another --out"), "{ran:?}");
    assert_eq!(before, stand.read("out/report.json"));
    assert!(!ran.out.contains("raising lab"), "nothing is started: {}", ran.out);
}

#[test]
fn a_bad_file_is_shown_with_its_place() {
    let stand = Stand::new();
    let text = stand.read("drill.yaml").replace("hold: 100ms", "hold: 100");
    std::fs::write(stand.path("drill.yaml"), text).unwrap();
    for command in ["run", "plan"] {
        let ran = stand.run(&[command, "drill.yaml"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("drill.yaml:"), "{ran:?}");
        assert_eq!(ran.out, "");
    }
    let ran = stand.run(&["run", "nowhere.yaml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("nowhere.yaml"), "{ran:?}");
}

#[test]
fn a_program_that_is_missing_is_named_with_its_package() {
    let stand = Stand::new();
    let text = stand.read("lab.yaml").replace("redis-server, --port", "redis-nowhere, --port");
    std::fs::write(stand.path("lab.yaml"), text).unwrap();
    stand.drill(&Drill::default());
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("redis-nowhere") && ran.err.contains("redis-server"), "{ran:?}");
    stand.assert_nothing_left();
}

#[test]
fn a_reader_that_has_gone_changes_no_exit_code_and_is_no_failure() {
    let stand = Stand::new();
    std::fs::write(stand.path("bad.yaml"), "kind: Nothing\n").unwrap();
    let cases: [(&[&str], i32); 8] = [
        (&["validate", "drill.yaml", "lab.yaml"], 0),
        (&["validate", "bad.yaml"], 2),
        (&["schema"], 0),
        (&["man"], 0),
        (&["completions", "bash"], 0),
        (&["faults"], 0),
        (&["plan", "drill.yaml"], 0),
        (&["new", "--lab", "lab.yaml"], 0),
    ];
    for (args, code) in cases {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = stand.squall(args).stdout(writer).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{args:?}");
        assert_eq!(ran.status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_plan_says_why_it_would_be_refused_and_is_made_all_the_same() {
    let stand = Stand::new();
    let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let production = policies.join("production.yaml").display().to_string();
    let ran = stand.run(&["plan", "drill.yaml", "--policy", &production, "-o", "plan.json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(stand.path("plan.json").exists());
    for rule in ["environment", "ownership", "approval", "minHealthy", "limits"] {
        let why = format!("would be refused: production: {rule}: ");
        assert!(ran.out.contains(&why), "no `{why}` in {}", ran.out);
    }
    assert!(ran.out.contains("--approval FILE"), "{}", ran.out);
    assert!(!stand.path("state").exists(), "a plan changes nothing");
    let ran = stand.run(&["plan", "drill.yaml", "--policy", &production, "-o", "-"]);
    assert!(ran.err.contains("would be refused: production: ownership"), "{ran:?}");
    serde_json::from_str::<serde_json::Value>(&ran.out).unwrap();
    let ran = stand.run(&["plan", "drill.yaml"]);
    assert!(!ran.out.contains("refused"), "a lab needs no policy: {}", ran.out);
}

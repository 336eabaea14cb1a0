//! What is kept of a drill and of a plan, and what can be done with it later.

use super::stand::{Drill, Stand};

#[test]
fn judge_says_the_same_and_report_draws_the_same() {
    let stand = Stand::new();
    let hypothesis = "longestOutage: {probe: ping, atMost: 100ms}";
    stand.drill(&Drill { hold: "400ms", hypothesis, ..Drill::default() });
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let judged = stand.run(&["judge", "out"]);
    assert_eq!(judged.code, Some(4), "{judged:?}");
    let without_paths = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("report: "));
        lines.collect::<Vec<_>>().join("\n")
    };
    let verdict = ran.out.find("\ndeviated  one").unwrap() + 1;
    assert_eq!(without_paths(&ran.out[verdict..]), without_paths(&judged.out));
    let brief = stand.run(&["judge", "out", "-q"]);
    assert_eq!(brief.code, Some(4), "{brief:?}");
    assert!(brief.out.contains("longestOutage of ping: "), "{}", brief.out);
    assert!(brief.out.lines().all(|line| judged.out.contains(line)), "{}", brief.out);
    assert!(!brief.out.contains("Timeline"), "{}", brief.out);
    let faces = ["report.html", "report.json", "report.md", "junit.xml"];
    let before = faces.map(|face| stand.read(&format!("out/{face}")));
    for face in faces {
        std::fs::remove_file(stand.path("out").join(face)).unwrap();
    }
    let drawn = stand.run(&["report", "out"]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    assert_eq!(before, faces.map(|face| stand.read(&format!("out/{face}"))));
    let html = stand.run(&["report", "out", "--html"]);
    assert_eq!(html.out, before[0]);
    assert_eq!(stand.run(&["judge", "nowhere"]).code, Some(2));
}

/// With another lab and a policy, as it is pasted into a shell.
#[test]
fn the_replay_line_runs_the_same_plan_again() {
    let stand = Stand::new();
    let policy = format!("{}/policies/ci.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(stand.path("other lab.yaml"), stand.read("lab.yaml")).unwrap();
    let ran = stand.run_drill(&["--lab", "other lab.yaml", "--policy", &policy]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = ran.out.lines().find_map(|line| line.strip_prefix("replay: ")).unwrap();
    let again = format!("{line} --out second -q");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_squall")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut pasted = std::process::Command::new("sh");
    pasted.args(["-c", &again]).env("PATH", path).current_dir(stand.folder());
    pasted.env("XDG_STATE_HOME", stand.path("state"));
    let replayed = super::live::Live::start(pasted).finish();
    assert!(matches!(replayed.code, Some(0 | 5)), "{line}: {replayed:?}");
    let digest = |out: &str| {
        let report = stand.read(&format!("{out}/report.json"));
        serde_json::from_str::<serde_json::Value>(&report).unwrap()["digest"].clone()
    };
    assert_eq!(digest("out"), digest("second"), "{line}");
}

#[test]
fn a_history_without_its_end_is_never_held() {
    let stand = Stand::new();
    assert_eq!(stand.run_drill(&["-q"]).code, Some(0));
    let history = stand.read("out/history.jsonl");
    let lines: Vec<&str> = history.lines().collect();
    for cut in [lines.len() - 1, lines.len() / 2, 1] {
        std::fs::write(stand.path("out/history.jsonl"), lines[..cut].join("\n")).unwrap();
        let judged = stand.run(&["judge", "out"]);
        assert!(matches!(judged.code, Some(4..=7)), "cut at line {cut}: {judged:?}");
    }
    std::fs::write(stand.path("out/history.jsonl"), "").unwrap();
    assert_eq!(stand.run(&["judge", "out"]).code, Some(2));
}

#[test]
fn now_answers_by_process_address_and_port_while_it_lasts() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "30s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let said = live.says("is stopped");
    let _ = said;
    let asked = stand.run(&["now"]);
    assert_eq!(asked.code, Some(4), "{asked:?}");
    assert!(asked.out.contains("processPause on redis@r1"), "{asked:?}");
    for hit in [["--address", "10.66.0.11"], ["--address", "fd66::11"], ["--port", "6379"]] {
        let asked = stand.run(&["now", hit[0], hit[1]]);
        assert_eq!(asked.code, Some(4), "{hit:?} {asked:?}");
        assert!(asked.out.starts_with("yes: "), "{asked:?}");
    }
    let pid = asked.out.split("process ").nth(1).unwrap();
    let pid: String = pid.chars().take_while(char::is_ascii_digit).collect();
    assert_eq!(stand.run(&["now", "--pid", &pid]).code, Some(4));
    for miss in [["--address", "10.66.0.12"], ["--port", "6380"], ["--pid", "1"]] {
        let asked = stand.run(&["now", miss[0], miss[1]]);
        assert_eq!(asked.code, Some(0), "{miss:?} {asked:?}");
        assert!(asked.out.starts_with("no: "), "{asked:?}");
    }
    // A drill that is running is not undone behind its back.
    let undo = stand.run(&["undo", "--all"]);
    assert!(undo.out.contains("is running"), "{undo:?}");
    assert_eq!(undo.code, Some(3), "{undo:?}");
    let drill = asked_drill(&stand);
    let undo = stand.run(&["undo", &drill]);
    assert!(undo.out.contains(&format!("drill {drill} is running")), "{undo:?}");
    assert_eq!(undo.code, Some(3), "{undo:?}");
    // A name beside it is none, and says nothing of this one.
    for other in ["d012345678", "d0123456788"] {
        let undo = stand.run(&["undo", other]);
        assert_eq!((undo.code, undo.out.as_str()), (Some(2), ""), "{undo:?}");
        assert!(undo.err.contains(other), "{undo:?}");
    }
    assert!(!stand.service_runs());
    live.signal(libc::SIGINT);
    assert_eq!(live.finish().code, Some(6));
    let asked = stand.run(&["now"]);
    assert_eq!((asked.code, asked.out.starts_with("no: ")), (Some(0), true), "{asked:?}");
}

/// The only drill that `squall now` names.
fn asked_drill(stand: &Stand) -> String {
    let asked = stand.run(&["now"]);
    asked.out.split_whitespace().nth(2).unwrap().to_owned()
}

#[test]
fn now_knows_the_number_that_people_see() {
    let stand = Stand::new();
    stand.drill(&Drill { hold: "30s", ..Drill::default() });
    let mut live = stand.start_drill();
    live.says("in force:");
    let pid = stand.service().unwrap().to_string();
    let asked = stand.run(&["now", "--pid", &pid]);
    assert_eq!(asked.code, Some(4), "{asked:?}");
}

#[test]
fn undo_with_nothing_to_undo_is_well() {
    let stand = Stand::new();
    let undo = stand.run(&["undo", "--all"]);
    assert_eq!((undo.code, undo.out.as_str()), (Some(0), "nothing to undo\n"), "{undo:?}");
    assert_eq!(stand.run(&["undo"]).code, Some(2));
}

#[test]
fn a_plan_is_kept_read_and_run() {
    let stand = Stand::new();
    let planned = stand.run(&["plan", "drill.yaml", "-o", "plan.json", "--seed", "7"]);
    assert_eq!(planned.code, Some(0), "{planned:?}");
    let ran = stand.run(&["run", "plan.json", "--out", "out"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let plan: serde_json::Value = serde_json::from_str(&stand.read("plan.json")).unwrap();
    let report = stand.report();
    assert_eq!((&report["seed"], &report["digest"]), (&plan["seed"], &plan["digest"]));
    let again = stand.run(&["plan", "drill.yaml", "--diff", "plan.json"]);
    assert_eq!(again.code, Some(0), "{again:?}");
}

#[test]
fn a_stale_or_an_edited_plan_is_refused() {
    let stand = Stand::new();
    assert_eq!(stand.run(&["plan", "drill.yaml", "-o", "plan.json"]).code, Some(0));
    let plan = stand.read("plan.json");
    std::fs::write(stand.path("edited.json"), plan.replace("100ms", "900ms")).unwrap();
    let ran = stand.run(&["run", "edited.json", "--out", "out"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    stand.drill(&Drill { hold: "200ms", ..Drill::default() });
    let ran = stand.run(&["run", "plan.json", "--out", "out"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("is stale") && ran.err.contains("plan again"), "{ran:?}");
    assert!(!stand.path("out").exists());
    stand.assert_nothing_left();
}

#[test]
fn a_seed_hits_the_same_again() {
    let stand = Stand::new();
    let lab = stand.read("lab.yaml").replace("hosts: [r1]", "hosts: [r1, r2, r3, r4, r5, r6]");
    std::fs::write(stand.path("lab.yaml"), lab).unwrap();
    let hit = |seed: u64, out: &str| {
        let seed = seed.to_string();
        let ran = stand.run(&["run", "drill.yaml", "--seed", &seed, "--out", out, "-q"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let report: serde_json::Value =
            serde_json::from_str(&stand.read(&format!("{out}/report.json"))).unwrap();
        report["injections"][0]["instance"].as_str().unwrap().to_owned()
    };
    let hits: Vec<String> = (1..5).map(|seed| hit(seed, &format!("a{seed}"))).collect();
    assert!(hits.iter().any(|h| h != &hits[0]), "every seed hits {}", hits[0]);
    assert_eq!(hit(2, "b2"), hits[1]);
    assert_eq!(hit(3, "b3"), hits[2]);
}

#[test]
fn drills_without_a_folder_are_kept_beside_the_state() {
    let stand = Stand::new();
    let ran = stand.run(&["run", "drill.yaml"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let kept: Vec<_> =
        std::fs::read_dir(stand.path("state/squall/drills")).unwrap().flatten().collect();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].path().join("report.html").exists());
}

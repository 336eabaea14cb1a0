//! What cannot be done is said with what to do instead.

use std::os::unix::fs::PermissionsExt;

use super::stand::Stand;

/// Runs it; the exit code, and that the words are said on the standard error.
fn says(stand: &Stand, args: &[&str], code: i32, words: &[&str]) {
    let ran = stand.run(args);
    assert_eq!(ran.code, Some(code), "{args:?}: {ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{args:?}: no `{word}` in {}", ran.err);
    }
}

#[test]
fn a_lab_that_is_not_there_is_blamed_and_not_the_experiment() {
    let stand = Stand::new();
    says(&stand, &["plan", "drill.yaml", "--lab", "nope"], 2, &["`--lab nope`: no such file"]);
    let ran = stand.run(&["plan", "drill.yaml", "--lab", "nope"]);
    assert!(!ran.err.contains("drill.yaml"), "{}", ran.err);
    std::fs::write(stand.path("bad.yaml"), stand.read("lab.yaml").replace("title", "titel"))
        .unwrap();
    let ran = stand.run(&["plan", "drill.yaml", "--lab", "bad.yaml"]);
    assert!(ran.err.contains("bad.yaml:6") && !ran.err.contains("drill.yaml"), "{}", ran.err);
    says(&stand, &["new"], 2, &["--lab FILE"]);
}

#[test]
fn what_is_not_there_is_named_with_where_to_look() {
    let stand = Stand::new();
    let clear = ["clear", "d0123456789.1", "--by", "me", "--reason", "none"];
    says(&stand, &clear, 2, &["no such injection", "`squall now` lists them"]);
    says(&stand, &["undo"], 2, &["`squall undo --all`", "`squall undo DRILL`"]);
    says(&stand, &["judge", "nope"], 2, &["`squall run --out DIR`"]);
    says(&stand, &["report", "."], 2, &["`squall run --out DIR`"]);
    says(&stand, &["lab", "list"], 0, &["no lab stands"]);
    says(&stand, &["man", "rnu"], 2, &["did you mean `run`?"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_another_way() {
    let stand = Stand::new();
    std::fs::write(stand.path("file"), "").unwrap();
    says(&stand, &["run", "drill.yaml", "--out", "file/out"], 1, &["`--out DIR`"]);
    let mut now = stand.squall(&["now"]);
    let out = now.env("XDG_STATE_HOME", stand.path("file")).output().unwrap();
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(err.contains("set XDG_STATE_HOME"), "{err}");
    stand.assert_nothing_left();
}

#[test]
fn every_command_has_a_page() {
    let stand = Stand::new();
    let page = stand.run(&["man", "lab", "up"]);
    assert_eq!(page.code, Some(0), "{page:?}");
    assert!(page.out.contains("--detach") || page.out.contains("\\-\\-detach"), "{page:?}");
    assert_eq!(stand.run(&["man", "--dir", "pages"]).code, Some(0));
    let overview = stand.run(&["man"]).out;
    for name in ["run", "plan", "lab", "undo", "man"] {
        assert!(overview.contains(&format!("squall\\-{name}(1)")), "{overview}");
        let page = stand.path("pages").join(format!("squall-{name}.1"));
        assert!(page.metadata().unwrap().permissions().mode() & 0o444 != 0, "{name}");
    }
    assert!(!stand.path("pages/squall-part.1").exists(), "nobody starts a part by hand");
}

#[test]
fn a_quiet_lab_comes_up_without_a_word_and_is_listed_by_a_plain_path() {
    let stand = Stand::new();
    std::fs::create_dir(stand.path("sub")).unwrap();
    let up = stand.run(&["lab", "up", "sub/../lab.yaml", "--detach", "-q"]);
    assert_eq!((up.code, up.out.as_str(), up.err.as_str()), (Some(0), "", ""));
    let list = stand.run(&["lab", "list"]);
    assert!(list.out.contains("lab.yaml") && !list.out.contains(".."), "{list:?}");
    stand.lower();
}

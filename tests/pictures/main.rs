//! The picture in the README is of a real drill: run, judged, drawn, and photographed in a browser.
//! `make picture` puts it into `docs/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Fewer bytes than that are a blank page.
const SMALLEST: u64 = 50_000;

#[test]
fn the_report_of_the_demo_can_be_photographed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("demo");
    let drill = Command::new(env!("CARGO_BIN_EXE_squall"))
        .args(["run", "experiments/redis-primary-loss.yaml", "--quiet", "--out"])
        .arg(&out)
        .current_dir(root)
        .env("XDG_STATE_HOME", scratch.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&drill.stdout);
    // Held or not: a busy machine may make it inconclusive, and the picture is as good.
    assert!(said.contains("redis-primary-loss"), "{drill:?}");
    let picture = scratch.path().join("report.png");
    let shot = Command::new(root.join("tests/pictures/shoot"))
        .arg(out.join("report.html"))
        .args([&picture, Path::new("light")])
        .env("SHOOT_HEIGHT", "1500")
        .output()
        .unwrap();
    assert!(shot.status.success(), "{shot:?}");
    let bytes = fs::read(&picture).unwrap();
    assert_eq!(&bytes[1..4], b"PNG");
    assert!(bytes.len() as u64 > SMALLEST, "a picture of {} bytes shows nothing", bytes.len());
    if std::env::var_os("SQUALL_PICTURE").is_some() {
        assert_eq!(drill.status.code(), Some(0), "only a drill that held is shown: {said}");
        fs::copy(&picture, root.join("docs/report.png")).unwrap();
    }
    assert!(root.join("docs/report.png").exists(), "run `make picture`");
}

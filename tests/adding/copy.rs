//! The copy of the project, with the fault.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The copy's program: beside ours in the same folder, so that what both depend on is built once.
pub const PROGRAM: &str = "squall-adding";

const OURS: &str = "name = \"squall\"\nversion = \"0.1.0\"";
const ANOTHER: &str = "name = \"squall\"\nversion = \"0.1.0-adding\"";

/// Not part of the project, or made by it.
const LEFT: &[&str] = &["target", "out", ".git"];

/// Makes `to` the project at `from` and the fault. A file that is there and right is not touched:
/// cargo builds what is newer.
pub fn tree(from: &Path, to: &Path) {
    let mut files = Vec::new();
    collect(from, &PathBuf::new(), &mut files);
    let mut kept = BTreeSet::new();
    for file in files {
        let bytes = fs::read(from.join(&file)).unwrap();
        put(&to.join(&file), changed(&file, bytes));
        kept.insert(file);
    }
    let contributing = fs::read_to_string(from.join("CONTRIBUTING.md")).unwrap();
    let (file, code) = fault(&contributing);
    put(&to.join(&file), code.into_bytes());
    kept.insert(file);
    let mut found = Vec::new();
    collect(to, &PathBuf::new(), &mut found);
    for gone in found.iter().filter(|file| !kept.contains(*file)) {
        fs::remove_file(to.join(gone)).unwrap();
    }
}

fn collect(root: &Path, below: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if !LEFT.iter().any(|left| path == Path::new(left)) {
                collect(root, &path, files);
            }
        } else {
            files.push(path);
        }
    }
}

fn put(path: &Path, bytes: Vec<u8>) {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The one line; and another version and name of the program, which are no part of adding a fault:
/// cargo tells packages of one name and version apart by their place in the workspace alone, and
/// would take the copy for us.
fn changed(file: &Path, bytes: Vec<u8>) -> Vec<u8> {
    let changes: &[(&str, &str)] = match file.to_str().unwrap() {
        "src/fault/mod.rs" => {
            &[("\ncatalogue! {\n", "\ncatalogue! {\n    process_hangup::ProcessHangup,\n")]
        }
        "Cargo.lock" => &[(OURS, ANOTHER)],
        "Cargo.toml" => &[
            (OURS, ANOTHER),
            ("default-run = \"squall\"", "default-run = \"squall-adding\""),
            ("[[bin]]\nname = \"squall\"", "[[bin]]\nname = \"squall-adding\""),
        ],
        path if path.starts_with("tests/") => {
            &[("CARGO_BIN_EXE_squall", "CARGO_BIN_EXE_squall-adding")]
        }
        _ => return bytes,
    };
    let Ok(mut text) = String::from_utf8(bytes.clone()) else { return bytes };
    for (from, to) in changes {
        assert!(
            text.contains(from) || file.starts_with("tests"),
            "no {from:?} in {}",
            file.display()
        );
        text = text.replace(from, to);
    }
    text.into_bytes()
}

/// The example of a fault: its file, and its code as it stands there, without the lines after it
/// that try it.
fn fault(contributing: &str) -> (PathBuf, String) {
    let (_, section) = contributing.split_once("\n### A fault\n").unwrap();
    let file = section.split('`').nth(1).unwrap();
    let (_, code) = section.split_once("```rust\n").unwrap();
    let (code, _) = code.split_once("```").unwrap();
    let (code, tried) = code.split_once("\nlet entry").unwrap();
    assert!(file.starts_with("src/fault/") && tried.contains("facts"), "{file}: {tried}");
    (file.into(), code.replace("squall::fault::", "super::").replace("squall::", "crate::"))
}

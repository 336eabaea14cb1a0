//! Who may know whom. The table is the one of ARCHITECTURE.md; what is not listed is forbidden.

use super::catalogue;
use super::source::{File, Tree, is_word};

/// Rooms, and the rooms that they may name. A room may always name itself.
const TABLE: [(&str, &[&str]); 15] = [
    ("model", &[]),
    ("host", &["model"]),
    ("fault", &["host", "model"]),
    ("probe", &["host", "model"]),
    ("judge", &["model"]),
    ("guard", &["model"]),
    ("plan", &["model"]),
    ("report", &["model"]),
    ("spec", &["fault", "guard", "judge", "probe", "model"]),
    ("lab", &["host", "model"]),
    ("injection", &["fault", "host", "model"]),
    ("backend", &["injection", "lab", "host", "model"]),
    ("store", &["model"]),
    (
        "drill",
        &["backend", "fault", "guard", "host", "injection", "judge", "model", "plan", "probe"],
    ),
    (
        "cli",
        &[
            "backend",
            "drill",
            "fault",
            "guard",
            "host",
            "injection",
            "judge",
            "lab",
            "model",
            "plan",
            "probe",
            "report",
            "spec",
            "store",
        ],
    ),
];

/// Rooms that are functions of their input.
const PURE: [&str; 6] = ["model", "spec", "plan", "guard", "judge", "report"];

/// What such a function cannot have; `spec` may read files.
const IMPURE: [&str; 16] = [
    "tokio",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "RandomState",
    "SysRng",
];

pub fn table(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.shipped() {
        let Some(room) = file.room() else { continue };
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == room) else {
            broken.push(format!("{}: the room `{room}` is not in the table", file.path));
            continue;
        };
        for (line, code) in file.program() {
            for target in named_after(code, "crate::") {
                if target.is_empty() {
                    broken.push(file.at(line, "`crate::{`: close it on the same line"));
                } else if target != room && !allowed.contains(&target) {
                    broken.push(file.at(line, format!("`{room}` may not know `{target}`")));
                }
            }
        }
    }
    broken
}

/// `super::super` that leaves the room would be an import that the table does not see.
pub fn climbing(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.shipped().filter(|f| f.room().is_some()) {
        let inside = file.path.trim_start_matches("src/").trim_end_matches(".rs");
        let depth = inside.trim_end_matches("/mod").split('/').count();
        let climb = "super::".repeat(depth);
        for (line, _) in file.program().filter(|(_, code)| code.contains(&climb)) {
            broken.push(file.at(line, "it climbs out of its room; write `crate::`"));
        }
    }
    broken
}

/// The reader of documents knows a catalogue by its `mod.rs`, never an entry.
pub fn doors_only(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.shipped().filter(|f| f.room() == Some("spec")) {
        for room in catalogue::ROOMS {
            let entries = catalogue::entries(tree, room);
            for (line, code) in file.program() {
                for name in named_after(code, &format!("crate::{room}::")) {
                    if entries.iter().any(|entry| entry == name) {
                        broken
                            .push(file.at(line, format!("`spec` may not know {room}'s `{name}`")));
                    }
                }
            }
        }
    }
    broken
}

pub fn pure(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.shipped() {
        let Some(room) = file.room().filter(|room| PURE.contains(room)) else { continue };
        for (line, code) in file.program() {
            for word in IMPURE.iter().filter(|word| contains_word(code, word)) {
                if !(room == "spec" && *word == "std::fs") {
                    broken.push(file.at(line, format!("`{room}` is pure, and may not use {word}")));
                }
            }
        }
    }
    broken
}

/// The names that follow each place where `before` stands, those in braces one by one. An empty
/// name stands for braces that are not closed on the line.
pub fn named_after<'a>(code: &'a str, before: &str) -> Vec<&'a str> {
    let starts = code
        .match_indices(before)
        .filter(|(at, _)| !code[..*at].chars().next_back().is_some_and(is_word));
    starts
        .flat_map(|(at, _)| {
            let rest = &code[at + before.len()..];
            match rest.strip_prefix('{').map(|group| group.split_once("};")) {
                None => vec![first_name(rest)],
                Some(None) => vec![""],
                Some(Some((group, _))) => {
                    let inside = group.split(", ").map(str::trim).filter(|item| !item.is_empty());
                    inside.map(first_name).collect()
                }
            }
        })
        .collect()
}

fn first_name(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

pub fn contains_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let open = |c: Option<char>| !c.is_some_and(is_word);
        open(code[..at].chars().next_back()) && open(code[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod can_fail {
    use super::*;

    fn one(path: &str, text: &str) -> Tree {
        Tree::of([(path, text)])
    }

    #[test]
    fn the_table() {
        let bad = |path, text| table(&one(path, text)).len();
        assert_eq!(bad("src/plan/a.rs", "use crate::guard::admit;"), 1);
        assert_eq!(bad("src/plan/a.rs", "use crate::model::id::DrillId;\ncrate::plan::x"), 0);
        assert_eq!(bad("src/plan/a.rs", "fn f() { crate::host::x() }"), 1);
        assert_eq!(bad("src/plan/a.rs", "use crate::{model, plan};"), 0);
        assert_eq!(bad("src/plan/a.rs", "use crate::{model::{id, plan}, host::x, lab};"), 2);
        assert_eq!(bad("src/plan/a.rs", "use crate::{\n    model,\n};"), 1);
        assert_eq!(
            bad("src/plan/a.rs", "// crate::host\n#[cfg(test)]\nmod t { crate::host::x }"),
            0
        );
        assert_eq!(bad("src/attic/a.rs", ""), 1);
    }

    #[test]
    fn climbing_out() {
        let bad = |path, text| climbing(&one(path, text)).len();
        assert_eq!(bad("src/plan/a.rs", "use super::super::host;"), 1);
        assert_eq!(bad("src/plan/mod.rs", "use super::host;"), 1);
        assert_eq!(bad("src/plan/a/b.rs", "use super::super::c;"), 0);
    }

    #[test]
    fn purity() {
        let bad = |path, text| pure(&one(path, text)).len();
        assert_eq!(bad("src/judge/a.rs", "std::fs::read(x)"), 1);
        assert_eq!(bad("src/spec/a.rs", "std::fs::read(x)"), 0);
        assert_eq!(bad("src/guard/a.rs", "jiff::Timestamp::now()"), 1);
        assert_eq!(bad("src/guard/a.rs", "let in_an_instant = InstantCoffee;"), 0);
        assert_eq!(bad("src/drill/a.rs", "use tokio::time;"), 0);
    }

    #[test]
    fn doors() {
        let door = ("src/fault/mod.rs", "catalogue! {\n    process_kill::ProcessKill,\n}\n");
        let bad = |text| doors_only(&Tree::of([door, ("src/spec/a.rs", text)])).len();
        assert_eq!(bad("use crate::fault::process_kill::Params;"), 1);
        assert_eq!(bad("use crate::fault::FaultParams;"), 0);
    }

    #[test]
    fn a_file_knows_its_room() {
        let tree = Tree::of([("src/lib.rs", ""), ("src/plan/a/b.rs", "")]);
        let rooms: Vec<Option<&str>> = tree.files.iter().map(File::room).collect();
        assert_eq!(rooms, [None, Some("plan")]);
    }
}

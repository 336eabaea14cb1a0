//! Catalogues: one file and one line an entry, and no second list anywhere.

use super::imports::contains_word;
use super::source::{File, Tree};

/// Folders that are catalogues, each with a `catalogue!` in its `mod.rs`.
pub const ROOMS: [&str; 4] = ["fault", "probe", "judge", "guard"];

/// Names of the modules in the `catalogue!` of a room, in order.
pub fn entries(tree: &Tree, room: &str) -> Vec<String> {
    let Some(door) = tree.file(&format!("src/{room}/mod.rs")) else { return Vec::new() };
    let lines = door.code.lines().skip_while(|line| !line.starts_with("catalogue! {"));
    let body = lines.skip(1).take_while(|line| !line.starts_with('}'));
    body.filter_map(|line| Some(line.trim().split_once("::")?.0.to_owned())).collect()
}

/// An entry that uses another is two entries that cannot be changed alone.
pub fn siblings(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for room in ROOMS {
        let entries = entries(tree, room);
        for file in tree.shipped() {
            let Some(own) = entry_of(file, room).filter(|own| entries.contains(own)) else {
                continue;
            };
            for (line, code) in file.program() {
                for other in entries.iter().filter(|other| **other != own) {
                    let named = [format!("super::{other}"), format!("{room}::{other}")];
                    if named.iter().any(|name| contains_word(code, name)) {
                        broken.push(file.at(line, format!("`{own}` may not know `{other}`")));
                    }
                }
            }
        }
    }
    broken
}

/// The name of the module directly under the room that the file belongs to.
fn entry_of(file: &File, room: &str) -> Option<String> {
    let inside = file.path.strip_prefix(&format!("src/{room}/"))?;
    Some(inside.split('/').next()?.trim_end_matches(".rs").to_owned())
}

/// Every file that implements the room's trait is in the list, and the list is in `mod.rs`.
pub fn complete(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for room in ROOMS {
        let entries = entries(tree, room);
        if entries.is_empty() {
            broken.push(format!("src/{room}/mod.rs: it has no `catalogue!`"));
        }
        let mut implemented = Vec::new();
        for file in tree.shipped().filter(|f| f.room() == Some(room)) {
            let declares = |code: &str| code.starts_with("impl ") && code.contains("Kind for ");
            if file.program().any(|(_, code)| declares(code)) {
                implemented.extend(entry_of(file, room).map(|entry| (file, entry)));
            }
        }
        for (file, entry) in &implemented {
            if !entries.contains(entry) {
                broken.push(format!("{}: it is not in the catalogue of {room}", file.path));
            }
        }
        for entry in entries.iter().filter(|e| !implemented.iter().any(|(_, i)| i == *e)) {
            broken.push(format!("src/{room}/mod.rs: `{entry}` is listed and does not exist"));
        }
    }
    broken
}

/// Everybody else counts and orders by what the entry says of itself, never by its name.
pub fn kinds_elsewhere(tree: &Tree) -> Vec<String> {
    let declared = tree.shipped().filter(|f| f.room() == Some("fault")).flat_map(|file| {
        let lines = file.uncommented.lines();
        lines.filter(|l| l.trim().starts_with("const KIND:")).filter_map(|l| l.split('"').nth(1))
    });
    let kinds: Vec<&str> = declared.collect();
    let mut broken = Vec::new();
    for file in tree.shipped().filter(|f| f.room() != Some("fault")) {
        for (line, text) in file.program_with_literals() {
            for kind in kinds.iter().filter(|kind| text.contains(&format!("\"{kind}\""))) {
                broken.push(file.at(line, format!("the fault {kind} is named outside fault/")));
            }
        }
    }
    broken
}

#[cfg(test)]
mod can_fail {
    use super::*;

    const DOOR: (&str, &str) = ("src/fault/mod.rs", "catalogue! {\n    a::A,\n    b::B,\n}\n");
    const A: (&str, &str) =
        ("src/fault/a.rs", "impl FaultKind for A {\n    const KIND: &'static str = \"breakA\";\n}");
    const B: (&str, &str) = ("src/fault/b.rs", "impl FaultKind for B {\n}");

    #[test]
    fn an_entry_that_uses_another() {
        let bad = |text| siblings(&Tree::of([DOOR, B, ("src/fault/a.rs", text)])).len();
        assert_eq!(bad("use super::b::running;"), 1);
        assert_eq!(bad("use crate::fault::b::running;"), 1);
        assert_eq!(bad("use super::{FaultKind};\nuse super::book;"), 0);
        let deep = Tree::of([DOOR, B, ("src/fault/a/part.rs", "use super::super::b;")]);
        assert_eq!(siblings(&deep).len(), 1);
    }

    #[test]
    fn an_entry_that_is_not_listed_or_not_there() {
        let mine = |broken: Vec<String>| broken.into_iter().filter(|b| b.contains("fault")).count();
        assert_eq!(mine(complete(&Tree::of([DOOR, A, B]))), 0);
        assert_eq!(mine(complete(&Tree::of([DOOR, A]))), 1);
        let extra = ("src/fault/c.rs", "impl FaultKind for C {\n}");
        assert_eq!(mine(complete(&Tree::of([DOOR, A, B, extra]))), 1);
        assert_eq!(mine(complete(&Tree::of([("src/fault/mod.rs", "")]))), 1);
    }

    #[test]
    fn a_kind_in_another_room() {
        let bad = |text| kinds_elsewhere(&Tree::of([DOOR, A, B, ("src/plan/x.rs", text)])).len();
        assert_eq!(bad("match kind { \"breakA\" => 1 }"), 1);
        assert_eq!(bad("// \"breakA\"\n#[cfg(test)]\nmod t {\n\"breakA\"\n}"), 0);
    }
}

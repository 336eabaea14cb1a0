//! Sizes: what fits on a screen is read, what does not is skipped.

use super::catalogue;
use super::source::{File, Tree, declared, module_folder};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

pub fn files(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", file.path));
        }
        if !file.text.starts_with("//! ") {
            broken.push(file.at(1, "it does not begin with `//! ` and what it is for"));
        }
        let code = file.code.lines().zip(file.uncommented.lines());
        for ((number, line), (code, literal)) in file.text.lines().enumerate().zip(code) {
            let columns = line.chars().count();
            // The formatter cannot break a literal, nor a macro's body.
            let inside = code.trim().is_empty() && !literal.trim().is_empty();
            let wraps = !inside && !line.contains('"') && !line.trim().starts_with("$(");
            if columns > COLUMNS_MAX && wraps {
                broken.push(file.at(number + 1, format!("{columns} columns")));
            }
        }
    }
    broken
}

pub fn functions(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.rust() {
        for (name, line, length) in lengths(file) {
            if length > FUNCTION_LINES_MAX {
                broken.push(file.at(line, format!("`{name}` has {length} lines")));
            }
        }
    }
    broken
}

/// Every function with a body: its name, its line, and how many lines it has.
fn lengths(file: &File) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = file.code.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(name) = function(line) else { continue };
        let mut depth = 0_i32;
        for (offset, line) in lines[number..].iter().enumerate() {
            let opens = i32::try_from(line.matches('{').count()).unwrap();
            let closes = i32::try_from(line.matches('}').count()).unwrap();
            depth += opens - closes;
            if depth <= 0 && closes > 0 {
                found.push((name.to_owned(), number + 1, offset + 1));
                break;
            }
            if depth == 0 && line.trim_end().ends_with(';') {
                break;
            }
        }
    }
    found
}

fn function(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let words = ["pub", "const", "async", "unsafe", "extern", "crate", "super", "in"];
    let known = |word: &str| word.is_empty() || words.contains(&word);
    let legal = before.split(|c: char| !c.is_alphanumeric()).all(known);
    let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (legal && !name.is_empty()).then_some(name)
}

/// A file that no `mod` names is not compiled, and so not tested either.
pub fn dead(tree: &Tree) -> Vec<String> {
    let mut alive: Vec<String> =
        ["src/lib.rs", "src/main.rs"].iter().map(|path| (*path).to_owned()).collect();
    for file in tree.rust() {
        let folder = module_folder(&file.path);
        let mut modules: Vec<String> =
            file.code.lines().filter_map(declared).map(str::to_owned).collect();
        if let Some(room) = catalogue::ROOMS.iter().find(|r| file.path == format!("src/{r}/mod.rs"))
        {
            modules.extend(catalogue::entries(tree, room));
        }
        for module in modules {
            alive.push(format!("{folder}/{module}.rs"));
            alive.push(format!("{folder}/{module}/mod.rs"));
        }
    }
    tree.rust()
        .filter(|f| f.path.starts_with("src/") && !alive.contains(&f.path))
        .map(|f| format!("{}: no `mod` names it", f.path))
        .collect()
}

#[cfg(test)]
mod can_fail {
    use super::*;

    #[test]
    fn files_too_long_too_wide_or_without_a_word() {
        let bad = |text: &str| files(&Tree::of([("src/a.rs", text)])).len();
        assert_eq!(bad("//! What.\nfn a() {}\n"), 0);
        assert_eq!(bad("fn a() {}\n"), 1);
        assert_eq!(bad(&format!("//! What.\n{}", "\n".repeat(499))), 0);
        assert_eq!(bad(&format!("//! What.\n{}", "\n".repeat(500))), 1);
        assert_eq!(bad(&format!("//! What.\n{}", "x".repeat(101))), 1);
        assert_eq!(bad(&format!("//! What.\n/// {}", "x".repeat(101))), 1);
        assert_eq!(bad(&format!("//! What.\nlet a = \"\n{}\n\";", "x".repeat(101))), 0);
    }

    #[test]
    fn functions_too_long() {
        let body = |lines: usize| {
            let text = format!("fn a() {{\n{}}}\nfn b() {{ c() }}\n", "x;\n".repeat(lines - 2));
            functions(&Tree::of([("src/a.rs", text)])).len()
        };
        assert_eq!((body(70), body(71)), (0, 1));
        let tree = Tree::of([(
            "src/a.rs",
            "pub(crate) fn a<T>(\n    x: T,\n) {\n    { }\n}\ntrait T {\n    fn b();\n}\n",
        )]);
        let found = lengths(&tree.files[0]);
        assert_eq!(found, [("a".to_owned(), 1, 5)]);
    }

    #[test]
    fn files_that_nobody_names() {
        let door = ("src/fault/mod.rs", "mod x;\ncatalogue! {\n    a::A,\n}\n");
        let lib = ("src/lib.rs", "pub mod fault;\n");
        let named = [("src/fault/a.rs", ""), ("src/fault/x.rs", "")];
        assert_eq!(dead(&Tree::of([lib, door].into_iter().chain(named))).len(), 0);
        assert_eq!(dead(&Tree::of([lib, door, ("src/fault/b.rs", "")])).len(), 1);
    }
}

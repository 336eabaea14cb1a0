//! The tree of the project as text, and Rust code with comments and literals blanked out.

use std::fs;
use std::path::{Path, PathBuf};

/// Every text file of the project that the rules look at.
pub struct Tree {
    pub files: Vec<File>,
}

pub struct File {
    /// Relative to the project, with `/`.
    pub path: String,
    pub text: String,
    /// Rust only: comments and the insides of literals are blanks, line for line.
    pub code: String,
    /// Rust only: comments are blanks, literals stay.
    pub uncommented: String,
    /// Rust only: built for tests alone.
    pub is_test: bool,
}

/// Folders that are not ours, or not text.
const SKIPPED: [&str; 4] = ["target", "out", ".git", "node_modules"];

const KINDS: [&str; 8] = ["rs", "toml", "md", "yaml", "yml", "json", "snap", "html"];

impl Tree {
    pub fn read() -> Tree {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        collect(&root, &mut paths);
        paths.sort();
        let read = |path: PathBuf| {
            let relative = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            // Bad encodings are fixtures of the reader's tests.
            fs::read_to_string(&path).ok().map(|text| (relative, text))
        };
        let tree = Tree::of(paths.into_iter().filter_map(read));
        assert!(tree.rust().count() > 20, "the tree was not found under {}", root.display());
        tree
    }

    /// A tree from paths and texts.
    pub fn of<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> Tree {
        let mut files: Vec<File> =
            files.into_iter().map(|(path, text)| File::new(path.into(), text.into())).collect();
        let tests: Vec<String> = files.iter().flat_map(test_modules).collect();
        for file in &mut files {
            let of = |stem: &String| {
                file.path == format!("{stem}.rs") || file.path.starts_with(&format!("{stem}/"))
            };
            file.is_test = file.path.starts_with("tests/")
                || file.path.starts_with("benches/")
                || tests.iter().any(of);
        }
        Tree { files }
    }

    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|f| f.path.ends_with(".rs"))
    }

    /// Code that goes into the program.
    pub fn shipped(&self) -> impl Iterator<Item = &File> {
        self.rust().filter(|f| f.path.starts_with("src/") && !f.is_test)
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|f| f.path == path)
    }
}

impl File {
    fn new(path: String, text: String) -> File {
        let (code, uncommented) = if path.ends_with(".rs") {
            (blank(&text, true), blank(&text, false))
        } else {
            (String::new(), String::new())
        };
        File { path, text, code, uncommented, is_test: false }
    }

    /// The folder under `src/` that it lives in; None for files directly there.
    pub fn room(&self) -> Option<&str> {
        let (room, _) = self.path.strip_prefix("src/")?.split_once('/')?;
        Some(room)
    }

    /// Lines of `code` that are built into the program, with their numbers.
    pub fn program(&self) -> impl Iterator<Item = (usize, &str)> {
        outside_tests(&self.code)
    }

    /// The same with literals.
    pub fn program_with_literals(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines: Vec<&str> = self.uncommented.lines().collect();
        outside_tests(&self.code).map(move |(number, _)| (number, lines[number - 1]))
    }

    /// `path:line: what`.
    pub fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// Leaves out what stands in a block after `#[cfg(test)]`.
fn outside_tests(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut depth = 0_usize;
    let mut marked = false;
    code.lines().enumerate().filter_map(move |(number, line)| {
        if depth == 0 && line.trim_start().starts_with("#[cfg(test)]") {
            marked = true;
            return None;
        }
        if !marked {
            return Some((number + 1, line));
        }
        depth += line.matches('{').count();
        depth = depth.saturating_sub(line.matches('}').count());
        if depth == 0 && (line.contains('}') || line.trim_end().ends_with(';')) {
            marked = false;
        }
        None
    })
}

/// Paths without ending of modules that are declared after `#[cfg(test)]`, whatever other
/// attributes stand between.
fn test_modules(file: &File) -> Vec<String> {
    let folder = module_folder(&file.path);
    let mut found = Vec::new();
    let mut marked = false;
    for line in file.code.lines().map(str::trim) {
        if line == "#[cfg(test)]" {
            marked = true;
        } else if !line.starts_with("#[") {
            let module = declared(line).filter(|_| marked);
            found.extend(module.map(|name| format!("{folder}/{name}")));
            marked = false;
        }
    }
    found
}

/// `name` of `pub mod name;`.
pub fn declared(line: &str) -> Option<&str> {
    let rest = line.trim().strip_suffix(';')?;
    let (before, name) = rest.split_once("mod ")?;
    let visible = before.trim();
    (visible.is_empty() || visible.starts_with("pub")).then_some(name.trim())
}

/// The folder in which the modules of a file lie: `src/plan` for both `src/plan/mod.rs` and
/// `src/plan.rs`.
pub fn module_folder(path: &str) -> String {
    for root in ["/mod.rs", "/lib.rs", "/main.rs"] {
        if let Some(folder) = path.strip_suffix(root) {
            return folder.to_owned();
        }
    }
    path.trim_end_matches(".rs").to_owned()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(&path, paths);
            }
        } else if path.extension().is_some_and(|e| KINDS.iter().any(|k| e == *k))
            || name == "Makefile"
        {
            paths.push(path);
        }
    }
}

/// Where a reader of Rust text stands.
enum Within {
    Code,
    Line,
    /// Depth of nesting.
    Block(usize),
    Text,
    /// Number of `#`.
    Raw(usize),
}

/// Blanks comments, and where asked the insides of literals, keeping every line break.
fn blank(text: &str, literals: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut within = Within::Code;
    let mut at = 0;
    while at < chars.len() {
        let (next, step, shown) = advance(&chars[at..], &within, out.chars().next_back());
        let hidden = match shown {
            Shown::Code => false,
            Shown::Comment => true,
            Shown::Literal => literals,
        };
        for c in &chars[at..(at + step).min(chars.len())] {
            out.push(if hidden && *c != '\n' { ' ' } else { *c });
        }
        at += step;
        within = next;
    }
    out
}

enum Shown {
    Code,
    Comment,
    Literal,
}

/// One step: where we are then, how many characters it took, and what they were.
fn advance(rest: &[char], within: &Within, before: Option<char>) -> (Within, usize, Shown) {
    let second = rest.get(1).copied();
    match (within, rest[0]) {
        (Within::Line, '\n') => (Within::Code, 1, Shown::Comment),
        (Within::Line, _) => (Within::Line, 1, Shown::Comment),
        (Within::Block(1), '*') if second == Some('/') => (Within::Code, 2, Shown::Comment),
        (Within::Block(n), '*') if second == Some('/') => (Within::Block(n - 1), 2, Shown::Comment),
        (Within::Block(n), '/') if second == Some('*') => (Within::Block(n + 1), 2, Shown::Comment),
        (Within::Block(n), _) => (Within::Block(*n), 1, Shown::Comment),
        (Within::Text, '\\') => (Within::Text, 2, Shown::Literal),
        (Within::Text, '"') => (Within::Code, 1, Shown::Code),
        (Within::Text, _) => (Within::Text, 1, Shown::Literal),
        (Within::Raw(n), '"') if hashes(&rest[1..]) >= *n => (Within::Code, 1 + n, Shown::Code),
        (Within::Raw(n), _) => (Within::Raw(*n), 1, Shown::Literal),
        (Within::Code, '/') if second == Some('/') => (Within::Line, 2, Shown::Comment),
        (Within::Code, '/') if second == Some('*') => (Within::Block(1), 2, Shown::Comment),
        (Within::Code, '"') => (Within::Text, 1, Shown::Code),
        (Within::Code, 'r') if !before.is_some_and(is_word) || before == Some('b') => {
            let n = hashes(&rest[1..]);
            if rest.get(1 + n) == Some(&'"') {
                (Within::Raw(n), 2 + n, Shown::Code)
            } else {
                (Within::Code, 1, Shown::Code)
            }
        }
        // A character; a lifetime has no closing quote that near.
        (Within::Code, '\'') if second == Some('\\') => {
            let length = rest.iter().skip(3).position(|c| *c == '\'').map_or(1, |n| n + 4);
            (Within::Code, length, Shown::Literal)
        }
        (Within::Code, '\'') if rest.get(2) == Some(&'\'') => (Within::Code, 3, Shown::Literal),
        (Within::Code, _) => (Within::Code, 1, Shown::Code),
    }
}

fn hashes(rest: &[char]) -> usize {
    rest.iter().take_while(|c| **c == '#').count()
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[test]
fn comments_and_literals_are_told_from_code() {
    let text =
        "let a = \"x // {\"; // } y\nlet b = r#\"{\"#; /* { /* */ } */ '{' 'a fn\n'\\n' b\"}\"";
    assert_eq!(blank(text, true).lines().count(), 3);
    assert!(!blank(text, true).contains(['{', '}']), "{}", blank(text, true));
    assert!(blank(text, false).contains("\"x // {\"") && !blank(text, false).contains("} y"));
    assert!(blank(text, true).contains("'a fn"));
}

#[test]
fn code_for_tests_is_left_out() {
    let text = "a\n#[cfg(test)]\nmod tests {\n  b {\n  }\n}\nc\n#[cfg(test)]\nmod x;\nd\n";
    let kept: Vec<&str> = outside_tests(text).map(|(_, line)| line).collect();
    assert_eq!(kept, ["a", "c", "d"]);
    let tree = Tree::of([("src/a/mod.rs", text), ("src/a/x.rs", ""), ("src/a/y.rs", "")]);
    let shipped: Vec<&str> = tree.shipped().map(|f| f.path.as_str()).collect();
    assert_eq!(shipped, ["src/a/mod.rs", "src/a/y.rs"]);
}

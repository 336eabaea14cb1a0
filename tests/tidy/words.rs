//! Words that say nothing, promises to finish later, and traces of somebody's machine.

use super::source::{File, Tree, is_word};

/// A thing with such a name has no subject.
const HOLLOW: [&str; 9] =
    ["util", "utils", "helper", "helpers", "manager", "common", "misc", "stuff", "utility"];

/// Built at run time, so that this file does not break its own rules.
fn promises() -> [String; 4] {
    [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|parts| parts.concat())
}

fn homes() -> [String; 4] {
    [["/ro", "ot/"], ["/ho", "me/"], ["/Us", "ers/"], ["/wo", "rk/"]].map(|parts| parts.concat())
}

pub fn names(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in tree.rust() {
        for part in file.path.trim_end_matches(".rs").split(['/', '_']) {
            if HOLLOW.contains(&part) {
                broken.push(format!("{}: `{part}` says nothing", file.path));
            }
        }
        for (number, line) in file.code.lines().enumerate() {
            for name in defined(line) {
                if parts(name).iter().any(|part| HOLLOW.contains(&part.as_str())) {
                    broken.push(file.at(number + 1, format!("`{name}` says nothing")));
                }
            }
        }
    }
    broken
}

/// Names that the line gives to something.
fn defined(line: &str) -> Vec<&str> {
    let words: Vec<&str> = line.split(|c| !is_word(c)).filter(|w| !w.is_empty()).collect();
    let gives =
        |word: &str| ["struct", "enum", "trait", "mod", "fn", "type", "const"].contains(&word);
    words.windows(2).filter(|pair| gives(pair[0])).map(|pair| pair[1]).collect()
}

/// `FooBar` and `foo_bar` alike.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            parts.push(String::new());
        }
        if c != '_' {
            parts.last_mut().unwrap().extend(c.to_lowercase());
        }
    }
    parts
}

pub fn unfinished(tree: &Tree) -> Vec<String> {
    let promises = promises();
    anywhere(tree, |file, line| {
        let words: Vec<&str> = line.split(|c| !is_word(c)).collect();
        let found = promises.iter().find(|p| words.contains(&p.as_str()))?;
        file.path.ends_with(".rs").then(|| format!("{found}: do it, or file it as an issue"))
    })
}

pub fn paths(tree: &Tree) -> Vec<String> {
    let homes = homes();
    anywhere(tree, |_, line| {
        let found = homes.iter().find(|home| {
            line.match_indices(home.as_str()).any(|(at, _)| {
                // `deploy/` of `redeploy/work/` is no path of a machine.
                !line[..at].chars().next_back().is_some_and(|c| is_word(c) || c == '.')
            })
        })?;
        Some(format!("`{found}` exists on somebody's machine only"))
    })
}

fn anywhere(tree: &Tree, look: impl Fn(&File, &str) -> Option<String>) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            broken.extend(look(file, line).map(|what| file.at(number + 1, what)));
        }
    }
    broken
}

#[cfg(test)]
mod can_fail {
    use super::*;

    #[test]
    fn hollow_names() {
        let bad = |path: &str, text: &str| names(&Tree::of([(path, text)])).len();
        assert_eq!(bad("src/drill/utils.rs", ""), 1);
        assert_eq!(bad("src/a.rs", "struct DrillManager;"), 1);
        assert_eq!(bad("src/a.rs", "fn misc_things() {}"), 1);
        assert_eq!(bad("src/a.rs", "use hyper_util::rt;\nstruct Uncommon;"), 0);
    }

    #[test]
    fn promises_and_homes() {
        let later = format!("// {}: later", promises()[0]);
        assert_eq!(unfinished(&Tree::of([("src/a.rs", later.clone())])).len(), 1);
        assert_eq!(unfinished(&Tree::of([("src/a.rs", "// to do: nothing")])).len(), 0);
        let home = format!("see {}me/x", homes()[1]);
        assert_eq!(paths(&Tree::of([("docs/a.md", home)])).len(), 1);
        let inside = format!("see docs{}x", homes()[3]);
        assert_eq!(paths(&Tree::of([("docs/a.md", inside)])).len(), 0);
    }
}

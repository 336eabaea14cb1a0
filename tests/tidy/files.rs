//! Files that are not code: the manifest, and the documents that are shipped.

use super::source::Tree;

/// Where the schema of documents lies.
const SCHEMA: &str = "docs/reference/schema.json";

/// Folders of documents that people copy.
const SHIPPED: [&str; 2] = ["experiments/", "policies/"];

/// What our own documents say they are.
const OURS: &str = "squall.dev/";

const MARK: &str = "# yaml-language-server: $schema=";

/// One sentence beside each: a dependency is a decision.
pub fn dependencies(tree: &Tree) -> Vec<String> {
    let Some(manifest) = tree.file("Cargo.toml") else { return vec!["no Cargo.toml".into()] };
    let mut section = "";
    let mut broken = Vec::new();
    for (number, line) in manifest.text.lines().enumerate() {
        if line.starts_with('[') {
            section = line.trim();
        } else if section.ends_with("dependencies]")
            && line.contains('=')
            && !line.starts_with('#')
            && !line.contains("} # ")
            && !line.contains("\" # ")
        {
            broken.push(manifest.at(number + 1, "it does not say what it is for"));
        }
    }
    broken
}

/// Cargo does not look for tests by itself here: one that is not listed never runs.
pub fn tests_listed(tree: &Tree) -> Vec<String> {
    let manifest = tree.file("Cargo.toml").map_or("", |m| m.text.as_str());
    let is_root = |path: &str| {
        let inside = path.strip_prefix("tests/");
        // The benches are one program.
        path == "benches/main.rs"
            || inside.is_some_and(|p| p.split('/').count() == 1 || p.ends_with("/main.rs"))
    };
    tree.rust()
        .filter(|f| is_root(&f.path) && !manifest.contains(&format!("path = \"{}\"", f.path)))
        .map(|f| format!("{}: Cargo.toml does not list it", f.path))
        .collect()
}

/// Editors complete and check by it.
pub fn yaml(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &tree.files {
        let is_yaml = file.path.ends_with(".yaml") || file.path.ends_with(".yml");
        // Manifests of a cluster are documents of its own.
        let is_ours = !file.text.lines().any(|l| l.starts_with("apiVersion:") && !l.contains(OURS));
        if !is_yaml || !is_ours || !SHIPPED.iter().any(|folder| file.path.starts_with(folder)) {
            continue;
        }
        let up = "../".repeat(file.path.matches('/').count());
        let wanted = format!("{MARK}{up}{SCHEMA}");
        if file.text.lines().next() != Some(&wanted) {
            broken.push(file.at(1, format!("it does not begin with `{wanted}`")));
        }
    }
    broken
}

#[cfg(test)]
mod can_fail {
    use super::*;

    #[test]
    fn a_dependency_without_a_reason() {
        let bad = |line: &str| {
            let text = format!("[package]\nname = \"x\"\n[dev-dependencies]\n# A group\n{line}\n");
            dependencies(&Tree::of([("Cargo.toml", text)])).len()
        };
        assert_eq!(bad("x = \"1\""), 1);
        assert_eq!(bad("x = \"1\" # does it"), 0);
        assert_eq!(bad("x = { version = \"1\", features = [\"#\"] }"), 1);
    }

    #[test]
    fn a_test_that_nobody_runs() {
        let bad = |manifest: &str| {
            let tests = [("tests/a/main.rs", ""), ("tests/a/b.rs", ""), ("Cargo.toml", manifest)];
            tests_listed(&Tree::of(tests)).len()
        };
        assert_eq!(bad(""), 1);
        assert_eq!(bad("path = \"tests/a/main.rs\""), 0);
    }

    #[test]
    fn a_document_without_its_schema() {
        let bad = |path: &str, text: &str| yaml(&Tree::of([(path, text)])).len();
        assert_eq!(bad("policies/a.yaml", "kind: Policy"), 1);
        assert_eq!(bad("policies/a.yaml", "# yaml-language-server: $schema=schema.json"), 1);
        let right = "# yaml-language-server: $schema=../../docs/reference/schema.json\n";
        assert_eq!(bad("experiments/labs/a.yaml", right), 0);
        assert_eq!(bad("tests/spec/bad/a.yaml", ""), 0);
    }
}

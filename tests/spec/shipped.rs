//! Every file that is shipped: read without a word, and right by the schema.

use std::path::{Path, PathBuf};

use squall::spec::{AnyDocument, Surroundings};

use super::{folder, read, unset};

/// The schema line that editors read, by where the file stands.
const SCHEMA_LINE: &str = "# yaml-language-server: $schema=";

fn yaml_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

fn shipped() -> Vec<PathBuf> {
    let more = ["kubernetes", "kubernetes/twins", "kubernetes/full"];
    let more = more.map(|folder| Path::new("experiments").join(folder));
    let folders = ["experiments", "experiments/labs", "policies"].map(PathBuf::from);
    folders.iter().chain(&more).flat_map(|folder| yaml_in(folder)).collect()
}

/// As an independent reader understands it.
fn as_json(path: &Path) -> serde_json::Value {
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_shipped_file_is_read_without_a_word() {
    let files = shipped();
    assert!(files.len() >= 16, "files are missing: {files:?}");
    let refused: String =
        files.iter().filter_map(|path| Some(read(path).err()?.to_string())).collect();
    assert!(refused.is_empty(), "{refused}");
    for path in files {
        let document = read(&path).unwrap();
        assert!(document.warnings().is_empty(), "{}: {:?}", path.display(), document.warnings());
        if let AnyDocument::Experiment(loaded) = &document {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert_eq!(loaded.name, stem, "a file is called as its experiment");
            assert!(loaded.value.lab.is_some(), "{}", path.display());
        }
    }
}

#[test]
fn every_shipped_file_matches_the_schema_and_names_it() {
    let schema = jsonschema::draft202012::new(&squall::spec::schema()).unwrap();
    let misfits: Vec<PathBuf> =
        shipped().into_iter().filter(|path| !schema.is_valid(&as_json(path))).collect();
    assert!(misfits.is_empty(), "{misfits:?}");
    for path in shipped() {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap();
        let named = first.strip_prefix(SCHEMA_LINE).unwrap_or_else(|| panic!("{path:?}: {first}"));
        let named = path.parent().unwrap().join(named);
        assert!(named.exists() || named.to_str().unwrap().starts_with("http"), "{named:?}");
    }
}

#[test]
fn every_experiment_says_what_fails_and_why_the_numbers() {
    let folders = ["experiments", "experiments/kubernetes", "experiments/kubernetes/full"];
    for path in folders.map(Path::new).map(yaml_in).concat() {
        let text = std::fs::read_to_string(&path).unwrap();
        let comment: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(comment.len() >= 8, "{}", path.display());
        let comment = comment.join("\n");
        assert!(
            comment.contains("# Expected: ") && comment.contains("# The numbers: "),
            "{path:?}"
        );
    }
}

#[test]
fn what_the_reader_refuses_by_shape_the_schema_refuses_too() {
    let schema = jsonschema::draft202012::new(&squall::spec::schema()).unwrap();
    for name in ["shape", "policy", "lab-shape", "kind", "foreign", "unused", "crlf"] {
        let path = folder("bad").join(name).with_extension("yaml");
        assert!(!schema.is_valid(&as_json(&path)), "{name}");
    }
}

#[test]
fn another_lab_can_take_the_place_of_the_one_that_is_named() {
    let path = Path::new("experiments/redis-primary-loss.yaml");
    let alone = Path::new("experiments/labs/redis-alone.yaml");
    let surroundings = Surroundings { lab: Some(alone), env: &unset };
    let loaded = squall::spec::experiment(path, &surroundings).unwrap();
    assert_eq!(loaded.value.lab.unwrap().name, "redis-alone");
    assert_eq!(loaded.value.experiment.lab.as_deref(), Some("labs/redis-sentinel.yaml"));
    let wrong = Surroundings { lab: Some(Path::new("experiments/labs/web.yaml")), env: &unset };
    let findings = squall::spec::experiment(path, &wrong).unwrap_err().to_string();
    assert!(findings.contains("the lab has no service `redis`"), "{findings}");
    assert!(findings.contains("`{{lab.sentinel.all}}` stands for nothing"), "{findings}");
}

/// Comments and labels are left out there, and nothing else.
#[test]
fn the_experiment_of_the_readme_is_the_one_that_is_shipped() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let (_, block) = readme.split_once("```yaml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let shown: serde_json::Value = serde_yaml::from_str(block).unwrap();
    let mut shipped = as_json(Path::new("experiments/redis-primary-loss.yaml"));
    shipped["metadata"].as_object_mut().unwrap().remove("labels");
    assert_eq!(shown, shipped);
}

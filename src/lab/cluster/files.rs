//! Images and manifests of a cluster: which files a section's words mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::host::linux::mounts::Bind;
use crate::model::kubernetes::KubernetesSpec;

const IMAGES: &str = "/run/kube/images";
const MANIFESTS: &str = "/run/kube/manifests";

/// The image that holds a pod's namespaces.
const PAUSE: &str = "pause";

/// One file that the lab sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Without its folder and its ending.
    pub name: String,
    pub bind: Bind,
}

/// Every image archive, by name; one named later takes the place of one named before. Errors: each
/// in words.
pub fn images(spec: &KubernetesSpec) -> Result<Vec<Shown>, Vec<String>> {
    let mut wrong = Vec::new();
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for word in &spec.images {
        let files = files_of(word, &["tar"], "an image archive", &mut wrong);
        found.extend(files.into_iter().map(|path| (stem(&path), path)));
    }
    let remedy = "`make kube-images` makes it";
    if wrong.is_empty() && !found.contains_key(PAUSE) {
        let places = spec.images.join(", ");
        wrong.push(format!("no image `{PAUSE}` (`{PAUSE}.tar`) in {places}; {remedy}"));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let shown = |(name, path): (String, PathBuf)| {
        let bind = Bind { from: shown_path(&path), to: format!("{IMAGES}/{name}.tar") };
        Shown { name, bind }
    };
    Ok(found.into_iter().map(shown).collect())
}

/// Every manifest, in the order in which they are applied. Errors: each in words.
pub fn manifests(spec: &KubernetesSpec) -> Result<Vec<Shown>, Vec<String>> {
    let mut wrong = Vec::new();
    let mut found: Vec<Shown> = Vec::new();
    for word in &spec.manifests {
        for path in files_of(word, &["yaml", "yml", "json"], "a manifest", &mut wrong) {
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("yaml").to_owned();
            let number = found.len();
            let name = stem(&path);
            let to = format!("{MANIFESTS}/{number:03}-{name}.{ending}");
            found.push(Shown { name, bind: Bind { from: shown_path(&path), to } });
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// A file, or every file of a folder with one of those endings, by name.
fn files_of(word: &str, endings: &[&str], what: &str, wrong: &mut Vec<String>) -> Vec<PathBuf> {
    let path = Path::new(word);
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) => {
            wrong.push(format!("failed to read {word}: {e}; name {what}, or a folder of them"));
            return Vec::new();
        }
    };
    let fits = |path: &PathBuf| {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        path.is_file() && endings.contains(&ending)
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(fits).collect();
    files.sort();
    if files.is_empty() {
        wrong.push(format!("the folder {word} has no file that is {what}"));
    }
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned()
}

/// The lab starts elsewhere: its root, where a relative path means nothing.
fn shown_path(path: &Path) -> String {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(images: &[&Path], manifests: &[&Path]) -> KubernetesSpec {
        serde_json::from_value(json!({
            "nodes": [{"name": "n1"}], "images": images, "manifests": manifests,
        }))
        .unwrap()
    }

    #[test]
    fn a_folder_means_its_files_and_the_last_of_a_name_counts() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in ["pause.tar", "web.tar", "notes.txt"] {
            fs::write(first.path().join(name), "").unwrap();
        }
        let own = second.path().join("web.tar");
        fs::write(&own, "").unwrap();
        let found = images(&spec(&[first.path(), &own], &[])).unwrap();
        let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["pause", "web"]);
        assert_eq!(Path::new(&found[1].bind.from), fs::canonicalize(&own).unwrap());
        assert_eq!(found[1].bind.to, "/run/kube/images/web.tar");
    }

    #[test]
    fn manifests_keep_their_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a.yml", "c.md"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let last = folder.path().join("a.yml");
        let found = manifests(&spec(&[], &[folder.path(), &last])).unwrap();
        let places: Vec<&str> = found.iter().map(|file| file.bind.to.as_str()).collect();
        assert_eq!(
            places,
            [
                "/run/kube/manifests/000-a.yml",
                "/run/kube/manifests/001-b.yaml",
                "/run/kube/manifests/002-a.yml"
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_said_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let wrong = images(&spec(&[&gone], &[])).unwrap_err();
        assert!(wrong[0].contains("failed to read") && wrong.len() == 1, "{wrong:?}");
        let wrong = manifests(&spec(&[], &[folder.path()])).unwrap_err();
        assert!(wrong[0].contains("no file that is a manifest"), "{wrong:?}");
        fs::write(folder.path().join("web.tar"), "").unwrap();
        let wrong = images(&spec(&[folder.path()], &[])).unwrap_err();
        assert!(wrong[0].contains("no image `pause`") && wrong[0].contains("make kube-images"));
    }
}

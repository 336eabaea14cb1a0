//! Every experiment of `experiments/kubernetes`, run on a real cluster, and beside each its twin on
//! a workload that is made badly in one way: it must deviate, by the claims that the table names,
//! in the words that say why.
//!
//! A lab is raised once and drilled in series. Between two drills it must have healed: a drill on a
//! cluster that still mends the last one measures both.

mod cluster;
mod drill;
mod page;
mod table;

use std::collections::BTreeMap;

use cluster::Cluster;
use drill::Drill;

use super::stand::Stand;

#[test]
fn every_experiment_has_a_twin_that_deviates() {
    let mut files: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for folder in ["", "twins/"] {
        let path = drill::folder().join(folder);
        for entry in std::fs::read_dir(path).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            // A map is a series of drills, and has a test of its own.
            if let Some(stem) = name.strip_suffix(".yaml").filter(|s| !s.starts_with("blast-")) {
                files.insert(format!("{folder}{stem}"), Vec::new());
            }
        }
    }
    for drill in table::all() {
        let code = if drill.deviates.is_empty() { 0 } else { 4 };
        let codes = files.get_mut(drill.file).unwrap_or_else(|| panic!("no {}", drill.file));
        codes.push(code);
        assert!(!drill.why.is_empty(), "{}", drill.file);
    }
    for (file, codes) in &files {
        let twin = file.starts_with("twins/");
        assert_eq!(codes, &[if twin { 4 } else { 0 }], "{file}");
        let twins = files.keys().filter(|other| other.starts_with(&format!("twins/{file}")));
        assert!(twin || twins.count() > 0, "{file} has no twin");
    }
}

#[test]
fn a_web_server_made_well_and_badly() {
    series("a_web_server_made_well_and_badly", "kubernetes-web", table::WEB);
}

#[test]
fn names_an_autoscaler_and_redis() {
    series("names_an_autoscaler_and_redis", "kubernetes-addons", table::ADDONS);
}

/// Runs one lab's drills, all of them whatever comes out, and then says which were wrong.
fn series(test: &str, lab: &str, drills: &[Drill]) {
    let Some(stand) = Stand::new(test) else { return };
    let cluster = Cluster::raise(&stand, lab);
    let mut wrong = Vec::new();
    let mut lines = Vec::new();
    for drill in drills {
        cluster.heal(drill.file);
        match drill.run(&stand) {
            Ok(line) => lines.push(line),
            Err(why) => wrong.push(format!("{}: {why}", drill.file)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    page::write(lab, &lines);
}

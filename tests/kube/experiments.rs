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
use drill::{Drill, Line};

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

/// Two labs side by side, each with a state folder of its own: a drill mostly waits.
#[test]
fn every_experiment_comes_out_as_the_table_says() {
    let Some(stand) = Stand::new("every_experiment_comes_out_as_the_table_says") else { return };
    let (web, addons) = std::thread::scope(|scope| {
        let web = scope.spawn(|| series(&stand, ("one", "kubernetes-web"), table::WEB));
        let addons = series(&stand, ("two", "kubernetes-addons"), table::ADDONS);
        (web.join().unwrap(), addons)
    });
    let (web, addons) = (web.unwrap_or_else(|why| panic!("{why}")), addons);
    let addons = addons.unwrap_or_else(|why| panic!("{why}"));
    page::write("kubernetes-web", &web);
    page::write("kubernetes-addons", &addons);
}

#[test]
#[ignore = "it takes seven minutes: `make kube-full`"]
fn a_node_is_given_up_after_the_times_that_kubernetes_takes() {
    let name = "a_node_is_given_up_after_the_times_that_kubernetes_takes";
    let Some(stand) = Stand::new(name) else { return };
    let lines = series(&stand, ("one", "kubernetes-as-it-comes"), table::FULL);
    page::write("kubernetes-as-it-comes", &lines.unwrap_or_else(|why| panic!("{why}")));
}

/// Runs one lab's drills, all of them whatever comes out. Errors: what was wrong.
fn series(
    stand: &Stand,
    (state, lab): (&str, &str),
    drills: &[Drill],
) -> Result<Vec<Line>, String> {
    let cluster = Cluster::raise(stand, state, lab);
    let mut wrong = Vec::new();
    let mut lines = Vec::new();
    for drill in drills {
        match cluster.heal().and_then(|()| drill.run(stand, state)) {
            Ok(line) => lines.push(line),
            Err(why) => {
                eprintln!("{}: {why}", drill.file);
                wrong.push(format!("{}: {why}", drill.file));
            }
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(wrong.join("\n\n")) }
}

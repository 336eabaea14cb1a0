//! Reports as real drills leave them, and some that are harder to show than any real one.

mod build;
mod ends;
mod redis;
mod stress;

use squall::model::verdict::Report;

/// Every sample by its name.
pub fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("held", redis::held()),
        ("deviated", redis::never_recovered()),
        ("inconclusive", ends::prober_stalled()),
        ("stuck", ends::stuck()),
        ("aborted", ends::aborted()),
        ("null", redis::null()),
        ("crowded", stress::crowded()),
        ("hostile", stress::hostile()),
        ("empty", stress::empty()),
    ]
}

/// The sample of that name.
pub fn named(name: &str) -> Report {
    let found = all().into_iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no sample {name}")).1
}

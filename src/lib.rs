//! squall: failover drills that end, measure and ask first.
pub mod cli;
pub mod fault;
pub mod guard;
pub mod host;
pub mod judge;
pub mod model;
pub mod plan;
pub mod probe;

/// The examples of CONTRIBUTING.md are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
pub struct Contributing;

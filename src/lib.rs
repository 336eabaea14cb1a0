//! squall: failover drills that end, measure and ask first.
//!
//! The flow: [`spec`] reads YAML into values, [`plan`] makes them concrete, [`guard`] admits
//! exactly that plan, [`drill`] conducts it with the parts of [`injection`] and the prober, where a
//! [`backend`] says the targets are; [`judge`] turns what was observed into a verdict, and
//! [`report`] shows it. [`fault`], [`probe`], [`judge`] and [`guard`] are catalogues: one file and
//! one line for each entry. [`host`] is the only door to the kernel; [`model`] holds the values.

pub mod backend;
pub mod cli;
pub mod drill;
pub mod fault;
pub mod guard;
pub mod host;
pub mod injection;
pub mod judge;
pub mod lab;
pub mod model;
pub mod plan;
pub mod probe;
pub mod report;
pub mod spec;

/// The examples of CONTRIBUTING.md are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../CONTRIBUTING.md")]
pub struct Contributing;

//! squall: failover drills that end, measure and ask first.
pub mod cli;
pub mod drill;
pub mod fault;
pub mod guard;
pub mod host;
pub mod judge;
pub mod model;
pub mod probe;
pub mod spec;

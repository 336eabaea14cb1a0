//! squall: failover drills that end, measure and ask first.
pub mod backend;
pub mod cli;
pub mod fault;
pub mod guard;
pub mod host;
pub mod judge;
pub mod lab;
pub mod model;
pub mod probe;

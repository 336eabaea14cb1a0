//! Figures drawn from a history once, for every check and for the report.

pub mod axis;
pub mod budget;
pub mod cluster_stage;
pub mod figures;
pub mod hit;
pub mod hold;
pub mod injection;
pub mod lag;
pub mod latency;
pub mod outage;
pub mod pending;
pub mod probe;
pub mod reached;
pub mod ready;
pub mod ribbon;
pub mod role;
pub mod run;
pub mod stage;
pub mod timeline;
pub mod unseen;
pub mod watched;
pub mod window;

pub use figures::Measured;

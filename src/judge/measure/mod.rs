//! Figures drawn from a history once, for every check and for the report.

pub mod axis;
pub mod budget;
pub mod figures;
pub mod hold;
pub mod injection;
pub mod lag;
pub mod latency;
pub mod outage;
pub mod probe;
pub mod ribbon;
pub mod role;
pub mod run;
pub mod stage;
pub mod timeline;
pub mod unseen;
pub mod window;

pub use figures::Measured;

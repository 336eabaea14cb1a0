//! Targets in clusters: what an API server knows of them, asked with retries off.

mod found;
pub mod inventory;
mod late;
mod pods;
pub mod site;
mod things;
mod watch;

pub use inventory::inventory;
pub use site::ClusterSite;
pub use watch::Watching;

//! Targets in clusters: what an API server knows of them, asked with retries off.

pub mod access;
mod around;
mod found;
pub mod inventory;
mod late;
pub mod marked;
mod pods;
pub mod site;
mod things;
mod timing;
mod watch;

pub use inventory::inventory;
pub use site::ClusterSite;
pub use watch::Watching;

//! Targets in clusters: what an API server knows of them, asked with retries off.

mod around;
mod found;
pub mod inventory;
mod late;
mod pods;
pub mod site;
mod things;
mod timing;

pub use inventory::inventory;
pub use site::ClusterSite;

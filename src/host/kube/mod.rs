//! The door to API servers: one client, and the requests of faults through it.

pub mod blocking;
pub mod client;
pub mod error;
pub mod kubeconfig;
pub mod watch;

pub use blocking::BlockingClusters;
pub use client::ApiClient;
pub use error::ApiError;

//! The only door to the kernel: what a fault, a lab or a part of a drill may ask of the machine.
//!
//! Others see the capability traits below; `linux/` implements them with system calls and netlink.
//! `unsafe`, `setns` and subprocesses live here and nowhere else. No shell, ever.

pub mod channel;
pub mod cluster;
pub mod error;
pub mod kube;
pub mod linux;
pub mod network;
pub mod part;
pub mod process;

pub use cluster::Clusters;
pub use error::HostError;
pub use network::Network;
pub use process::Processes;

/// Everything that a fault may ask of the machine that it changes.
pub trait Host: Processes + Network + Clusters {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    fn now_ns(&self) -> u64;

    /// The calendar's time, for what others read on other machines; never to measure with.
    fn wall(&self) -> jiff::Timestamp;

    /// Lets time pass between two tries of the same thing; never a wait for readiness.
    fn pause(&self, length: std::time::Duration);

    /// What probing found of the kernel's means, for `doctor` and the history.
    fn carriers(&self) -> std::collections::BTreeMap<String, String>;
}

//! The capability traits on Linux: system calls and netlink, no programs but those of a lab and of
//! command probes.

pub mod cgroup;
pub mod clock;
pub mod command;
pub mod holders;
pub mod inherit;
pub mod link;
mod machine;
pub mod mounts;
pub mod namespace;
pub mod netns;
pub mod network;
pub mod part;
pub mod pidfd;
pub mod process;
pub mod program;
pub mod route;
#[cfg(feature = "crash-points")]
pub mod stop;
pub mod terminal;
pub mod timing;
pub mod wake;
pub mod watches;

pub use machine::LinuxHost;

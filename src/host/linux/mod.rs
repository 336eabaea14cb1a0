//! The capability traits on Linux: system calls and netlink, no programs but those of a lab.

pub mod clock;
pub mod link;
pub mod namespace;
pub mod netns;
pub mod part;
pub mod pidfd;
pub mod process;
pub mod program;
#[cfg(feature = "crash-points")]
pub mod stop;
pub mod wake;

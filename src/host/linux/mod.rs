//! The capability traits on Linux: system calls and netlink, no programs.

pub mod clock;
pub mod netns;
pub mod network;

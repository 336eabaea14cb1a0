//! The capability traits on Linux: system calls and netlink, no programs but those of a lab and of
//! command probes.

pub mod clock;
pub mod command;
pub mod inherit;
pub mod link;
mod machine;
pub mod namespace;
pub mod netns;
pub mod network;

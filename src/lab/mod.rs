//! A system under test that squall starts itself and the kernel removes.
//!
//! A lab is one process tree in its own user, PID, mount, network, IPC and UTS namespace. Its init
//! is PID 1 there and dies with its parent, so that SIGKILL of squall at any moment removes
//! everything: processes, interfaces, rules, mounts, scratch files. Nothing here knows of drills,
//! faults or probes.
//!
//! Outside: [`Blueprint`] (what is to be started, rendered and checked), [`Lab`] (holds the init),
//! [`registry`] and [`keeper`] (a lab that stands for others to attach to). Inside: [`init`].

pub mod blueprint;
pub mod check;
pub mod cluster;
pub mod error;
pub mod init;
pub mod keeper;
pub mod message;
pub mod readiness;
pub mod registry;
mod standing;
mod template;

pub use blueprint::Blueprint;
pub use error::LabError;
pub use message::LabEvent;
pub use standing::{Lab, LabPlace};

//! The conductor: one run of a plan, from the first handshake to the last read-back. It needs no
//! privilege and holds no fault; `run` shows the phases as a column, and is the file to read first.
//! The prober lives here too, as a process of its own.

pub mod bind;
pub mod contest;
pub mod event;
mod farewell;
pub mod follow;
mod greet;
pub mod history;
mod method;
pub mod parts;
pub mod prober;
mod revert;
pub mod roles;
pub mod run;
mod settle;
pub mod silence;
pub mod state;
pub mod steps;
mod take;
pub mod watch;

pub use event::Signal;
pub use run::{DrillError, Request, run};

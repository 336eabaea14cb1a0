//! The conductor: one run of a plan, from the first handshake to the last read-back. It needs no
//! privilege and holds no fault; `run` shows the phases as a column, and is the file to read first.
//! The prober lives here too, as a process of its own.

pub mod bind;
pub mod event;
pub mod history;
pub mod parts;
pub mod prober;
pub mod run;
pub mod state;
pub mod steps;
mod take;
pub mod watch;

pub use event::Signal;
pub use run::{DrillError, Request, run};

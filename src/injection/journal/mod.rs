//! The undo log: what has to be undone, durable before anything is done. It must not lose a line.

pub mod record;
pub mod state;
pub mod store;

pub use record::{JOURNAL_VERSION, JournalRecord, Opened};
pub use state::State;
pub use store::{Contents, Journal, JournalError};

//! A drill under way: the lines that a terminal redraws in place, and one plain line per event
//! elsewhere.
//!
//! What is shown is how it looks now, with the same rule for an outage as the judge has; only the
//! judge's figures count.

mod lines;
mod state;

pub use lines::{lines, plain_line};
pub use state::{Event, InForce, LiveState, Next, OpenOutage, ProbeNow};

//! Values only: what every other layer speaks about.
//!
//! Nothing here acts, waits, reads a file or knows a clock. Everything can be written as JSON,
//! read back, and compared. Times on the wire are nanoseconds of `CLOCK_MONOTONIC`, which is one
//! clock for all processes of a machine; durations that people write are [`units::Span`].

pub mod binding;
pub mod blast;
pub mod cluster;
pub mod cluster_seen;
pub mod expectation;
pub mod experiment;
pub mod history;
pub mod id;
pub mod identity;
pub mod inventory;
pub mod kubernetes;
pub mod lab;
pub mod layout;
pub mod mark;
pub mod message;
pub mod network;
pub mod observation;
pub mod outcome;
pub mod pick;
pub mod plan;
pub mod policy;
pub mod selector;
pub mod units;
pub mod verdict;
pub mod vocabulary;

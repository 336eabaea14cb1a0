//! From an experiment to a plan: a value that can be read, compared and replayed before anything
//! happens.
//!
//! Everything here is a pure function of its input: no clock, no file, no randomness but the
//! seed's. The same input gives the same digest, byte for byte, on any machine.

pub mod arithmetic;
pub mod bind;
pub mod blast_radius;
pub mod build;
pub mod diff;
pub mod digest;
pub mod draw;
pub mod error;
mod everything;
pub mod far_end;
pub mod ground;
pub mod lab;
pub mod pick;
pub mod render;
pub mod resolve;
mod rule;
pub mod stale;
pub mod step;
pub mod style;
mod too_short;
pub mod warning;

#[cfg(test)]
pub(crate) mod fixture;

pub use bind::{BindError, bind};
pub use build::{PlanInput, plan};
pub use diff::{Difference, diff};
pub use error::PlanError;
pub use far_end::{FarEnd, far_end};
pub use lab::lab;
pub use pick::pick;
pub use stale::check_stale;
pub use step::GRACE;
pub use style::Style;

//! An experiment's document filled into the model: its lab is read, templates are filled, every
//! catalogue entry is asked for its facts, and what the types cannot say is checked.

mod claims;
mod cluster;
mod probes;
mod review;
mod selectors;
mod steps;
mod timing;

pub use review::Declared;
pub(super) use review::read;

use review::{LabInView, Review};

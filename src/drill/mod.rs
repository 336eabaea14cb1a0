//! One run of a plan.

pub mod prober;

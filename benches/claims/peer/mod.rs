//! What others use for the same thing, on the same wires in the same run.

pub mod programs;
pub mod toxiproxy;

//! Where targets live, and which of them a plan means: matching only, nothing here acts.

pub mod lab;

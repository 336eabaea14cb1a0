//! x
pub fn schema() {}

//! x
pub fn pages() {}

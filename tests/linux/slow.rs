//! A machine where time is worth less, as one that is emulated: `SQUALL_SLOW_MACHINE=1` says so.
//!
//! Only bounds of time are widened, each says by how much, and nobody widens them by accident.

/// The first; on a slow machine the second, and that is printed.
pub fn unless_slow<T: std::fmt::Debug>(normal: T, slow: T, what: &str) -> T {
    if std::env::var_os("SQUALL_SLOW_MACHINE").is_none() {
        return normal;
    }
    println!("slow machine: {what} is {slow:?} instead of {normal:?}");
    slow
}

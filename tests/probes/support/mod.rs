//! What the tests stand on.

pub mod health;
pub mod hostile;
pub mod look;
pub mod part;
pub mod server;

use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::timing::sleep_until;

pub const MS: u64 = 1_000_000;

/// Asks again every 2 ms until there is an answer; none within the seconds given is a failure.
pub fn wait_for<T>(what: &str, seconds: u64, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = monotonic_ns() + seconds * 1_000 * MS;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(monotonic_ns() < until, "waited {seconds} s for {what}");
        sleep_until(monotonic_ns() + 2 * MS);
    }
}

/// Lets time pass that is itself what the test is about: a blackout, a stop.
pub fn let_pass(ms: u64) {
    sleep_until(monotonic_ns() + ms * MS);
}

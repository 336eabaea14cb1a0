//! Where a part waits at a crash point: only in builds for the crash matrix.
#![cfg(feature = "crash-points")]

use std::fs::File;
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

/// Says `PID POINT` on the descriptor named by `SQUALL_CRASH_FD` and waits for one byte, or for the
/// harness to go.
#[expect(unsafe_code, reason = "a descriptor that the harness passed by number")]
pub fn wait_for_harness(point: &str) {
    let number = std::env::var("SQUALL_CRASH_FD").ok().and_then(|f| f.parse::<i32>().ok());
    let Some(number) = number.filter(|n| *n > 2) else { return };
    // SAFETY: the harness opened it for us and nobody else in this process owns it; it is never
    // closed here, so that the next point can use it again.
    let mut harness = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
    let line = format!("{} {point}\n", std::process::id());
    if harness.write_all(line.as_bytes()).is_ok() {
        let _answer = harness.read(&mut [0]);
    }
}

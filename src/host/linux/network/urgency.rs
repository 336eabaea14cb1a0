//! How soon the engine's thread runs when a packet is due.

use nix::sys::prctl::set_timerslack;

/// Above every ordinary thread, below everything that somebody placed higher on purpose.
const FIFO_PRIORITY: libc::c_int = 1;

/// Asks for exact timers and for the processor first. Both are refused in places where they are
/// not ours to have (real-time scheduling inside a user namespace); the delay is then less exact.
pub(super) fn raise() -> bool {
    // Without it the kernel may group a timer with others, 50 us late.
    let _ = set_timerslack(1);
    fifo()
}

#[expect(unsafe_code, reason = "sched_setscheduler has no safe form")]
fn fifo() -> bool {
    let parameter = libc::sched_param { sched_priority: FIFO_PRIORITY };
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: `parameter` is valid for reads; 0 is the calling thread.
    unsafe { libc::sched_setscheduler(0, policy, &raw const parameter) == 0 }
}

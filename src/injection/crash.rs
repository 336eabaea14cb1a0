//! Numbered stops round every step of an injection, for the crash matrix.
//!
//! With the feature `crash-points` and `SQUALL_CRASH_FD` and `SQUALL_CRASH_POINT` set, a part that
//! reaches that point (or one of several, joined by `;`) writes one line `PID POINT` to the
//! descriptor and waits for a byte: the harness kills whom it likes meanwhile. Without the feature
//! nothing of this is in the binary.

/// Every point, in the order in which an undisturbed injection meets them.
pub const POINTS: &[&str] = &[
    "injector: ordered",
    "injector: armed, not journalled",
    "injector: journalled, not guarded",
    "injector: guarded, not injected",
    "injector: injected, not journalled",
    "injector: journalled active, not verified",
    "injector: in force",
    "injector: revert ordered",
    "injector: undone, not verified",
    "injector: verified gone, not journalled",
    "injector: journalled reverting",
    "injector: journalled reverted, guardian not told",
    "guardian: took over",
    "guardian: undone, not verified",
    "guardian: verified gone, not journalled",
    "guardian: journalled reverting",
    "recovery: opened",
    "recovery: undone, not verified",
    "recovery: verified gone, not journalled",
    "recovery: journalled reverting",
];

/// Stops here if the harness asked for it.
#[cfg(feature = "crash-points")]
pub fn point(name: &str) {
    debug_assert!(POINTS.contains(&name), "crash point `{name}` is not in the list");
    if std::env::var("SQUALL_CRASH_POINT").is_ok_and(|w| w.split(';').any(|w| w == name)) {
        crate::host::linux::stop::wait_for_harness(name);
    }
}

/// Nothing, in a build that people use.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub fn point(_name: &str) {}

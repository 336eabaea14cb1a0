//! One clock for everything that is measured.

use nix::time::{ClockId, clock_gettime};

/// Nanoseconds of `CLOCK_MONOTONIC`: since boot, the same for every process of the machine.
#[must_use]
pub fn monotonic_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |t| {
        u64::try_from(t.tv_sec()).unwrap_or(0) * 1_000_000_000
            + u64::try_from(t.tv_nsec()).unwrap_or(0)
    })
}

/// This boot: `/proc/sys/kernel/random/boot_id`.
pub fn boot() -> Result<crate::model::identity::BootId, crate::host::HostError> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(path)
        .map_err(|e| crate::host::HostError::io(format!("read {path}"), e))?;
    Ok(crate::model::identity::BootId(text.trim().to_owned()))
}

//! Descriptors that a part of a drill is born with.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::host::HostError;

/// Takes over an inherited descriptor and keeps it from being inherited further. To be called once
/// per descriptor, by the main of a part. Errors: nobody handed it down.
#[expect(unsafe_code, reason = "a number becomes an owned descriptor here, and nowhere else")]
pub fn take(number: RawFd) -> Result<OwnedFd, HostError> {
    let missing = |e| HostError::io(format!("take over descriptor {number}"), e);
    // SAFETY: only looked at, for as long as the next call takes; a closed one is EBADF.
    let seen = unsafe { std::os::fd::BorrowedFd::borrow_raw(number) };
    fcntl(seen, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(missing)?;
    // SAFETY: it is open, and the contract above makes us its only owner.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

//! The size of a terminal.

use std::os::fd::{AsFd, AsRawFd};

nix::ioctl_read_bad!(
    /// `TIOCGWINSZ`, see ioctl_tty(2).
    window_size, libc::TIOCGWINSZ, libc::winsize
);

/// Columns and rows; None where it is no terminal, or does not tell.
#[expect(unsafe_code, reason = "an ioctl has no safe form")]
pub fn size(stream: impl AsFd) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the descriptor is open for the call and `size` is valid for writes.
    unsafe { window_size(stream.as_fd().as_raw_fd(), &raw mut size) }.ok()?;
    (size.ws_col > 0).then_some((size.ws_col, size.ws_row))
}

//! How many more programs may watch files: the kernel limits inotify instances by user, and
//! programs that get none fail in ways of their own, late and with words about something else.

use nix::errno::Errno;
use nix::sys::inotify::{InitFlags, Inotify};

use crate::host::HostError;

const LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";

/// Errors: `Denied` where our user may not have that many more. They are had for a moment, which is
/// the only way to ask.
pub fn room_for(count: usize) -> Result<(), HostError> {
    let mut had = Vec::new();
    while had.len() < count {
        match Inotify::init(InitFlags::IN_CLOEXEC) {
            Ok(instance) => had.push(instance),
            Err(Errno::EMFILE) => return Err(refusal(count, had.len())),
            Err(e) => return Err(HostError::io("watch a file", e)),
        }
    }
    Ok(())
}

fn refusal(count: usize, there: usize) -> HostError {
    let limit = std::fs::read_to_string(LIMIT).unwrap_or_default();
    HostError::Denied {
        what: format!("{count} more inotify instances, of which there are only {there},"),
        remedy: format!(
            "end other labs, or raise the limit of {} with \
             `sysctl fs.inotify.max_user_instances=1024`",
            limit.trim()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_refused_with_its_remedy() {
        room_for(1).unwrap();
        let error = refusal(29, 3).to_string();
        assert!(error.contains("29 more") && error.contains("only 3"), "{error}");
        assert!(error.contains("fs.inotify.max_user_instances=1024"), "{error}");
    }
}

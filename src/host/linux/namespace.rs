//! The namespaces of a lab: whose ids are whose, why they may be refused, and what the file system
//! looks like from inside.

use std::fs;
use std::io::Write;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::prctl::set_name;
use nix::unistd::{getegid, geteuid, sethostname};

use crate::host::HostError;

/// Where hosts' network namespaces are named inside a lab.
pub const NETNS_FOLDER: &str = "/run/netns";

/// Folders that are a lab's own and vanish with it: nothing outside is seen through them.
pub const PRIVATE: &[&str] = &["/run", "/tmp", "/dev/shm"];

/// Switches that forbid user namespaces to ordinary users: file, forbidding value, remedy.
const SWITCHES: &[(&str, &str, &str)] = &[
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "set it with `sysctl kernel.unprivileged_userns_clone=1`",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "set it with `sysctl user.max_user_namespaces=10000`",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "set it with `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
    ),
];

/// Maps ids into the new user namespace of `pid`. To root every id is itself; an ordinary user is
/// root inside and nobody else exists.
pub fn map_ids(pid: i32) -> Result<(), HostError> {
    if geteuid().is_root() && map_all(pid).is_ok() {
        return Ok(());
    }
    write(pid, "setgroups", "deny")?;
    write(pid, "uid_map", &format!("0 {} 1\n", geteuid()))?;
    write(pid, "gid_map", &format!("0 {} 1\n", getegid()))
}

/// Why the kernel refused new namespaces, with what to change.
#[must_use]
pub fn refusal(errno: Errno) -> HostError {
    let what = "a new user namespace, which a lab lives in,".to_owned();
    if !matches!(errno, Errno::EPERM | Errno::ENOSPC | Errno::EUSERS | Errno::EACCES) {
        return HostError::io("make the namespaces of a lab", errno);
    }
    let set = |file: &str, forbids: &str| {
        fs::read_to_string(file).is_ok_and(|value| value.trim() == forbids)
    };
    let found: Vec<String> = SWITCHES
        .iter()
        .filter(|(file, forbids, _)| set(file, forbids))
        .map(|(file, forbids, remedy)| format!("{file} is {forbids}, {remedy}"))
        .collect();
    let remedy = if found.is_empty() {
        format!(
            "{errno}; a container's seccomp profile may forbid it: run outside of it, or as root"
        )
    } else {
        found.join("; ")
    };
    HostError::Denied { what, remedy }
}

/// Makes the mounts of a lab, from inside its new mount namespace: changes reach nobody outside.
pub fn furnish() -> Result<(), HostError> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|e| HostError::io("make the lab's mounts private", e))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, none).map_err(|e| match e {
        Errno::EPERM => HostError::Denied {
            what: "a new /proc".to_owned(),
            remedy: "parts of /proc are hidden here, as in a container: run outside of it, or let \
                     the container see all of /proc"
                .to_owned(),
        },
        e => HostError::io("mount the lab's /proc", e),
    })?;
    for folder in PRIVATE.iter().filter(|f| Path::new(f).is_dir()) {
        // As on any system: programs may live in these, devices may not.
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        let mode = if *folder == "/run" { "mode=755" } else { "mode=1777" };
        mount(Some("tmpfs"), *folder, Some("tmpfs"), flags, Some(mode))
            .map_err(|e| HostError::io(format!("mount the lab's {folder}"), e))?;
    }
    fs::create_dir_all(NETNS_FOLDER).map_err(|e| HostError::io(format!("make {NETNS_FOLDER}"), e))
}

/// What the lab is called from inside: its host name and its init's name in listings.
pub fn name_ourselves(lab: &str) -> Result<(), HostError> {
    sethostname(lab).map_err(|e| HostError::io("name the lab", e))?;
    set_name(c"squall-lab").map_err(|e| HostError::io("name the lab's init", e))
}

/// What our own user namespace knows, each id as itself.
fn map_all(pid: i32) -> Result<(), HostError> {
    for file in ["uid_map", "gid_map"] {
        let own = format!("/proc/self/{file}");
        let text = fs::read_to_string(&own).map_err(|e| HostError::io(format!("read {own}"), e))?;
        write(pid, file, &identity_map(&text))?;
    }
    Ok(())
}

/// From `inside outside count` lines to the same ids on both sides.
fn identity_map(own: &str) -> String {
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (first, count) = (fields.next()?, fields.nth(1)?);
        Some(format!("{first} {first} {count}\n"))
    };
    own.lines().filter_map(line).collect()
}

/// In one call: the kernel takes a map in a single write only.
fn write(pid: i32, file: &str, text: &str) -> Result<(), HostError> {
    let path = format!("/proc/{pid}/{file}");
    let mut options = fs::File::options();
    let result = options.write(true).open(&path).and_then(|mut f| f.write_all(text.as_bytes()));
    result.map_err(|e| match e.raw_os_error().map(Errno::from_raw) {
        Some(errno @ Errno::EPERM) => refusal(errno),
        _ => HostError::io(format!("write {path}"), e),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_that_we_know_is_itself_inside() {
        assert_eq!(identity_map("         0          0 4294967295\n"), "0 0 4294967295\n");
        assert_eq!(identity_map("0 100000 1000\n1000 5 1\n"), "0 0 1000\n1000 1000 1\n");
    }

    #[test]
    fn a_refusal_says_what_to_change_and_another_failure_does_not() {
        assert!(matches!(refusal(Errno::EPERM), HostError::Denied { .. }));
        assert!(matches!(refusal(Errno::ENOMEM), HostError::Io { .. }));
    }
}

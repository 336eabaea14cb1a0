//! Control groups of a lab: groups of our own below the roots of the machine's hierarchies, and
//! nothing else of them is ever touched.
//!
//! A group is named after the process that raised its lab, so that whoever looks can tell whether
//! that one still lives. Only an empty group can be removed, and the kernel itself refuses any
//! other: a sweep cannot hurt what runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::clock::monotonic_ns;
use super::process::LinuxProcesses;
use super::timing::sleep_until;
use crate::host::HostError;
use crate::host::process::{Processes, RunState};
use crate::model::identity::ProcessIdentity;

const ROOT: &str = "/sys/fs/cgroup";

/// What our groups' names begin with.
const PREFIX: &str = "squall-";

/// A killed process leaves its group a moment after it is reaped.
const EMPTY_WITHIN_NS: u64 = 2_000_000_000;
const LOOKS_EVERY_NS: u64 = 10_000_000;

/// The groups of one lab, one in each hierarchy. Dropping it removes them.
#[derive(Debug)]
pub struct Groups {
    name: String,
}

impl Groups {
    /// Makes them, with one below each for each of these names. Errors: this machine has no control
    /// groups, or they cannot be written to.
    pub fn make(owner: &ProcessIdentity, lab: &str, below: &[&str]) -> Result<Groups, HostError> {
        let mut hierarchies = hierarchies()?;
        hierarchies.retain(|hierarchy| hierarchy.kind != Kind::Bare);
        if hierarchies.is_empty() {
            return Err(HostError::Lacking {
                what: "control groups".to_owned(),
                remedy: format!("mount them at {ROOT}"),
            });
        }
        let groups = Groups { name: name_of(owner, lab) };
        for hierarchy in hierarchies {
            let group = hierarchy.path.join(&groups.name);
            let failed =
                |e| HostError::io(format!("make the control group {}", group.display()), e);
            make(&group).map_err(failed)?;
            hierarchy.inherit(&group).map_err(failed)?;
            for name in below {
                let inner = group.join(name);
                make(&inner).and_then(|()| hierarchy.inherit(&inner)).map_err(failed)?;
            }
        }
        Ok(groups)
    }

    /// The path of the group of that name below the roots of all hierarchies.
    #[must_use]
    pub fn path(&self, below: &str) -> String {
        format!("/{}/{below}", self.name)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        let deadline = monotonic_ns().saturating_add(EMPTY_WITHIN_NS);
        for hierarchy in hierarchies().unwrap_or_default() {
            let group = hierarchy.path.join(&self.name);
            while let Err(error) = remove(&group) {
                if monotonic_ns() > deadline {
                    tracing::warn!(group = %group.display(), %error, "a control group stays");
                    break;
                }
                sleep_until(monotonic_ns().saturating_add(LOOKS_EVERY_NS));
            }
        }
    }
}

/// Removes the groups of labs whose raiser is dead: the kernel has removed all else of them. Those
/// of other PID namespaces are not ours to judge. How many groups could not be removed.
pub fn sweep() -> usize {
    let Ok(processes) = LinuxProcesses::new() else { return 0 };
    let mut left = 0;
    for hierarchy in hierarchies().unwrap_or_default() {
        let entries = fs::read_dir(&hierarchy.path).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let Some(owner) = name.to_str().and_then(|name| owner_of(name, &processes)) else {
                continue;
            };
            let lives = processes.state(&owner).map_or(true, |state| state != RunState::Gone);
            if !lives && remove(&entry.path()).is_err() {
                left += 1;
            }
        }
    }
    left
}

/// One tree of groups: the only one, or that of some controllers.
struct Hierarchy {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Two,
    /// The second version's tree beside the first: it has no controllers and needs no groups of
    /// ours, but programs of the lab may make some there.
    Bare,
}

impl Hierarchy {
    /// Gives a new group what it needs to hold processes, as its parent has it.
    fn inherit(&self, group: &Path) -> io::Result<()> {
        let Some(parent) = group.parent() else { return Ok(()) };
        if self.kind == Kind::Two {
            let known = fs::read_to_string(parent.join("cgroup.controllers"))?;
            let wanted: Vec<String> =
                known.split_ascii_whitespace().map(|name| format!("+{name}")).collect();
            return fs::write(parent.join("cgroup.subtree_control"), wanted.join(" "));
        }
        for file in ["cpuset.cpus", "cpuset.mems"] {
            let (ours, theirs) = (group.join(file), parent.join(file));
            if ours.exists() && fs::read_to_string(&ours)?.trim().is_empty() {
                fs::write(&ours, fs::read_to_string(&theirs)?)?;
            }
        }
        Ok(())
    }
}

/// One of version 2 at the root, or those of version 1 below it.
fn hierarchies() -> Result<Vec<Hierarchy>, HostError> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").exists() {
        return Ok(vec![Hierarchy { path: root.to_owned(), kind: Kind::Two }]);
    }
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(HostError::io(format!("read {ROOT}"), e)),
    };
    // Several controllers of one tree have several names: links to it.
    let own = entries.flatten().filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir()));
    let found = own.map(|e| e.path()).filter(|path| path.join("cgroup.procs").exists());
    let kind = |path: &Path| {
        if path.join("cgroup.controllers").exists() { Kind::Bare } else { Kind::One }
    };
    Ok(found.map(|path| Hierarchy { kind: kind(&path), path }).collect())
}

fn make(group: &Path) -> io::Result<()> {
    match fs::create_dir(group) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Removes an empty group with all below it.
fn remove(group: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(group) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries.flatten().filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())) {
        remove(&entry.path())?;
    }
    fs::remove_dir(group)
}

/// `squall-NAMESPACE-PID-START-LAB`.
fn name_of(owner: &ProcessIdentity, lab: &str) -> String {
    let ProcessIdentity { pid, start_ticks, pid_namespace, .. } = owner;
    format!("{PREFIX}{pid_namespace}-{pid}-{start_ticks}-{lab}")
}

/// Whose group that is; None: not ours.
fn owner_of(name: &str, processes: &LinuxProcesses) -> Option<ProcessIdentity> {
    let mut parts = name.strip_prefix(PREFIX)?.splitn(4, '-');
    let [namespace, pid, start] = [parts.next()?, parts.next()?, parts.next()?];
    let _lab = parts.next()?;
    // Groups do not outlive a boot.
    let own = processes.identify(i32::try_from(std::process::id()).ok()?).ok()?;
    Some(ProcessIdentity {
        pid: pid.parse().ok()?,
        start_ticks: start.parse().ok()?,
        pid_namespace: namespace.parse().ok()?,
        ..own
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> ProcessIdentity {
        let pid = i32::try_from(std::process::id()).unwrap();
        LinuxProcesses::new().unwrap().identify(pid).unwrap()
    }

    #[test]
    fn a_group_says_whose_it_is() {
        let processes = LinuxProcesses::new().unwrap();
        let owner = own();
        assert_eq!(owner_of(&name_of(&owner, "a-b-c"), &processes), Some(owner));
        for other in ["docker", "squall", "squall-1", "squall-1-2-3", "squall-x-2-3-lab"] {
            assert_eq!(owner_of(other, &processes), None, "{other}");
        }
    }

    /// The dead leave groups, the living keep theirs, and neither touches anybody else's.
    #[test]
    fn only_the_groups_of_the_dead_are_swept() {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped only_the_groups_of_the_dead_are_swept: needs root");
            return;
        }
        let at = |groups: &Groups, name: &str| -> Vec<bool> {
            let inner = groups.path(name);
            let there = |h: Hierarchy| h.path.join(inner.trim_start_matches('/')).exists();
            let used = hierarchies().unwrap().into_iter().filter(|h| h.kind != Kind::Bare);
            used.map(there).collect()
        };
        let living = Groups::make(&own(), "living", &["n1", "n2"]).unwrap();
        let dead = ProcessIdentity { start_ticks: 1, ..own() };
        let dead = Groups::make(&dead, "dead", &["n1"]).unwrap();
        assert!(at(&dead, "n1").iter().all(|there| *there));
        assert_eq!(sweep(), 0);
        assert!(at(&living, "n2").iter().all(|there| *there));
        assert!(!at(&dead, "n1").contains(&true));
        let before = living.path("");
        drop(living);
        let left = hierarchies().unwrap().into_iter().map(|h| h.path);
        let left = left.filter(|h| h.join(before.trim_matches('/')).exists()).count();
        assert_eq!(left, 0);
    }
}

//! Why a lab does not stand.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::host::HostError;
use crate::model::inventory::InstanceName;

#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The document is at fault; every reason.
    #[error("the lab cannot be built: {}", .0.join("; "))]
    Wrong(Vec<String>),
    /// Nothing was started.
    #[error("{}", missing(.0))]
    Missing(Vec<MissingProgram>),
    /// An instance did not come up; the lab is gone again.
    #[error("{instance} did not become ready: {why}{tail}")]
    NotReady { instance: InstanceName, why: String, tail: LogTail },
    /// The lab ended, or could not be made.
    #[error("the lab ended: {0}")]
    Died(String),
    /// It has a Kubernetes cluster.
    #[error(
        "lab `{name}` has a Kubernetes cluster, whose nodes need control groups, mounts and devices \
         that the kernel gives to root alone; run this as root"
    )]
    NotRoot { name: String },
    #[error("lab `{name}` is in use by {holder}; wait for it to end, or start another lab")]
    Busy { name: String, holder: String },
    #[error(
        "lab `{name}` stands already, kept by process {keeper}; `squall lab down {name}` ends it"
    )]
    Taken { name: String, keeper: i32 },
    /// It stands, and is not what its document says any more.
    #[error("{}", degraded(.ended, .name, .path))]
    Degraded { ended: Vec<InstanceName>, name: String, path: String },
    /// It is there, and its init or its keeper stands still.
    #[error("lab `{name}` stands still: it has not answered within {within:?}")]
    Silent { name: String, within: Duration },
    #[error("no lab `{name}` stands; `squall lab list` shows those that do")]
    Unknown { name: String },
    #[error(transparent)]
    Host(#[from] HostError),
}

/// A program that no folder has, with where to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingProgram {
    pub program: String,
    pub package: Option<String>,
    /// The services that want it.
    pub services: Vec<String>,
    /// Folders that were looked into beside those of all programs.
    pub searched: Vec<String>,
}

/// The last words of an instance, and where the others are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail {
    pub path: PathBuf,
    pub lines: Vec<String>,
}

fn missing(programs: &[MissingProgram]) -> String {
    let each: Vec<String> = programs.iter().map(ToString::to_string).collect();
    let packages: Vec<&str> = programs.iter().filter_map(|p| p.package.as_deref()).collect();
    let mut text = format!("programs of the lab are missing: {}", each.join("; "));
    if !packages.is_empty() {
        text.push_str("; install them with `apt-get install ");
        text.push_str(&packages.join(" "));
        text.push('`');
    }
    text
}

fn degraded(ended: &[InstanceName], name: &str, path: &str) -> String {
    let names: Vec<String> = ended.iter().map(ToString::to_string).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!(
        "{} {verb} not running in standing lab {name}: an earlier drill ended it, or it ended by \
         itself; `squall lab down {name}` and `squall lab up {path}` make it whole, and `--fresh` \
         raises another for this drill",
        names.join(", ")
    )
}

impl fmt::Display for MissingProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}", self.program, self.services.join(", "))?;
        match &self.package {
            Some(package) => write!(f, " (package {package})"),
            None if !self.searched.is_empty() => write!(
                f,
                " (it is not in {}, nor in PATH; `make kube-programs` builds it)",
                self.searched.join(", ")
            ),
            None if self.program.contains('/') => f.write_str(
                " (it must be executable, and not below /run, /tmp or /dev/shm, which a lab has \
                 for itself)",
            ),
            None => f.write_str(" (its package is not declared)"),
        }
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lines.is_empty() {
            return write!(f, " ({} is empty)", self.path.display());
        }
        write!(f, " (end of {})", self.path.display())?;
        self.lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

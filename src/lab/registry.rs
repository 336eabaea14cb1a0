//! The labs that stand for others to attach to: one folder each, with a lock that its keeper holds.
//!
//! `NAME/lab.json` says what stands, `NAME/sock` leads to the keeper, `NAME/logs/` outlives the
//! lab. An entry whose lock nobody holds is stale: its keeper died, and the kernel has removed the
//! lab. Whoever looks next clears it away.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::blueprint::is_name;
use super::error::LabError;
use crate::host::HostError;
use crate::host::channel::Channel;
use crate::model::cluster::LabCluster;
use crate::model::identity::{LabIdentity, NetnsIdentity, ProcessIdentity};
use crate::model::inventory::Host;
use crate::model::lab::LabSpec;

/// The version of `lab.json`.
pub const RECORD_VERSION: u32 = 1;

const RECORD: &str = "lab.json";
const SOCKET: &str = "sock";
const LOCK: &str = "lock";
const LOGS: &str = "logs";
const KUBECONFIG: &str = "kubeconfig";

/// Where labs are registered.
#[derive(Debug, Clone)]
pub struct Registry {
    folder: PathBuf,
}

/// `lab.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    pub version: u32,
    pub identity: LabIdentity,
    pub keeper: ProcessIdentity,
    /// The document's path as the keeper was given it.
    pub path: String,
    /// SHA-256 of the document's text.
    pub sha256: String,
    pub spec: LabSpec,
    pub hosts: Vec<(Host, NetnsIdentity)>,
    /// How its cluster is spoken to, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<LabCluster>,
}

/// A lab that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub record: Record,
    pub folder: PathBuf,
}

/// The right to register one name, held until it is dropped.
#[derive(Debug)]
pub struct Claim {
    folder: PathBuf,
    _lock: Flock<File>,
}

impl Registry {
    /// In that folder; it need not exist yet.
    #[must_use]
    pub fn at(folder: PathBuf) -> Registry {
        Registry { folder }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every lab that stands, by name; clears stale entries away.
    pub fn list(&self) -> Result<Vec<Standing>, LabError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed("read", &self.folder, e)),
        };
        let mut names: Vec<String> =
            entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort();
        let mut found = Vec::new();
        for name in names {
            found.extend(self.find(&name)?);
        }
        Ok(found)
    }

    /// The lab of that name, if it stands and was made from that very document.
    pub fn find_made_from(&self, name: &str, sha256: &str) -> Result<Option<Standing>, LabError> {
        Ok(self.find(name)?.filter(|standing| standing.record.sha256 == sha256))
    }

    /// The lab of that name, if it stands; clears a stale entry away.
    pub fn find(&self, name: &str) -> Result<Option<Standing>, LabError> {
        let folder = self.folder.join(name);
        if !is_name(name) || !folder.join(RECORD).exists() {
            return Ok(None);
        }
        if let Some(lock) = lock(&folder)? {
            drop(Claim { folder, _lock: lock });
            return Ok(None);
        }
        let path = folder.join(RECORD);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("read", &path, e)),
        };
        let record: Record = serde_json::from_str(&text).map_err(|e| unreadable(&path, &e))?;
        if record.version != RECORD_VERSION {
            return Err(unreadable(&path, &format!("it has version {}", record.version)));
        }
        Ok(Some(Standing { record, folder }))
    }

    /// Takes a name. Errors: `Taken` by a lab that stands or is coming up, `Wrong` for no name.
    pub fn claim(&self, name: &str) -> Result<Claim, LabError> {
        if !is_name(name) {
            return Err(LabError::Wrong(vec![format!("`{name}` is no name for a lab")]));
        }
        let folder = self.folder.join(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|e| failed("make", &folder, e))?;
        let Some(lock) = lock(&folder)? else {
            let keeper = self.find(name)?.map_or(0, |s| s.record.keeper.pid);
            return Err(LabError::Taken { name: name.to_owned(), keeper });
        };
        let claim = Claim { folder, _lock: lock };
        claim.clear();
        Ok(claim)
    }
}

impl Standing {
    /// The kubeconfig of its cluster, if it has one.
    #[must_use]
    pub fn kubeconfig(&self) -> Option<PathBuf> {
        Some(self.folder.join(KUBECONFIG)).filter(|path| path.exists())
    }

    /// A conversation with its keeper. Errors: `Unknown` when it is gone.
    pub fn connect(&self) -> Result<Channel, LabError> {
        let (short, _folder) = short_path(&self.folder)?;
        let stream = UnixStream::connect(&short)
            .map_err(|_| LabError::Unknown { name: self.record.identity.name.clone() })?;
        Ok(Channel::from_fd(OwnedFd::from(stream)))
    }
}

impl Claim {
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.join(LOGS)
    }

    /// Listens, and lets others find the lab: whole or not at all.
    pub fn publish(&self, record: &Record) -> Result<UnixListener, LabError> {
        let (short, _folder) = short_path(&self.folder)?;
        let listener = UnixListener::bind(&short).map_err(|e| failed("listen at", &short, e))?;
        let text = serde_json::to_vec_pretty(record).map_err(|e| unreadable(&self.folder, &e))?;
        let fresh = self.folder.join("lab.json.new");
        let path = self.folder.join(RECORD);
        if let Some(cluster) = &record.cluster {
            let path = self.folder.join(KUBECONFIG);
            write_private(&path, cluster.kubeconfig_outside.as_bytes())
                .map_err(|e| failed("write", &path, e))?;
        }
        write_private(&fresh, &text)
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(|e| failed("write", &path, e))?;
        Ok(listener)
    }

    /// The kubeconfig of the lab that was published, if it has a cluster. It goes with the lab.
    #[must_use]
    pub fn kubeconfig(&self) -> Option<PathBuf> {
        Some(self.folder.join(KUBECONFIG)).filter(|path| path.exists())
    }

    fn clear(&self) {
        for name in [RECORD, SOCKET, KUBECONFIG, "lab.json.new"] {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.clear();
        let _ = fs::remove_file(self.folder.join(LOCK));
        // Only where nothing was logged.
        let _ = fs::remove_dir(self.folder.join(LOGS));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// It may hold keys.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(bytes)
}

/// The lock of an entry; None when somebody holds it.
fn lock(folder: &Path) -> Result<Option<Flock<File>>, LabError> {
    let path = folder.join(LOCK);
    loop {
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| failed("open", &path, e))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
            Err((_, e)) => return Err(failed("lock", &path, e.into())),
        };
        // The last holder may have removed the file between our opening and locking it.
        let ours = lock.metadata().map_err(|e| failed("read", &path, e))?.ino();
        if fs::metadata(&path).is_ok_and(|there| there.ino() == ours) {
            return Ok(Some(lock));
        }
    }
}

/// A socket's path may have 107 bytes only; through a descriptor of its folder it is always short.
/// The folder must stay open while the path is used.
fn short_path(folder: &Path) -> Result<(PathBuf, File), LabError> {
    let open = File::open(folder).map_err(|e| failed("open", folder, e))?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd())), open))
}

fn failed(verb: &str, path: &Path, error: std::io::Error) -> LabError {
    LabError::Host(HostError::io(format!("{verb} {}", path.display()), error))
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> LabError {
    let remedy = format!("{why}; end that lab with the squall that started it");
    failed("read", path, std::io::Error::new(ErrorKind::InvalidData, remedy))
}

#[cfg(test)]
mod tests;

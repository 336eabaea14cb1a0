//! What a lab shows of the machine beyond its ordinary mounts: files out of folders that a lab has
//! for itself, folders of the machine that it must not write to, and settings of the kernel that
//! it must not change.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use serde::{Deserialize, Serialize};

use crate::host::HostError;

/// Where the stand-ins of settings lie inside a lab.
const SETTINGS: &str = "/run/settings";

/// A file or folder of the machine that a lab sees at a place of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bind {
    /// On the machine.
    pub from: String,
    /// In the lab, below `/run`.
    pub to: String,
}

/// A [`Bind`] whose source is held open, so that nothing can hide it.
#[derive(Debug)]
pub struct Held {
    source: File,
    bind: Bind,
}

/// Opens the sources: to be called before the lab's own folders come to lie over them.
pub fn hold(binds: &[Bind]) -> Result<Vec<Held>, HostError> {
    let open = |bind: &Bind| {
        let from = &bind.from;
        let source = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(from);
        let source = source.map_err(|e| HostError::io(format!("open {from}"), e))?;
        Ok(Held { source, bind: bind.clone() })
    };
    binds.iter().map(open).collect()
}

/// Puts them in their places, read-only.
pub fn place(held: &[Held]) -> Result<(), HostError> {
    for Held { source, bind } in held {
        let to = Path::new(&bind.to);
        let failed = |e| HostError::io(format!("show {} in the lab", bind.from), e);
        let made = match to.parent() {
            Some(parent) => fs::create_dir_all(parent),
            None => Ok(()),
        };
        let is_folder = source.metadata().map_err(failed)?.is_dir();
        made.and_then(|()| if is_folder { fs::create_dir_all(to) } else { fs::write(to, "") })
            .map_err(failed)?;
        let from = format!("/proc/self/fd/{}", source.as_raw_fd());
        mount(Some(from.as_str()), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .map_err(|e| failed(e.into()))?;
        let again = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, to, None::<&str>, again, None::<&str>).map_err(|e| failed(e.into()))?;
    }
    Ok(())
}

/// Lays memory over folders of the machine. One that is not there cannot be written to either,
/// except by who makes it: its parent is what to name.
pub fn cover(folders: &[&str]) -> Result<(), HostError> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    for folder in folders.iter().filter(|folder| Path::new(folder).is_dir()) {
        mount(Some("tmpfs"), *folder, Some("tmpfs"), flags, Some("mode=755"))
            .map_err(|e| HostError::io(format!("mount the lab's {folder}"), e))?;
    }
    Ok(())
}

/// Shows settings of the kernel as if they had that value, and takes what is written to them:
/// they are the machine's, and a program that insists on one must not set it for everybody.
pub fn pretend(settings: &[(&str, &str)]) -> Result<(), HostError> {
    fs::create_dir_all(SETTINGS).map_err(|e| HostError::io(format!("make {SETTINGS}"), e))?;
    for (name, value) in settings {
        let real = format!("/proc/sys/{}", name.replace('.', "/"));
        let shown = format!("{SETTINGS}/{name}");
        fs::write(&shown, value).map_err(|e| HostError::io(format!("write {shown}"), e))?;
        if !Path::new(&real).exists() {
            continue;
        }
        mount(Some(shown.as_str()), real.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .map_err(|e| HostError::io(format!("show {name} as {value}"), e))?;
    }
    Ok(())
}

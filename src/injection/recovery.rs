//! The third line of defence: whoever starts next, or `squall undo --all`, opens every journal that
//! no living drill holds, and undoes what it finds open. It needs no daemon.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::crash;
use super::journal::store::{self, Contents, Journal, JournalError};
use super::revert::{By, end};
use crate::host::channel::Channel;
use crate::host::{Host, HostError};
use crate::model::id::DrillId;
use crate::model::message::FromInjector;

/// One journal that a drill left behind.
#[derive(Debug)]
pub struct Leftover {
    pub drill: DrillId,
    pub path: PathBuf,
    pub journal: Journal,
    pub contents: Contents,
}

/// What was found in the folder.
#[derive(Debug, Default)]
pub struct Found {
    /// Open entries, and nobody who looks after them.
    pub leftovers: Vec<Leftover>,
    /// Drills that are running.
    pub live: Vec<DrillId>,
    /// Files that cannot be used, with the reason in words.
    pub refused: Vec<String>,
}

/// Looks through the folder; journals with nothing open are removed.
pub fn find(folder: &Path) -> Result<Found, JournalError> {
    let mut found = Found::default();
    for (drill, path) in store::list(folder)? {
        match Journal::reopen(&path) {
            Ok((_, contents)) if contents.open().is_empty() && contents.damaged == 0 => {
                remove(&path)?;
            }
            Ok((journal, contents)) => {
                found.leftovers.push(Leftover { drill, path, journal, contents });
            }
            Err(JournalError::Live { .. }) => found.live.push(drill),
            Err(error) => found.refused.push(error.to_string()),
        }
    }
    Ok(found)
}

/// Undoes everything that a leftover has open, and says how each ended.
pub fn recover(
    host: &mut dyn Host,
    journal: &mut Journal,
    contents: &Contents,
) -> Vec<FromInjector> {
    crash::point("recovery: opened");
    contents.open().iter().map(|r| end(host, journal, r, By::Recovery)).collect()
}

/// The same as a part inside a lab's namespaces: the journal is inherited, the answers go back over
/// the channel, `AllReverted` is the last.
pub fn run_part(
    conductor: OwnedFd,
    journal: OwnedFd,
    make_host: impl FnOnce(DrillId) -> Result<Box<dyn Host>, HostError>,
) -> Result<(), HostError> {
    let unread = |why: String| HostError::io("read the journal", std::io::Error::other(why));
    let mut conductor = Channel::from_fd(conductor);
    let (mut journal, contents) = Journal::inherit(journal).map_err(|e| unread(e.to_string()))?;
    let opened = contents.opened.as_ref();
    let opened = opened.ok_or_else(|| unread("its first record is damaged".to_owned()))?;
    let mut host = make_host(opened.drill.clone())?;
    for ended in recover(host.as_mut(), &mut journal, &contents) {
        conductor.send(&ended)?;
    }
    conductor.send(&FromInjector::AllReverted)
}

/// Removes a journal whose every entry is closed.
pub fn remove(path: &Path) -> Result<(), JournalError> {
    std::fs::remove_file(path).map_err(|source| JournalError::Io {
        what: "remove",
        path: path.to_owned(),
        source,
    })
}

//! The journal as a file: `<state>/journal/<drill>`, append-only, every record synced before the
//! call returns. Room for the next records is there beforehand, as zeros: syncing bytes of a file
//! that does not grow costs a fraction of growing it.
//!
//! One writer at a time; the lock on it is shared by all parts of a live drill, since they inherit
//! one open file, so it is free exactly when all of them are gone.
//!
//! A name in the folder always is of a locked or a left file with its first record: a journal is
//! made under another name, which nobody looks at, and whoever removes one holds its lock.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::record::{JOURNAL_VERSION, JournalRecord, Opened, decode, encode};
pub use super::state::State;
use crate::model::id::{DrillId, InjectionId};
use crate::model::message::Recipe;

/// In front of the name of a journal that is being made. No drill's name begins like this.
const UNNAMED: &str = ".new-";

/// Why the journal could not do what it is for.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("failed to {what} {path}: {source}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("the journal failed before and takes no more records")]
    Poisoned,
    #[error("{injection} cannot go from {from} to {to}")]
    Illegal { injection: InjectionId, from: String, to: State },
    #[error(
        "{path} was written by a newer squall (version {found}, this one reads up to {JOURNAL_VERSION}); \
         run `squall undo --all` with that version"
    )]
    Newer { path: PathBuf, found: u32 },
    #[error("{path} belongs to a drill that is running")]
    Live { path: PathBuf },
    #[error("{path} was ended and removed by somebody else")]
    Over { path: PathBuf },
}

impl JournalError {
    /// Is it not there? One that was listed and is not there any more has just been closed; any
    /// other error says nothing about what is open.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            JournalError::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            JournalError::Over { .. } => true,
            _ => false,
        }
    }
}

/// The file grows by so many bytes of zeros: some forty injections.
const ROOM: usize = 64 << 10;

/// The writing end.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where the next record goes: behind the last byte that is not zero.
    end: u64,
    /// Up to where the file is there.
    room: u64,
    states: BTreeMap<InjectionId, State>,
    poisoned: bool,
}

/// What a journal says, read whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contents {
    /// None: the first record itself is damaged.
    pub opened: Option<Opened>,
    pub recipes: BTreeMap<InjectionId, Recipe>,
    pub states: BTreeMap<InjectionId, State>,
    pub stuck: BTreeMap<InjectionId, String>,
    /// Bytes that belong to no readable record.
    pub damaged: usize,
}

impl Journal {
    /// Creates the file, takes its lock, and gives it its name when the first record is durable.
    /// Errors: among others, there is one by that name.
    pub fn create(folder: &Path, opened: Opened) -> Result<Journal, JournalError> {
        let path = folder.join(opened.drill.as_str());
        let unnamed = folder.join(format!("{UNNAMED}{}", opened.drill.as_str()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&unnamed)
            .map_err(io_error("create", &path))?;
        let named = Journal::named(file, opened, &unnamed, &path);
        if named.is_err() {
            // A drill that never began leaves no file; one that cannot be removed holds nothing.
            let _best_effort = std::fs::remove_file(&unnamed);
        }
        named
    }

    fn named(
        file: File,
        opened: Opened,
        unnamed: &Path,
        path: &Path,
    ) -> Result<Journal, JournalError> {
        lock(&file, path)?;
        let states = BTreeMap::new();
        let mut journal = {
            let path = path.to_owned();
            Journal { file, path, end: 0, room: 0, states, poisoned: false }
        };
        journal.append(&JournalRecord::Opened(opened))?;
        // Whoever makes one for the same drill is refused the other name, so nobody comes between.
        if path.symlink_metadata().is_ok() {
            return Err(io_error("create", path)(io::ErrorKind::AlreadyExists.into()));
        }
        std::fs::rename(unnamed, path).map_err(io_error("create", path))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let durable = File::open(folder).and_then(|f| f.sync_all());
        durable.map_err(io_error("sync", folder)).inspect_err(|_| {
            let _best_effort = std::fs::remove_file(path);
        })?;
        Ok(journal)
    }

    /// Opens one that a dead drill left. Errors: `Live` while any of its parts lives, `Over` when
    /// somebody else has just ended it.
    pub fn reopen(path: &Path) -> Result<(Journal, Contents), JournalError> {
        let file =
            OpenOptions::new().read(true).write(true).open(path).map_err(io_error("open", path))?;
        lock(&file, path)?;
        // Between our opening it and our locking it, whoever held it may have removed it.
        if !still_named(&file, path)? {
            return Err(JournalError::Over { path: path.to_owned() });
        }
        Journal::from_file(file, path)
    }

    /// Takes over a descriptor that was inherited, lock and all.
    pub fn inherit(fd: OwnedFd) -> Result<(Journal, Contents), JournalError> {
        Journal::from_file(File::from(fd), Path::new("the inherited journal"))
    }

    fn from_file(mut file: File, path: &Path) -> Result<(Journal, Contents), JournalError> {
        let (contents, [end, room]) = read(&mut file, path)?;
        let (path, states) = (path.to_owned(), contents.states.clone());
        Ok((Journal { file, path, end, room, states, poisoned: false }, contents))
    }

    /// The same open file for a part that inherits it.
    pub fn share(&self) -> Result<OwnedFd, JournalError> {
        let copy = self.file.try_clone().map_err(io_error("share", &self.path))?;
        Ok(OwnedFd::from(copy))
    }

    /// Appends and syncs. After an error in that nothing more is accepted: an unsynced journal must
    /// not look like a durable one (a failed fsync may have dropped the page). What is refused
    /// before, a move that is illegal or a record that is too long, changes nothing.
    pub fn append(&mut self, record: &JournalRecord) -> Result<(), JournalError> {
        self.append_and(record, || {})
    }

    /// As [`Journal::append`]; `meanwhile` runs when the record is written, where whoever takes the
    /// journal over would find it, and before it is synced. Not where nothing was written.
    pub fn append_and(
        &mut self,
        record: &JournalRecord,
        meanwhile: impl FnOnce(),
    ) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        let next = moved(record);
        if let Some((injection, to)) = next {
            let from = self.states.get(injection).copied();
            if !State::may_follow(from, to) {
                return Err(JournalError::Illegal {
                    injection: injection.clone(),
                    from: from.map_or("nothing".to_owned(), |s| s.to_string()),
                    to,
                });
            }
        }
        // One that cannot be put into bytes leaves the file as it is: others may follow.
        let frame = encode(record).map_err(io_error("write", &self.path))?;
        self.write_durably(&frame, meanwhile).inspect_err(|_| self.poisoned = true)?;
        if let Some((injection, to)) = next {
            self.states.insert(injection.clone(), to);
        }
        Ok(())
    }

    fn write_durably(
        &mut self,
        frame: &[u8],
        meanwhile: impl FnOnce(),
    ) -> Result<(), JournalError> {
        self.file.write_all_at(frame, self.end).map_err(io_error("write", &self.path))?;
        self.end += frame.len() as u64;
        if self.end > self.room {
            self.make_room();
        }
        meanwhile();
        self.file.sync_data().map_err(io_error("sync", &self.path))
    }

    /// A disk that has none left for zeros may still have some for records.
    fn make_room(&mut self) {
        match self.file.write_all_at(&vec![0; ROOM], self.end) {
            Ok(()) => self.room = self.end + ROOM as u64,
            Err(error) => tracing::debug!(%error, "no room is made for the next records"),
        }
    }

    /// A record could not be made durable: nothing more is accepted.
    #[must_use]
    pub fn poisoned(&self) -> bool {
        self.poisoned
    }

    #[must_use]
    pub fn state(&self, injection: &InjectionId) -> Option<State> {
        self.states.get(injection).copied()
    }

    #[must_use]
    pub fn all_closed(&self) -> bool {
        self.states.values().all(|s| s.is_closed())
    }
}

impl Contents {
    /// What still has to be undone, the latest first.
    #[must_use]
    pub fn open(&self) -> Vec<Recipe> {
        let open = |(id, recipe): (&InjectionId, &Recipe)| {
            let closed = self.states.get(id).is_some_and(|s| s.is_closed());
            (!closed).then(|| recipe.clone())
        };
        self.recipes.iter().rev().filter_map(open).collect()
    }
}

/// Every journal in the folder, oldest name first. A folder that is not there holds none.
pub fn list(folder: &Path) -> Result<Vec<(DrillId, PathBuf)>, JournalError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(io_error("list", folder)(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("list", folder))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).and_then(DrillId::parse);
        if let Some(drill) = name {
            found.push((drill, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Removes what drills left that died while they made their journals: nothing had begun. One that
/// is being made is locked before it is written to.
pub fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(UNNAMED) {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        // In this order: our lock on an empty one would be in the way of whoever makes it.
        if file.metadata().is_ok_and(|meta| meta.len() > 0) && file.try_lock().is_ok() {
            // The next start tries again.
            let _best_effort = std::fs::remove_file(&path);
        }
    }
}

/// Reads a journal without its lock, to look at.
pub fn peek(path: &Path) -> Result<Contents, JournalError> {
    let mut file = File::open(path).map_err(io_error("open", path))?;
    read(&mut file, path).map(|(contents, _)| contents)
}

/// As [`peek`]. None: it was listed, and has been closed since.
pub fn peek_if_there(path: &Path) -> Result<Option<Contents>, JournalError> {
    match peek(path) {
        Err(error) if error.is_missing() => Ok(None),
        contents => contents.map(Some),
    }
}

/// How many bytes were ever written: no record ends in a zero.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// What it says, where the next record goes, and up to where the file is there.
fn read(file: &mut File, path: &Path) -> Result<(Contents, [u64; 2]), JournalError> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(io_error("read", path))?;
    file.read_to_end(&mut bytes).map_err(io_error("read", path))?;
    let room = bytes.len() as u64;
    bytes.truncate(written(&bytes));
    let end = bytes.len() as u64;
    let (records, damaged) = decode(&bytes);
    let mut contents = Contents { damaged, ..Contents::default() };
    for record in records {
        if let JournalRecord::Opened(opened) = &record {
            if opened.version > JOURNAL_VERSION {
                return Err(JournalError::Newer { path: path.to_owned(), found: opened.version });
            }
            contents.opened = Some(opened.clone());
        }
        contents.take(record);
    }
    Ok((contents, [end, room]))
}

impl Contents {
    /// Damage may have eaten the lines between, so no move is refused here.
    fn take(&mut self, record: JournalRecord) {
        if let Some((injection, state)) = moved(&record) {
            self.states.insert(injection.clone(), state);
            self.stuck.remove(injection);
        }
        match record {
            JournalRecord::Armed(recipe) => {
                self.recipes.insert(recipe.injection.clone(), *recipe);
            }
            JournalRecord::Stuck { injection, why } => {
                self.stuck.insert(injection, why);
            }
            _ => {}
        }
    }
}

fn moved(record: &JournalRecord) -> Option<(&InjectionId, State)> {
    match record {
        JournalRecord::Opened(_) => None,
        JournalRecord::Armed(recipe) => Some((&recipe.injection, State::Armed)),
        JournalRecord::Active { injection, .. } => Some((injection, State::Active)),
        JournalRecord::Reverting { injection, .. } => Some((injection, State::Reverting)),
        JournalRecord::Reverted { injection, .. } => Some((injection, State::Reverted)),
        JournalRecord::Stuck { injection, .. } => Some((injection, State::Stuck)),
        JournalRecord::Void { injection, .. } | JournalRecord::Cleared { injection, .. } => {
            Some((injection, State::Void))
        }
    }
}

/// Is it this very file that the path names?
fn still_named(file: &File, path: &Path) -> Result<bool, JournalError> {
    let inode = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let ours = file.metadata().map(inode).map_err(io_error("look at", path))?;
    Ok(std::fs::metadata(path).map(inode).ok() == Some(ours))
}

fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::Live { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(e)) => Err(io_error("lock", path)(e)),
    }
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl Fn(io::Error) -> JournalError + 'a {
    move |source| JournalError::Io { what, path: path.to_owned(), source }
}

#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;

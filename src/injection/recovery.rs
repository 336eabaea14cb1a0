//! The third line of defence: whoever starts next, or `squall undo --all`, opens every journal that
//! no living drill holds, and undoes what it finds open. It needs no daemon.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::crash;
use super::journal::State;
use super::journal::store::{self, Contents, Journal, JournalError};
use super::residue::{self, ReadBack};
use super::revert::{By, Ending, end, patient_until_ns};
use crate::host::channel::Channel;
use crate::host::{Host, HostError};
use crate::model::cluster::ClusterAccess;
use crate::model::id::DrillId;
use crate::model::message::{FromInjector, Recipe};

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
    pub refused: Vec<(DrillId, String)>,
}

/// Looks through the folder; journals with nothing open are removed.
pub fn find(folder: &Path) -> Result<Found, JournalError> {
    let mut found = Found::default();
    store::sweep(folder);
    for (drill, path) in store::list(folder)? {
        match Journal::reopen(&path) {
            // Held until it is removed: nobody else opens it meanwhile.
            Ok((_held, contents)) if contents.open().is_empty() && contents.damaged == 0 => {
                if let Err(error) = remove(&path) {
                    found.refused.push((drill, error.to_string()));
                }
            }
            Ok((journal, contents)) => {
                found.leftovers.push(Leftover { drill, path, journal, contents });
            }
            Err(JournalError::Live { .. }) => found.live.push(drill),
            // Between the list and the look somebody else was quicker.
            Err(error) if error.is_missing() => {}
            Err(error) => found.refused.push((drill, error.to_string())),
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
    let mut ended = Vec::new();
    undo(host, journal, contents, &mut |message| {
        if !matches!(message, FromInjector::Beat) {
            ended.push(message);
        }
    });
    ended
}

/// As [`recover`]; each end is told when it is known, and a beat before each try.
fn undo(
    host: &mut dyn Host,
    journal: &mut Journal,
    contents: &Contents,
    tell: &mut dyn FnMut(FromInjector),
) {
    crash::point("recovery: opened");
    let patient_until_ns = patient_until_ns(host);
    for recipe in contents.open() {
        let beat = &mut || tell(FromInjector::Beat);
        let journal = Some(&mut *journal);
        let mut ending = Ending { by: By::Recovery, journal, patient_until_ns, beat };
        let ended = end(host, &recipe, &mut ending);
        tell(ended);
    }
}

/// The same as a part where the targets are: the journal is inherited, the answers go back over the
/// channel. `AllReverted` follows them, and then, also where nothing was open, `Residue`: the
/// injector that would have read the world back at the end of its drill is dead.
pub fn run_part(
    conductor: OwnedFd,
    journal: OwnedFd,
    make_host: impl FnOnce(DrillId, Vec<ClusterAccess>) -> Result<Box<dyn Host>, HostError>,
) -> Result<(), HostError> {
    let unread = |why: String| HostError::io("read the journal", std::io::Error::other(why));
    let mut conductor = Channel::from_fd(conductor);
    let (mut journal, contents) = Journal::inherit(journal).map_err(|e| unread(e.to_string()))?;
    let opened = contents.opened.as_ref();
    let opened = opened.ok_or_else(|| unread("its first record is damaged".to_owned()))?;
    let mut host = make_host(opened.drill.clone(), opened.clusters.clone())?;
    let mut gone = reverted(&contents);
    // Whoever started this may be dead by now: what was undone stays undone.
    let mut tell = |message: &FromInjector| drop(conductor.send(message));
    undo(host.as_mut(), &mut journal, &contents, &mut |message| {
        if let FromInjector::Reverted(reverted) = &message {
            gone.extend(contents.recipes.get(&reverted.injection));
        }
        tell(&message);
    });
    tell(&FromInjector::AllReverted);
    let beat = &mut || tell(&FromInjector::Beat);
    let mut look = ReadBack { drill: &opened.drill, namespaces: &opened.namespaces, beat };
    let residue = residue::read(host.as_mut(), gone.into_iter(), &mut look);
    tell(&FromInjector::Residue(residue));
    Ok(())
}

/// What others have undone and seen to be gone.
fn reverted(contents: &Contents) -> Vec<&Recipe> {
    let closed =
        |recipe: &&Recipe| contents.states.get(&recipe.injection) == Some(&State::Reverted);
    contents.recipes.values().filter(closed).collect()
}

/// Removes a journal whose every entry is closed.
pub fn remove(path: &Path) -> Result<(), JournalError> {
    std::fs::remove_file(path).map_err(|source| JournalError::Io {
        what: "remove",
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::host::linux::LinuxHost;
    use crate::injection::journal::{JOURNAL_VERSION, JournalRecord, Opened};
    use crate::injection::revert::tests::hopeless;
    use crate::model::identity::BootId;

    fn journal(folder: &Path, drill: u64) -> Journal {
        let (drill, boot) = (DrillId::from_bits(drill), BootId("b".to_owned()));
        let opened = Opened {
            version: JOURNAL_VERSION,
            drill,
            boot,
            lab: None,
            namespaces: Vec::new(),
            clusters: Vec::new(),
            places: [].into(),
        };
        Journal::create(folder, opened).unwrap()
    }

    fn armed(folder: &Path, drill: u64) -> Journal {
        let mut journal = journal(folder, drill);
        journal.append(&JournalRecord::Armed(Box::new(hopeless()))).unwrap();
        journal
    }

    #[test]
    fn what_is_closed_goes_and_what_is_open_damaged_or_live_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |drill| folder.path().join(DrillId::from_bits(drill).as_str());
        drop(journal(folder.path(), 1));
        drop(armed(folder.path(), 2));
        drop(journal(folder.path(), 3));
        let mut damaged = std::fs::OpenOptions::new().append(true).open(path(3)).unwrap();
        damaged.write_all(b"noise").unwrap();
        let live = armed(folder.path(), 4);
        // Cannot be opened to write: refused, and not taken for one that has just gone.
        std::fs::create_dir(path(5)).unwrap();
        let found = find(folder.path()).unwrap();
        let left: Vec<DrillId> = found.leftovers.iter().map(|left| left.drill.clone()).collect();
        assert_eq!(left, [2, 3].map(DrillId::from_bits));
        assert_eq!(found.live, [DrillId::from_bits(4)]);
        assert!(matches!(&found.refused[..], [(_, why)] if why.contains("open")), "{found:?}");
        let there = [1, 2, 3, 4].map(|drill| path(drill).exists());
        assert_eq!(there, [false, true, true, true]);
        drop(live);
    }

    #[test]
    fn each_that_is_open_is_answered_and_then_the_world_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let left = armed(folder.path(), 7);
        let contents = store::peek(&folder.path().join(DrillId::from_bits(7).as_str())).unwrap();
        let (mut ours, theirs) = Channel::pair().unwrap();
        let host = |drill, _| LinuxHost::new(drill).map(|host| Box::new(host) as Box<dyn Host>);
        run_part(theirs.into_fd(), left.share().unwrap(), host).unwrap();
        let mut said = Vec::new();
        while let Some(message) = ours.receive::<FromInjector>().unwrap() {
            said.push(message);
        }
        said.retain(|message| *message != FromInjector::Beat);
        assert!(matches!(said[0], FromInjector::Stuck { .. }), "{said:?}");
        let last = [FromInjector::AllReverted, FromInjector::Residue(Vec::new())];
        assert_eq!(said[1..], last);

        let (mut again, _) = Journal::inherit(left.share().unwrap()).unwrap();
        let mut host = LinuxHost::new(DrillId::from_bits(7)).unwrap();
        let ended = recover(&mut host, &mut again, &contents);
        assert!(matches!(ended[..], [FromInjector::Stuck { .. }]), "{ended:?}");
    }
}

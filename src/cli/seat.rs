//! The seat of a drill: taken as it is admitted, given up when it is over.
//!
//! A drill has no journal before its lab is up, and two that are started at once would each be
//! admitted for want of the other. So drills are admitted one at a time, at the door, and whoever
//! is admitted is seen by the next. A seat is a file that its drill keeps locked: one that is not
//! locked was left by a drill that died, and counts for nothing. It says what the drill may touch
//! in clusters, a line each, and is empty for a lab, so that a full disk fails where it matters: a
//! lab of its own is nobody else's place, and to a standing one a drill attaches alone.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::guard::Running;
use crate::model::id::DrillId;
use crate::model::outcome::ExitCode;

use super::failure::Failure;

/// How long others may take to be admitted: each reads a few files.
const ADMITTED_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks at the door.
const LOOKS_EVERY: Duration = Duration::from_millis(5);

/// While it is held nobody else is admitted.
#[derive(Debug)]
pub struct Door {
    folder: PathBuf,
    _held: File,
}

impl Door {
    /// Errors: refused, where somebody else stands in it for too long.
    pub async fn hold(folder: PathBuf) -> Result<Door, Failure> {
        let failed = |e: io::Error| broken("enter", &folder, &e);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let held = File::open(&folder).map_err(failed)?;
        let limit = tokio::time::Instant::now() + ADMITTED_WITHIN;
        loop {
            match held.try_lock() {
                Ok(()) => return Ok(Door { folder, _held: held }),
                Err(TryLockError::Error(e)) => return Err(failed(e)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() < limit => {
                    tokio::time::sleep(LOOKS_EVERY).await;
                }
                Err(TryLockError::WouldBlock) => {
                    let why = "refused: another drill is being admitted and does not come to an \
                               end; end that squall, and try again";
                    return Err(Failure::new(ExitCode::Refused, why));
                }
            }
        }
    }

    /// Every drill that has a seat. Those of the dead are taken away.
    pub fn seated(&self) -> Result<Vec<Running>, Failure> {
        seated(&self.folder, |path| {
            // The next one tries again.
            let _best_effort = std::fs::remove_file(path);
        })
    }

    /// From here on the drill is seen by others.
    pub fn seat(self, drill: &DrillId, places: &BTreeSet<String>) -> Result<Seat, Failure> {
        let path = self.folder.join(drill.as_str());
        let failed = |e: io::Error| broken("make", &path, &e);
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
        // Whoever only looks has it for a moment.
        file.lock().map_err(failed)?;
        for place in places {
            writeln!(file, "{place}").map_err(failed)?;
        }
        Ok(Seat { path, _file: file })
    }
}

/// Given up when it is dropped.
#[derive(Debug)]
pub struct Seat {
    path: PathBuf,
    _file: File,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "the seat of the drill stays; nobody counts it");
        }
    }
}

/// Every drill that has a seat, for who changes nothing. A folder that is not there holds none.
pub fn seen_seated(folder: &Path) -> Result<Vec<Running>, Failure> {
    seated(folder, |_| {})
}

fn seated(folder: &Path, left: impl Fn(&Path)) -> Result<Vec<Running>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(broken("list", folder, &e)),
    };
    let mut seated = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| broken("list", folder, &e))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(DrillId::parse);
        let Some(drill) = name else { continue };
        let file = match File::open(&path) {
            Ok(file) => file,
            // It has just ended.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(broken("open", &path, &e)),
        };
        if file.try_lock_shared().is_ok() {
            left(&path);
            continue;
        }
        let said = std::fs::read_to_string(&path).unwrap_or_default();
        let places = said.lines().map(str::to_owned).collect();
        seated.push(Running { drill: drill.to_string(), places });
    }
    Ok(seated)
}

fn broken(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::internal(format!("failed to {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drill(number: u64) -> DrillId {
        DrillId::from_bits(number)
    }

    async fn door(folder: &Path) -> Door {
        Door::hold(folder.to_owned()).await.unwrap()
    }

    #[tokio::test]
    async fn a_drill_is_seen_from_its_admission_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let seat = door(folder.path()).await.seat(&drill(1), &BTreeSet::new()).unwrap();
        let others = vec![Running { drill: drill(1).to_string(), places: BTreeSet::new() }];
        assert_eq!(door(folder.path()).await.seated().unwrap(), others);
        assert_eq!(seen_seated(folder.path()).unwrap(), others);
        drop(seat);
        assert_eq!(door(folder.path()).await.seated().unwrap(), []);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn nobody_is_admitted_beside_another() {
        let folder = tempfile::tempdir().unwrap();
        let first = door(folder.path()).await;
        let beside = Door::hold(folder.path().to_owned());
        let late = tokio::time::timeout(Duration::from_millis(50), beside).await;
        assert!(late.is_err(), "{late:?}");
        let _seat = first.seat(&drill(1), &BTreeSet::new()).unwrap();
        assert_eq!(door(folder.path()).await.seated().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn the_dead_have_no_seat() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(drill(1).as_str());
        std::fs::write(&left, "").unwrap();
        assert_eq!(seen_seated(folder.path()).unwrap(), []);
        assert!(left.exists(), "who only looks changes nothing");
        assert_eq!(door(folder.path()).await.seated().unwrap(), []);
        assert!(!left.exists());
        assert_eq!(seen_seated(&folder.path().join("none")).unwrap(), []);
    }
}

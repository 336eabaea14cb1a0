//! The folder in which squall keeps what must outlive it: journals, and the registry of labs; and,
//! for as long as it lives, what others must see of it.
//!
//! `$XDG_STATE_HOME/squall`, else `~/.local/state/squall`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The layout of the folder that this build knows.
const VERSION: &str = "1";

/// Why the folder cannot be used. Nothing is injected then.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("there is no place for squall's state: set HOME or XDG_STATE_HOME")]
    Homeless,
    #[error(
        "failed to use the state folder {path}: {source}; set XDG_STATE_HOME to a folder that you \
         may write to"
    )]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "the state folder {path} has layout {found}, and this squall knows only {VERSION}; \
         use the squall that wrote it, or set XDG_STATE_HOME to another folder"
    )]
    Version { path: PathBuf, found: String },
}

#[derive(Debug, Clone)]
pub struct StateFolder {
    path: PathBuf,
}

impl StateFolder {
    /// Makes the folder where it is missing, and refuses one of another layout.
    pub fn open(variable: impl Fn(&str) -> Option<OsString>) -> Result<StateFolder, StateError> {
        let path = place(variable)?;
        let failed = |source| StateError::Io { path: path.clone(), source };
        std::fs::create_dir_all(path.join("journal")).map_err(failed)?;
        std::fs::create_dir_all(path.join("labs")).map_err(failed)?;
        check_version(&path)?;
        Ok(StateFolder { path })
    }

    /// The folder as it is, for who changes nothing. None: nothing was ever kept.
    pub fn existing(
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<StateFolder>, StateError> {
        let path = place(variable)?;
        if !path.join("VERSION").exists() {
            return Ok(None);
        }
        check_version(&path)?;
        Ok(Some(StateFolder { path }))
    }

    #[must_use]
    pub fn journals(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// Who is admitted. Made by who takes a seat: an undo must not need it.
    #[must_use]
    pub fn seats(&self) -> PathBuf {
        self.path.join("seats")
    }

    /// Where drills without `--out` are kept.
    #[must_use]
    pub fn drills(&self) -> PathBuf {
        self.path.join("drills")
    }

    #[must_use]
    pub fn labs(&self) -> PathBuf {
        self.path.join("labs")
    }
}

fn place(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, StateError> {
    let set = |name: &str| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    // A relative one is to be ignored, says the specification: it would be another one everywhere.
    set("XDG_STATE_HOME")
        .filter(|p| p.is_absolute())
        .map(|p| p.join("squall"))
        .or_else(|| set("HOME").map(|p| p.join(".local/state/squall")))
        .ok_or(StateError::Homeless)
}

fn check_version(folder: &Path) -> Result<(), StateError> {
    let path = folder.join("VERSION");
    let failed = |source| StateError::Io { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(found) if found.trim() == VERSION => Ok(()),
        // Whoever wrote it died at it.
        Ok(found) if found.is_empty() => write_version(&path).map_err(failed),
        Ok(found) => {
            Err(StateError::Version { path: folder.to_owned(), found: found.trim().to_owned() })
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => write_version(&path).map_err(failed),
        Err(e) => Err(failed(e)),
    }
}

/// Whole or not at all: another squall may begin at the same moment, and read it.
fn write_version(path: &Path) -> io::Result<()> {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let whole = path.with_file_name(format!("VERSION.{}.{number}", std::process::id()));
    std::fs::write(&whole, format!("{VERSION}\n"))?;
    std::fs::rename(&whole, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_another_layout_is_refused_with_a_sentence() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| (name == "HOME").then(|| home.path().as_os_str().to_owned());
        let state = StateFolder::open(at).unwrap();
        assert!(state.journals().ends_with(".local/state/squall/journal"));
        StateFolder::open(at).unwrap();
        std::fs::write(home.path().join(".local/state/squall/VERSION"), "2\n").unwrap();
        let error = StateFolder::open(at).unwrap_err().to_string();
        assert!(error.contains("layout 2"), "{error}");
    }

    #[test]
    fn those_who_begin_at_once_find_the_layout_whole() {
        for _ in 0..50 {
            let home = tempfile::tempdir().unwrap();
            let at = |name: &str| (name == "HOME").then(|| home.path().as_os_str().to_owned());
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| StateFolder::open(at).unwrap());
                }
            });
            let kept = std::fs::read_dir(home.path().join(".local/state/squall")).unwrap();
            assert_eq!(kept.count(), 3, "journal, labs, VERSION");
        }
    }

    #[test]
    fn the_nearest_variable_wins() {
        let all = |name: &str| Some(OsString::from(format!("/{name}")));
        assert_eq!(place(all).unwrap(), PathBuf::from("/XDG_STATE_HOME/squall"));
        assert!(matches!(place(|_| None), Err(StateError::Homeless)));
    }
}

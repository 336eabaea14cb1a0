//! Who has a file open: the lock on a journal is held by every part that inherited it, and only
//! `/proc` knows which they are.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that has the file open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: i32,
    /// The words of its command line, without the program.
    pub words: Vec<String>,
}

impl Holder {
    /// The part of squall that it is, if it is one.
    #[must_use]
    pub fn part(&self) -> Option<&str> {
        match self.words.as_slice() {
            [command, name, ..] if command == "part" => Some(name),
            _ => None,
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.part().or(self.words.first().map(String::as_str)).unwrap_or("somebody");
        write!(f, "{name} (process {})", self.pid)
    }
}

/// Every process but ourselves that has that file open and that we may look into.
#[must_use]
pub fn of(path: &Path) -> Vec<Holder> {
    let Ok(file) = fs::metadata(path) else { return Vec::new() };
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut holders: Vec<Holder> = numbers
        .filter(|pid| *pid != own && holds(*pid, path, (file.dev(), file.ino())))
        .map(|pid| Holder { pid, words: words(pid) })
        .collect();
    holders.sort_by_key(|holder| holder.pid);
    holders
}

/// In another mount namespace the path is another one; its last word and its inode are not.
fn holds(pid: i32, path: &Path, inode: (u64, u64)) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().map(|entry| entry.path()).any(|entry| {
        let named = fs::read_link(&entry).is_ok_and(|to| to.file_name() == path.file_name());
        named && fs::metadata(&entry).is_ok_and(|meta| (meta.dev(), meta.ino()) == inode)
    })
}

fn words(pid: i32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.split(|byte| *byte == 0).skip(1).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_named_and_anybody_else_by_the_command() {
        let holder = |words: &[&str]| Holder {
            pid: 7,
            words: words.iter().map(|w| (*w).to_owned()).collect(),
        };
        assert_eq!(holder(&["part", "guardian"]).to_string(), "guardian (process 7)");
        assert_eq!(holder(&["run", "a.yaml"]).to_string(), "run (process 7)");
        assert_eq!(holder(&["run", "part"]).part(), None);
        assert_eq!(holder(&[]).to_string(), "somebody (process 7)");
    }

    #[test]
    fn only_those_that_have_it_open_are_found_and_never_ourselves() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("d1"), folder.path().join("d2"));
        fs::write(&path, "x").unwrap();
        fs::write(&other, "x").unwrap();
        let _ours = fs::File::open(&path).unwrap();
        let stdin = std::process::Stdio::from(fs::File::open(&path).unwrap());
        let mut cat = std::process::Command::new("sleep").arg("60").stdin(stdin).spawn().unwrap();
        let found = of(&path);
        let pid = i32::try_from(cat.id()).unwrap();
        cat.kill().unwrap();
        cat.wait().unwrap();
        assert_eq!(found, [Holder { pid, words: vec!["60".into()] }]);
        assert_eq!(of(&other), []);
    }
}

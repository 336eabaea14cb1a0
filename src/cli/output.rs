//! The folder of one drill: its history, and every face of its verdict.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::model::history::Record;
use crate::model::verdict::Report;
use crate::report;

use super::failure::Failure;

const HISTORY: &str = "history.jsonl";
/// What the parts had to say that outlive the conductor.
const PARTS_LOG: &str = "parts.log";

#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    history: BufWriter<File>,
    failed: Option<std::io::Error>,
}

impl Output {
    /// Makes the folder. Errors: it holds another drill's history.
    pub fn create(folder: &Path) -> Result<Output, Failure> {
        let failed = |e: std::io::Error| {
            Failure::internal(format!(
                "failed to make the output folder {}: {e}; give one that you may write to with \
                 `--out DIR`",
                folder.display()
            ))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let path = folder.join(HISTORY);
        let file = File::options().write(true).create_new(true).open(&path).map_err(|e| {
            if e.kind() == std::io::ErrorKind::AlreadyExists {
                let folder = folder.display();
                Failure::usage(format!("{folder} holds a drill already; give another --out"))
            } else {
                failed(e)
            }
        })?;
        let history = BufWriter::new(file);
        Ok(Output { folder: folder.to_owned(), history, failed: None })
    }

    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opened to append, by several parts at once.
    pub fn parts_log(&self) -> Result<File, Failure> {
        let path = self.folder.join(PARTS_LOG);
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|e| Failure::internal(format!("failed to make {}: {e}", path.display())))
    }

    /// The path of what the parts said; an empty file is taken away.
    #[must_use]
    pub fn parts_said(&self) -> Option<PathBuf> {
        let path = self.folder.join(PARTS_LOG);
        if std::fs::metadata(&path).is_ok_and(|log| log.len() > 0) {
            return Some(path);
        }
        // One that stays is an empty file.
        let _stays = std::fs::remove_file(&path);
        None
    }

    /// Appends one line, at once: what comes next may be a fault, or our own death, and the history
    /// must not know less of it than the journal. A full disk costs the history its tail, never the
    /// drill its end.
    pub fn add(&mut self, record: &Record) {
        if self.failed.is_none() {
            let written = serde_json::to_writer(&mut self.history, record)
                .map_err(std::io::Error::from)
                .and_then(|()| self.history.write_all(b"\n"))
                .and_then(|()| self.history.flush());
            self.failed = written.err();
        }
    }

    /// Writes every face. Returns their paths.
    pub fn finish(mut self, report: &Report) -> Result<Vec<PathBuf>, Failure> {
        let folder = self.folder.clone();
        if let Some(error) = self.failed.take().or_else(|| self.history.flush().err()) {
            let why = format!("failed to keep the history in {}: {error}", folder.display());
            return Err(Failure::internal(why));
        }
        write_faces(report, &folder)
    }
}

/// A file that only we may read. Dropping it removes it.
#[derive(Debug)]
pub struct Private {
    /// Absolute.
    pub path: PathBuf,
}

impl Drop for Private {
    fn drop(&mut self) {
        // One that stays is of no use: what it lets in to is gone, or has its own.
        let _stays = std::fs::remove_file(&self.path);
    }
}

/// Writes it into a folder.
pub fn keep_private(folder: &Path, name: &str, text: &str) -> Result<Private, Failure> {
    let path = std::path::absolute(folder.join(name))?;
    let mut options = File::options();
    options.create(true).write(true).truncate(true).mode(0o600);
    let written = options.open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| Failure::internal(format!("failed to write {}: {e}", path.display())))?;
    Ok(Private { path })
}

/// Writes every face of a report into the folder.
pub fn write_faces(report: &Report, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let faces = [
        ("report.html", report::html::render(report)),
        ("report.json", report::json::render(report)?),
        ("report.md", report::markdown::render(report)),
        ("junit.xml", report::junit::render(report)?),
    ];
    let mut paths = Vec::new();
    for (name, text) in faces {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .map_err(|e| Failure::internal(format!("failed to write {}: {e}", path.display())))?;
        paths.push(path);
    }
    Ok(paths)
}

/// Reads a kept history. A last line that was cut is left out; the judge says what that costs.
pub fn read_history(folder: &Path) -> Result<Vec<Record>, Failure> {
    let path = folder.join(HISTORY);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        let remedy = "give the folder that `squall run --out DIR` wrote";
        Failure::usage(format!("failed to read {}: {e}; {remedy}", path.display()))
    })?;
    let mut records = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(_) if lines.peek().is_none() => break,
            Err(error) => {
                let place = format!("{}:{}", path.display(), number + 1);
                return Err(Failure::usage(format!("{place}: not a line of a history: {error}")));
            }
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::history::Entry;

    /// Whoever dies next has written down what they were about to do.
    #[test]
    fn what_is_added_is_on_disk_before_anything_else_is_done() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("out");
        let mut output = Output::create(&folder).unwrap();
        for at_ns in 1..4 {
            let bound = Entry::Bound { target: "primary".to_owned(), instances: Vec::new() };
            let record = Record { at_ns, entry: bound };
            output.add(&record);
            assert_eq!(read_history(&folder).unwrap().last(), Some(&record));
        }
    }
}

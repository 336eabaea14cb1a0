//! One line of the table: what is run, what must come out, and what came out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;

use crate::stand::{Stand, both};

/// One line of the table.
#[derive(Debug)]
pub struct Drill {
    /// Below `experiments/kubernetes`, without its ending.
    pub file: &'static str,
    /// One sentence for the page: why it comes out so.
    pub why: &'static str,
    /// Claims that must deviate, no more and no fewer, each as `CHECK SUBJECT` with a part of what
    /// its finding says. None: it must hold.
    pub deviates: &'static [(&'static str, &'static str)],
    /// Claims that may deviate besides, as chance will have it.
    pub may: &'static [&'static str],
    /// It may not take longer, seconds.
    pub longest_s: u64,
}

/// What came out, for the page.
#[derive(Debug)]
pub struct Line {
    pub file: &'static str,
    pub why: &'static str,
    pub title: String,
    pub held: bool,
    /// The claims that deviated, or all where none did, with their findings.
    pub claims: Vec<String>,
    pub took_s: u64,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/kubernetes")
}

impl Drill {
    /// Runs it, and again where the machine was too busy to measure: that is no finding about the
    /// experiment. Errors: what came out otherwise.
    pub fn run(&self, stand: &Stand, state: &str) -> Result<Line, String> {
        for attempt in 1..3 {
            match self.run_once(stand, state) {
                Err(why) if why.contains("are invalid or missing") => {
                    eprintln!("{}: attempt {attempt}: {why}", self.file);
                }
                done => return done,
            }
        }
        self.run_once(stand, state)
    }

    fn run_once(&self, stand: &Stand, state: &str) -> Result<Line, String> {
        let out = tempfile::tempdir_in(stand.folder()).unwrap();
        let (file, folder) = (folder().join(format!("{}.yaml", self.file)), out.path().join("out"));
        let words = ["run", "-q", "--out", folder.to_str().unwrap(), file.to_str().unwrap()];
        let began = Instant::now();
        let ran = stand.squall_in(state, &words).output().unwrap();
        let took_s = began.elapsed().as_secs();
        let said = both(&ran);
        eprintln!("{}: {:?} after {took_s} s", self.file, ran.status.code());
        let code = if self.deviates.is_empty() { 0 } else { 4 };
        if ran.status.code() != Some(code) {
            return Err(said);
        }
        let report: Value =
            serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap();
        self.compare(&report).map_err(|why| format!("{why}\n{said}"))?;
        if !report["residue"].as_array().unwrap().is_empty() {
            return Err(format!("something is left\n{said}"));
        }
        let journals = stand.folder().join(state).join("squall/journal");
        if fs::read_dir(journals).unwrap().count() > 0 {
            return Err(format!("a journal is open\n{said}"));
        }
        if took_s > self.longest_s {
            return Err(format!("it took {took_s} s"));
        }
        Ok(self.line(&report, took_s))
    }

    fn compare(&self, report: &Value) -> Result<(), String> {
        let deviated: Vec<(String, &str)> = claims(report, |v| v == "deviated").collect();
        for (name, words) in self.deviates {
            let found = deviated.iter().find(|(claim, _)| claim == name);
            let finding = found.ok_or_else(|| format!("`{name}` has not deviated"))?.1;
            if !finding.contains(words) {
                return Err(format!("`{name}` says `{finding}`, without `{words}`"));
            }
        }
        for (name, finding) in &deviated {
            let expected = self.deviates.iter().any(|(claim, _)| claim == name);
            if !expected && !self.may.contains(&name.as_str()) {
                return Err(format!("`{name}` deviated too: {finding}"));
            }
        }
        Ok(())
    }

    fn line(&self, report: &Value, took_s: u64) -> Line {
        let held = self.deviates.is_empty();
        let verdict = if held { "held" } else { "deviated" };
        let shown = report["claims"].as_array().unwrap().iter();
        let shown = shown.filter(|claim| claim["verdict"] == verdict);
        let shown = shown.filter(|claim| !held || claim["stopCondition"] == false);
        let words = |claim: &Value| {
            let part = |key: &str| claim[key].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", part("claim"), part("finding"))
        };
        Line {
            file: self.file,
            why: self.why,
            title: report["title"].as_str().unwrap_or_default().to_owned(),
            held,
            claims: shown.map(words).collect(),
            took_s,
        }
    }
}

/// `CHECK SUBJECT` and what it found, of those with such a verdict.
fn claims<'a>(
    report: &'a Value,
    of: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = (String, &'a str)> + 'a {
    let claims = report["claims"].as_array().unwrap().iter();
    claims.filter(move |claim| of(claim["verdict"].as_str().unwrap())).map(|claim| {
        let check = claim["check"].as_str().unwrap();
        let probe = claim["probe"].as_str().filter(|probe| !probe.is_empty());
        let name = probe.map_or_else(|| check.to_owned(), |probe| format!("{check} {probe}"));
        (name, claim["finding"].as_str().unwrap_or_default())
    })
}

//! `squall clear`: a person has looked at what is stuck, or at a journal of which nothing can be
//! read any more, and takes it upon themselves.

use std::io::Write;
use std::path::Path;

use super::failure::Failure;
use super::state::StateFolder;
use crate::injection::journal::{Contents, Journal, JournalRecord, State};
use crate::injection::recovery;
use crate::model::id::{DrillId, InjectionId};
use crate::model::outcome::ExitCode;

/// Arguments of `squall clear`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The injection, as `undo`, `now` and the report name it: `d0123456789.1`. The drill alone,
    /// `d0123456789`, where nothing can be read of its journal.
    pub injection: String,
    /// Who looked.
    #[arg(long)]
    pub by: String,
    /// What was found, and why it may be forgotten.
    #[arg(long)]
    pub reason: String,
}

/// Exit codes: 0 cleared; an error where there is nothing stuck or unreadable by that name.
pub fn run(args: &Args, state: &StateFolder, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    if let Some(drill) = DrillId::parse(&args.injection) {
        return unreadable(&drill, args, state, out);
    }
    let injection = parse(&args.injection).ok_or_else(|| {
        Failure::usage(format!("`{}` is not an injection like d0123456789.1", args.injection))
    })?;
    let path = state.journals().join(injection.drill.as_str());
    let unknown = || {
        let why = format!("no such injection: {injection}; `squall now` lists them");
        Failure::usage(why)
    };
    let (mut journal, _) = reopen(&path, unknown)?;
    if journal.state(&injection).is_none() {
        return Err(unknown());
    }
    if journal.state(&injection) != Some(State::Stuck) {
        let why = format!("{injection} is not stuck; `squall undo --all` says what is open");
        return Err(Failure::usage(why));
    }
    let (by, reason) = (args.by.clone(), args.reason.clone());
    journal.append(&JournalRecord::Cleared { injection: injection.clone(), by, reason })?;
    if journal.all_closed() {
        drop(journal);
        recovery::remove(&path)?;
    }
    writeln!(out, "{injection} cleared by {}", args.by)?;
    Ok(ExitCode::Held)
}

/// Forgets a whole journal, but only one that has lost its first record and names nothing open.
fn unreadable(
    drill: &DrillId,
    args: &Args,
    state: &StateFolder,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let path = state.journals().join(drill.as_str());
    let unknown = || Failure::usage(format!("there is no journal of drill {drill}"));
    // Held until it is removed: nobody else opens it meanwhile.
    let (_held, contents) = reopen(&path, unknown)?;
    if contents.opened.is_some() || !contents.open().is_empty() {
        let why = format!("the journal of {drill} can be read; clear what is stuck by its name");
        return Err(Failure::usage(format!("{why}, like {drill}.1: `squall undo --all` lists it")));
    }
    recovery::remove(&path)?;
    writeln!(out, "{drill} cleared by {}", args.by)?;
    Ok(ExitCode::Held)
}

fn reopen(path: &Path, unknown: impl Fn() -> Failure) -> Result<(Journal, Contents), Failure> {
    Journal::reopen(path).map_err(|error| if error.is_missing() { unknown() } else { error.into() })
}

fn parse(text: &str) -> Option<InjectionId> {
    let (drill, number) = text.split_once('.')?;
    Some(InjectionId { drill: DrillId::parse(drill)?, number: number.parse().ok()? })
}

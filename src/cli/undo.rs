//! `squall undo`: ends everything that dead drills left in force. It needs no daemon and no plan,
//! only the journals.

use std::io::Write;
use std::os::fd::OwnedFd;

use super::failure::Failure;
use super::leftovers::held_by;
use super::place::Place;
use super::state::StateFolder;
use crate::host::linux::holders;
use crate::injection::journal::{Journal, JournalRecord, State};
use crate::injection::recovery::{self, Leftover};
use crate::injection::revert::By;
use crate::model::id::DrillId;
use crate::model::message::FromInjector;
use crate::model::outcome::ExitCode;

/// Arguments of `squall undo`.
#[derive(Debug, Clone, clap::Args)]
#[command(override_usage = "squall undo --all\n       squall undo DRILL")]
pub struct Args {
    /// Undo what every dead drill left behind.
    #[arg(long)]
    pub all: bool,
    /// Only what this drill left, as `squall now` names it.
    #[arg(value_name = "DRILL", conflicts_with = "all")]
    pub drill: Option<String>,
}

/// Exit codes: 0 nothing of ours is left, 7 something is stuck, 2 a journal cannot be used, 1 one
/// of which nothing is left to undo does not end. Of several the worst; each is tried.
pub fn run(args: &Args, state: &StateFolder, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    if !args.all && args.drill.is_none() {
        let what = "`squall undo --all`, or `squall undo DRILL` for one";
        return Err(Failure::usage(format!("say what to undo: {what}; `squall now` lists drills")));
    }
    let found = recovery::find(&state.journals())?;
    let wanted = |l: &Leftover| args.drill.as_ref().is_none_or(|d| l.drill.as_str() == d);
    let mut code = ExitCode::Held;
    let mut undone = 0;
    let mut failures = Vec::new();
    // Whoever does not listen any more keeps nothing in force.
    let mut said = Ok(());
    for leftover in found.leftovers.into_iter().filter(wanted) {
        let drill = leftover.drill.clone();
        let ended = end_leftover(leftover).unwrap_or_else(|failure| {
            code = worse(code, ExitCode::Internal);
            failures.push(format!("{drill}: {failure}"));
            Vec::new()
        });
        undone += ended.len();
        for ended in ended {
            if matches!(ended, FromInjector::Stuck { .. }) {
                code = worse(code, ExitCode::Stuck);
            }
            said = said.and_then(|()| writeln!(out, "{drill}: {}", words(&ended)));
        }
    }
    said?;
    for failure in &failures {
        writeln!(out, "{failure}")?;
    }
    for drill in &found.live {
        let holders = holders::of(&state.journals().join(drill.as_str()));
        writeln!(out, "{}", held_by(drill, &holders))?;
    }
    for (_, why) in &found.refused {
        writeln!(out, "refused: {why}")?;
        code = worse(code, ExitCode::Usage);
    }
    if undone == 0 && failures.is_empty() && found.refused.is_empty() && found.live.is_empty() {
        writeln!(out, "nothing to undo")?;
    }
    Ok(code)
}

/// The one of two exit codes that a person must hear of first.
fn worse(one: ExitCode, other: ExitCode) -> ExitCode {
    const ORDER: [ExitCode; 4] =
        [ExitCode::Stuck, ExitCode::Internal, ExitCode::Usage, ExitCode::Refused];
    ORDER.into_iter().find(|code| [one, other].contains(code)).unwrap_or(one)
}

/// Ends one leftover where its targets live, and removes its journal once all is closed. What is
/// where nobody gets in is stuck: it is told by its name, and a person can clear it.
pub fn end_leftover(leftover: Leftover) -> Result<Vec<FromInjector>, Failure> {
    let (drill, path) = (leftover.drill.clone(), leftover.path.clone());
    let journal = leftover.journal.share()?;
    let ended = match Place::of(&leftover).and_then(|place| place.recover(leftover)) {
        Ok(ended) => ended,
        Err(failure) => stick(&drill, journal, &failure)?,
    };
    if !ended.iter().any(|e| matches!(e, FromInjector::Stuck { .. })) {
        recovery::remove(&path)?;
    }
    Ok(ended)
}

/// Errors: nobody knows whether anything is open.
fn stick(
    drill: &DrillId,
    journal: OwnedFd,
    failure: &Failure,
) -> Result<Vec<FromInjector>, Failure> {
    // Read again: whoever was inside may have closed some.
    let (mut journal, contents) = Journal::inherit(journal)?;
    let open = contents.open();
    if open.is_empty() && contents.opened.is_none() {
        return Err(Failure::internal(format!(
            "{failure}, and nothing can be read of what it had open; look by hand (SAFETY.md), \
             then `squall clear {drill} --by YOU --reason WHY`"
        )));
    }
    let mut stuck = Vec::new();
    for recipe in open {
        let (injection, why) = (recipe.injection, failure.why.clone());
        if journal.state(&injection) != Some(State::Stuck) {
            let by = By::Recovery.name().to_owned();
            let reverting = JournalRecord::Reverting { injection: injection.clone(), by };
            let record = JournalRecord::Stuck { injection: injection.clone(), why: why.clone() };
            if let Err(error) = journal.append(&reverting).and_then(|()| journal.append(&record)) {
                tracing::error!(%error, "the journal misses a line");
            }
        }
        stuck.push(FromInjector::Stuck { injection, why });
    }
    Ok(stuck)
}

/// One line for a person.
pub fn words(ended: &FromInjector) -> String {
    match ended {
        FromInjector::Reverted(r) => format!("{} reverted: {}", r.injection, r.evidence),
        FromInjector::Void { injection, why } => format!("{injection} void: {why}"),
        FromInjector::Stuck { injection, why } => format!(
            "{injection} STUCK: {why}; look by hand (SAFETY.md), then \
             `squall clear {injection} --by YOU --reason WHY`"
        ),
        other => format!("{other:?}"),
    }
}

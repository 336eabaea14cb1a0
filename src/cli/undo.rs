//! `squall undo`: ends everything that dead drills left in force. It needs no daemon and no plan,
//! only the journals.

use std::io::Write;

use super::failure::Failure;
use super::leftovers::held_by;
use super::place::Place;
use super::state::StateFolder;
use crate::host::linux::holders;
use crate::injection::recovery::{self, Leftover};
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

/// Exit codes: 0 nothing of ours is left, 7 something is stuck, 2 a journal cannot be used.
pub fn run(args: &Args, state: &StateFolder, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    if !args.all && args.drill.is_none() {
        let what = "`squall undo --all`, or `squall undo DRILL` for one";
        return Err(Failure::usage(format!("say what to undo: {what}; `squall now` lists drills")));
    }
    let found = recovery::find(&state.journals())?;
    let wanted = |l: &Leftover| args.drill.as_ref().is_none_or(|d| l.drill.as_str() == d);
    let mut code = ExitCode::Held;
    let mut undone = 0;
    for leftover in found.leftovers.into_iter().filter(wanted) {
        let drill = leftover.drill.clone();
        for ended in end_leftover(leftover)? {
            undone += 1;
            let line = words(&ended);
            if matches!(ended, FromInjector::Stuck { .. }) {
                code = ExitCode::Stuck;
            }
            writeln!(out, "{drill}: {line}")?;
        }
    }
    for drill in &found.live {
        let holders = holders::of(&state.journals().join(drill.as_str()));
        writeln!(out, "{}", held_by(drill, &holders))?;
    }
    for why in &found.refused {
        writeln!(out, "refused: {why}")?;
        code = if code == ExitCode::Stuck { code } else { ExitCode::Usage };
    }
    if undone == 0 && found.refused.is_empty() && found.live.is_empty() {
        writeln!(out, "nothing to undo")?;
    }
    Ok(code)
}

/// Ends one leftover where its targets live, and removes its journal once all is closed.
pub fn end_leftover(leftover: Leftover) -> Result<Vec<FromInjector>, Failure> {
    let path = leftover.path.clone();
    let ended = Place::of(&leftover)?.recover(leftover)?;
    if !ended.iter().any(|e| matches!(e, FromInjector::Stuck { .. })) {
        recovery::remove(&path)?;
    }
    Ok(ended)
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

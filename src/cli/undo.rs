//! `squall undo`: ends everything that dead drills left in force. It needs no daemon and no plan,
//! only the journals.

use std::io::{ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::failure::Failure;
use super::leftovers::held_by;
use super::place::Place;
use super::state::StateFolder;
use super::undo_cluster;
use crate::host::linux::{cgroup, holders};
use crate::injection::journal::{Journal, JournalRecord, State};
use crate::injection::recovery::{self, Leftover};
use crate::injection::revert::By;
use crate::model::id::DrillId;
use crate::model::message::FromInjector;
use crate::model::outcome::ExitCode;

/// Arguments of `squall undo`.
#[derive(Debug, Clone, clap::Args)]
#[command(override_usage = "squall undo --all\n       squall undo DRILL\n       \
squall undo --cluster CONTEXT [--kubeconfig FILE] [--force] [DRILL]")]
pub struct Args {
    /// Undo what every dead drill left behind.
    #[arg(long)]
    pub all: bool,
    /// Only what this drill left, as `squall now` names it.
    #[arg(value_name = "DRILL", conflicts_with = "all")]
    pub drill: Option<String>,
    /// What drills of any machine left in this cluster, by the marks on its objects: a context of
    /// the kubeconfig.
    #[arg(long, value_name = "CONTEXT", conflicts_with = "all")]
    pub cluster: Option<String>,
    /// Where that context is; else the files of KUBECONFIG, or ~/.kube/config.
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// Also what a drill may still be at: its time is not over by its mark.
    #[arg(long, requires = "cluster")]
    pub force: bool,
}

/// Exit codes: 0 nothing is left of what was asked for, 7 something is stuck, 1 a journal is
/// damaged or does not go, 2 it cannot be used or there is none, 3 somebody still holds it. Of
/// several the worst; each is tried.
pub fn run(args: &Args, state: &StateFolder, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    if let Some(context) = &args.cluster {
        return undo_cluster::run(context, args, out);
    }
    if !args.all && args.drill.is_none() {
        let what = "`squall undo --all`, or `squall undo DRILL` for one";
        return Err(Failure::usage(format!("say what to undo: {what}; `squall now` lists drills")));
    }
    // Empty ones, of labs that were killed: there is nothing to tell of them.
    cgroup::sweep();
    let asked = args.drill.as_deref().map(|text| named(text, state)).transpose()?;
    let mut found = recovery::find(&state.journals())?;
    let wanted = |drill: &DrillId| asked.as_ref().is_none_or(|asked| asked == drill);
    found.leftovers.retain(|leftover| wanted(&leftover.drill));
    found.live.retain(wanted);
    found.refused.retain(|(drill, _)| wanted(drill));
    let mut code = ExitCode::Held;
    let mut undone = 0;
    let mut failures = Vec::new();
    // Whoever does not listen any more keeps nothing in force.
    let mut said = Ok(());
    for leftover in found.leftovers {
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
        code = worse(code, ExitCode::Refused);
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

/// Errors: it is no drill, or there is nothing under that name.
fn named(text: &str, state: &StateFolder) -> Result<DrillId, Failure> {
    let Some(drill) = DrillId::parse(text) else {
        return Err(Failure::usage(format!("`{text}` is not a drill like d0123456789")));
    };
    // Before the look for leftovers, which removes what is closed.
    match state.journals().join(drill.as_str()).symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let why = format!("there is no journal of drill {drill}, so nothing of it is open");
            Err(Failure::usage(format!("{why}; `squall now` lists what is in force")))
        }
        // Whatever else is wrong with it is said by whoever reads it.
        _ => Ok(drill),
    }
}

/// The one of two exit codes that a person must hear of first.
pub fn worse(one: ExitCode, other: ExitCode) -> ExitCode {
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

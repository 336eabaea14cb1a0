//! What earlier drills left: nothing new begins before their parts have ended and their faults are
//! undone, and never over one that is still at it.

use std::os::fd::AsFd;
use std::time::Duration;

use super::failure::Failure;
use super::progress::Progress;
use super::state::StateFolder;
use super::undo;
use crate::drill::run::LEASE;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::holders::{self, Holder};
use crate::host::linux::{part, process};
use crate::injection::journal::store;
use crate::injection::recovery;
use crate::model::id::DrillId;
use crate::model::identity::LabIdentity;
use crate::model::message::FromInjector;
use crate::model::outcome::ExitCode;

/// How long the parts of a drill without a conductor may take: they act when their lease is over.
const ORPHANS_END_WITHIN: Duration = Duration::from_secs(LEASE.0.as_secs() + 2);

/// Waits for parts whose conductor is dead, then undoes what is left of dead drills.
///
/// Errors: something is stuck, or a journal cannot be used; nothing may begin.
pub async fn end(state: &StateFolder, progress: &mut Progress) -> Result<(), Failure> {
    await_orphans(state, progress).await?;
    let found = recovery::find(&state.journals())?;
    let mut stuck = Vec::new();
    for leftover in found.leftovers {
        let drill = leftover.drill.clone();
        // One that cannot be ended keeps no other in force.
        let ended = undo::end_leftover(leftover).unwrap_or_else(|failure| {
            stuck.push(format!("{drill}: {failure}"));
            Vec::new()
        });
        for ended in ended {
            let words = undo::words(&ended);
            progress.say(&format!("left by a dead drill: {words}"));
            if matches!(ended, FromInjector::Stuck { .. }) {
                stuck.push(words);
            }
        }
    }
    let refused: Vec<String> = found.refused.into_iter().map(|(_, why)| why).collect();
    if stuck.is_empty() && refused.is_empty() {
        return Ok(());
    }
    if stuck.is_empty() {
        return Err(Failure::new(ExitCode::Usage, refused.join("\n  ")));
    }
    stuck.extend(refused);
    let list = stuck.join("\n  ");
    Err(Failure::new(ExitCode::Refused, format!("refused: an earlier drill is stuck:\n  {list}")))
}

async fn await_orphans(state: &StateFolder, progress: &mut Progress) -> Result<(), Failure> {
    let limit = tokio::time::Instant::now() + ORPHANS_END_WITHIN;
    for drill in recovery::find(&state.journals())?.live {
        let began = monotonic_ns();
        let parts = holders::of(&state.journals().join(drill.as_str()));
        // One that has a conductor is a drill like any other.
        if parts.iter().any(|holder| holder.part().is_none()) {
            continue;
        }
        for holder in &parts {
            let Ok(pidfd) = process::pidfd_of(holder.pid) else { continue };
            let ended = part::readable(pidfd.as_fd());
            let _late = tokio::time::timeout_at(limit, ended).await;
        }
        if parts.is_empty() {
            continue;
        }
        let waited = Duration::from_nanos(monotonic_ns() - began).as_secs_f64();
        progress.say(&format!("waited {waited:.1} s for what is left of drill {drill}"));
    }
    Ok(())
}

/// Errors: another drill still has parts in that lab. To be called with the lab attached, so that
/// no other can begin there.
pub fn refuse_beside(state: &StateFolder, lab: &LabIdentity) -> Result<(), Failure> {
    for drill in recovery::find(&state.journals())?.live {
        let path = state.journals().join(drill.as_str());
        // One that vanished since it was found has just ended.
        let Some(contents) = store::peek_if_there(&path)? else { continue };
        let here = match contents.opened {
            Some(opened) => opened.lab.as_ref() == Some(lab),
            // An empty one is being made just now, and so not by anybody here.
            None => contents.damaged > 0,
        };
        if here {
            let (lab, held) = (&lab.name, held_by(&drill, &holders::of(&path)));
            let why = format!("refused: lab {lab} is not free: {held}");
            return Err(Failure::new(ExitCode::Refused, why));
        }
    }
    Ok(())
}

/// A sentence about a drill whose journal somebody holds.
#[must_use]
pub fn held_by(drill: &DrillId, holders: &[Holder]) -> String {
    let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    if holders.is_empty() {
        return format!("drill {drill} is running, in processes that cannot be looked into");
    }
    if holders.iter().any(|holder| holder.part().is_none()) {
        let how = "end it with Ctrl-C or SIGTERM, its own parts revert";
        return format!("drill {drill} is running in {names}; {how}");
    }
    let how = "if they do not end by themselves, end them with SIGKILL and run `squall undo --all`";
    format!("drill {drill} has lost its conductor and is still held by {names}; {how}")
}

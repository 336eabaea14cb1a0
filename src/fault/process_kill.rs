//! `processKill`: a signal that ends a process, or its whole tree. Squall cannot bring it back;
//! the plan names what is relied on to do so.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::running::running;
use super::{Capability, Expect, FaultError, FaultKind};
use crate::host::network::Took;
use crate::host::process::RunState;
use crate::host::{Host, HostError};
use crate::model::binding::Order;
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::identity::ProcessIdentity;
use crate::model::inventory::Target;

/// How long all of them together may take to die before that is called a failure. Shorter than a
/// lease: whoever waits is silent.
const DEATH_WITHIN: Duration = Duration::from_secs(2);

/// Ends one process, or it and all its descendants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    #[serde(default)]
    pub signal: KillSignal,
    /// `one` process, or its whole `tree`.
    #[serde(default)]
    pub scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum KillSignal {
    /// A crash: nothing can be saved.
    #[default]
    #[serde(rename = "SIGKILL")]
    Kill,
    /// A polite stop: the process may hand over first, and has 2 s for it, as with the others.
    #[serde(rename = "SIGTERM")]
    Term,
    #[serde(rename = "SIGINT")]
    Int,
    #[serde(rename = "SIGQUIT")]
    Quit,
    #[serde(rename = "SIGABRT")]
    Abrt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    #[default]
    One,
    Tree,
}

/// Who was killed, the root of the tree first. A kill cannot be undone; what can is the halt in
/// which a tree is held until it is killed whole.
#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub victims: Vec<ProcessIdentity>,
    /// Is the whole tree meant? Then members may be held that were born too late for the list.
    /// Recipes of before this field may be of either.
    #[serde(default = "maybe")]
    pub tree: bool,
}

fn maybe() -> bool {
    true
}

pub struct ProcessKill;

impl KillSignal {
    fn number(self) -> i32 {
        match self {
            KillSignal::Kill => libc::SIGKILL,
            KillSignal::Term => libc::SIGTERM,
            KillSignal::Int => libc::SIGINT,
            KillSignal::Quit => libc::SIGQUIT,
            KillSignal::Abrt => libc::SIGABRT,
        }
    }

    fn name(self) -> &'static str {
        match self {
            KillSignal::Kill => "SIGKILL",
            KillSignal::Term => "SIGTERM",
            KillSignal::Int => "SIGINT",
            KillSignal::Quit => "SIGQUIT",
            KillSignal::Abrt => "SIGABRT",
        }
    }
}

impl FaultKind for ProcessKill {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "processKill";
    const SUMMARY: &'static str = "ends a process, or it and its descendants, by a signal";
    const EXAMPLE: &'static str = "processKill: {target: primary, signal: SIGKILL, scope: one}";
    const NEEDS: &'static [Capability] = &[Capability::Pidfd];
    const RESTORE: Restore = Restore::None;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn impact(_params: &Params) -> Impact {
        Impact::Stops
    }

    fn facts(params: &Params) -> StepFacts {
        let (whom, defence) = match params.scope {
            // Nobody is held, so there is nothing for others to let go.
            Scope::One => ("{target}", &[Defence::ReadBack][..]),
            Scope::Tree => ("{target} and all its descendants", Self::DEFENCE),
        };
        let summary = format!("{} to {whom}", params.signal.name());
        let defence = defence.to_vec();
        StepFacts { defence, ..Self::on_target(&params.target, Footprint::Process, summary) }
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &Params) -> Result<Undo, FaultError> {
        let root = running(host, &order.target)?;
        let victims = match params.scope {
            Scope::One => vec![root],
            Scope::Tree => host.tree(&root)?,
        };
        Ok(Undo { victims, tree: params.scope == Scope::Tree })
    }

    fn inject(
        host: &mut dyn Host,
        _order: &Order,
        params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let began_ns = host.now_ns();
        let death = Deadline::after(host, DEATH_WITHIN);
        let victims = if undo.tree { freeze(host, undo, death)? } else { undo.victims.clone() };
        // Children first, so that no parent lives to start another.
        for victim in victims.iter().rev() {
            send(host, victim, params.signal.number())?;
        }
        if undo.tree && params.signal != KillSignal::Kill {
            thaw(host, &victims)?;
        }
        let mut effective_ns = host.now_ns();
        for victim in &victims {
            let gone = host.wait(victim, RunState::Gone, death.left(host))?;
            effective_ns = gone.ok_or_else(|| {
                FaultError::Unexpected(format!(
                    "process {} still lives {DEATH_WITHIN:?} after {}",
                    victim.pid,
                    params.signal.name()
                ))
            })?;
        }
        Ok(Took { began_ns, effective_ns })
    }

    /// A kill cannot be undone, and a half-done tree kill must not leave anybody stopped.
    fn revert(host: &mut dyn Host, _target: &Target, undo: &Undo) -> Result<(), FaultError> {
        if undo.tree { thaw(host, &members(host, undo)?) } else { Ok(()) }
    }

    fn verify(
        host: &mut dyn Host,
        _target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let mut alive = Vec::new();
        for member in &members(host, undo)? {
            match (host.state(member)?, expect) {
                (RunState::Gone, _) | (RunState::Running, Expect::Gone) => {}
                // Whoever stands still alone was not stopped by us.
                (RunState::Stopped, Expect::Gone) if !undo.tree => {}
                (RunState::Running | RunState::Stopped, _) => alive.push(member.pid),
            }
        }
        if !alive.is_empty() {
            return Err(FaultError::Unexpected(format!("still there: process {alive:?}")));
        }
        let pids: Vec<i32> = undo.victims.iter().map(|v| v.pid).collect();
        Ok(match expect {
            Expect::InForce => format!("process {pids:?} is gone"),
            Expect::Gone => format!("process {pids:?} is not held in any way"),
        })
    }
}

/// A point in time that several waits share.
#[derive(Clone, Copy)]
struct Deadline(u64);

impl Deadline {
    fn after(host: &dyn Host, span: Duration) -> Deadline {
        Deadline(host.now_ns() + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }

    fn left(self, host: &dyn Host) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(host.now_ns()))
    }
}

/// Those of the recipe and, while its root is there, those who were born since, parents first.
///
/// Whoever is held and not in the recipe hangs below its root: the late ones are killed and let go
/// before any of the recipe are, and a held parent does not end.
fn members(host: &dyn Host, undo: &Undo) -> Result<Vec<ProcessIdentity>, FaultError> {
    let mut members = undo.victims.clone();
    let Some(root) = undo.victims.first().filter(|_| undo.tree) else { return Ok(members) };
    let found = match host.tree(root) {
        Ok(found) => found,
        Err(HostError::Gone(_)) => Vec::new(),
        Err(other) => return Err(other.into()),
    };
    members.extend(found.into_iter().filter(|one| !undo.victims.contains(one)));
    Ok(members)
}

/// Stops every member and looks again until no new one appears: a tree that forks cannot outrun us.
fn freeze(
    host: &dyn Host,
    undo: &Undo,
    deadline: Deadline,
) -> Result<Vec<ProcessIdentity>, FaultError> {
    let mut held: Vec<ProcessIdentity> = Vec::new();
    loop {
        let all = members(host, undo)?;
        let new: Vec<_> = all.into_iter().filter(|one| !held.contains(one)).collect();
        if new.is_empty() {
            return Ok(held);
        }
        for member in &new {
            send(host, member, libc::SIGSTOP)?;
        }
        // Until it stands still, another thread of it may fork.
        for member in &new {
            host.wait(member, RunState::Stopped, deadline.left(host))?;
        }
        held.extend(new);
        if deadline.left(host).is_zero() {
            let count = held.len();
            let why =
                format!("the tree does not stand still after {DEATH_WITHIN:?}: {count} of it");
            return Err(FaultError::Unexpected(why));
        }
    }
}

/// Children first: a parent that goes on may end, and leave us no way to find its children.
fn thaw(host: &dyn Host, members: &[ProcessIdentity]) -> Result<(), FaultError> {
    members.iter().rev().try_for_each(|member| send(host, member, libc::SIGCONT))
}

/// A member that ended by itself in the meantime is as dead as asked, and as free.
fn send(host: &dyn Host, member: &ProcessIdentity, signal: i32) -> Result<(), FaultError> {
    match host.signal(member, signal) {
        Ok(()) | Err(HostError::Gone(_)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests;

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
use crate::model::experiment::{Defence, Footprint, Peers, Restore, StepFacts};
use crate::model::identity::ProcessIdentity;
use crate::model::inventory::Target;

/// How long a process may take to die of SIGKILL before that is called a failure.
const DEATH_WITHIN: Duration = Duration::from_secs(5);

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
    /// A polite stop: the process may hand over first.
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

/// Who was killed. There is nothing to undo.
#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub victims: Vec<ProcessIdentity>,
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
    const DEFENCE: &'static [Defence] = &[Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        let whom = match params.scope {
            Scope::One => "{target}",
            Scope::Tree => "{target} and all its descendants",
        };
        StepFacts {
            subjects: vec![params.target.clone()],
            peers: Peers::None,
            restore: Self::RESTORE,
            defence: Self::DEFENCE.to_vec(),
            footprint: Footprint::Process,
            summary: format!("{} to {whom}", params.signal.name()),
        }
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &Params) -> Result<Undo, FaultError> {
        let root = running(host, &order.target)?;
        let victims = match params.scope {
            Scope::One => vec![root],
            Scope::Tree => host.tree(&root)?,
        };
        Ok(Undo { victims })
    }

    fn inject(
        host: &mut dyn Host,
        _order: &Order,
        params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let began_ns = host.now_ns();
        let victims =
            if params.scope == Scope::Tree { freeze(host, undo)? } else { undo.victims.clone() };
        // Children first, so that no parent lives to start another.
        for victim in victims.iter().rev() {
            match host.signal(victim, params.signal.number()) {
                // A member that ended by itself in the meantime is as dead as asked.
                Ok(()) | Err(HostError::Gone(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        if params.scope == Scope::Tree && params.signal != KillSignal::Kill {
            thaw(host, &victims)?;
        }
        let mut effective_ns = host.now_ns();
        for victim in &victims {
            effective_ns = host.wait(victim, RunState::Gone, DEATH_WITHIN)?.ok_or_else(|| {
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
        thaw(host, &undo.victims)
    }

    fn verify(
        host: &mut dyn Host,
        _target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let mut alive = Vec::new();
        for victim in &undo.victims {
            match host.state(victim)? {
                RunState::Gone => {}
                RunState::Running if expect == Expect::Gone => {}
                RunState::Running | RunState::Stopped => alive.push(victim.pid),
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

/// Stops every member and looks again until no new one appears: a tree that forks cannot outrun us.
fn freeze(host: &dyn Host, undo: &Undo) -> Result<Vec<ProcessIdentity>, FaultError> {
    let mut members = undo.victims.clone();
    let mut stopped = 0;
    while stopped < members.len() {
        for member in &members[stopped..] {
            match host.signal(member, libc::SIGSTOP) {
                Ok(()) | Err(HostError::Gone(_)) => {}
                Err(other) => return Err(other.into()),
            }
        }
        stopped = members.len();
        for found in host.tree(&undo.victims[0]).unwrap_or_default() {
            if !members.contains(&found) {
                members.push(found);
            }
        }
    }
    Ok(members)
}

fn thaw(host: &dyn Host, members: &[ProcessIdentity]) -> Result<(), FaultError> {
    for member in members {
        match host.signal(member, libc::SIGCONT) {
            Ok(()) | Err(HostError::Gone(_)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}

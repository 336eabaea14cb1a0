//! `processPause`: SIGSTOP now, SIGCONT at the end. The process keeps its sockets and its locks
//! and answers nothing: the failure that health checks by connection do not see.

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

/// How long a process may take to stop. Shorter than a lease: whoever waits is silent.
const STOPS_WITHIN: Duration = Duration::from_secs(1);
/// How long until it is seen to go on: the kernel makes it runnable as it takes the signal.
const GOES_ON_WITHIN: Duration = Duration::from_millis(300);

/// Stops a process without ending it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub process: ProcessIdentity,
}

pub struct ProcessPause;

impl FaultKind for ProcessPause {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "processPause";
    const SUMMARY: &'static str = "stops a process (SIGSTOP) and lets it go on at the end";
    const EXAMPLE: &'static str = "processPause: {target: primary}";
    const NEEDS: &'static [Capability] = &[Capability::Pidfd];
    const RESTORE: Restore = Restore::Undo;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn impact(_params: &Params) -> Impact {
        Impact::Freezes
    }

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(
            &params.target,
            Footprint::Process,
            "SIGSTOP to {target}, SIGCONT at the end".to_owned(),
        )
    }

    fn arm(host: &mut dyn Host, order: &Order, _params: &Params) -> Result<Undo, FaultError> {
        Ok(Undo { process: running(host, &order.target)? })
    }

    fn inject(
        host: &mut dyn Host,
        _order: &Order,
        _params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let began_ns = host.now_ns();
        host.signal(&undo.process, libc::SIGSTOP)?;
        let effective_ns =
            host.wait(&undo.process, RunState::Stopped, STOPS_WITHIN)?.ok_or_else(|| {
                FaultError::Unexpected(format!("process {} did not stop", undo.process.pid))
            })?;
        Ok(Took { began_ns, effective_ns })
    }

    fn revert(host: &mut dyn Host, _target: &Target, undo: &Undo) -> Result<(), FaultError> {
        match host.signal(&undo.process, libc::SIGCONT) {
            Ok(()) => Ok(()),
            Err(HostError::Gone(what)) => Err(FaultError::Void(format!("{what} is gone"))),
            Err(other) => Err(other.into()),
        }
    }

    fn verify(
        host: &mut dyn Host,
        _target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let pid = undo.process.pid;
        if expect == Expect::Gone {
            host.wait(&undo.process, RunState::Running, GOES_ON_WITHIN)?;
        }
        match (host.state(&undo.process)?, expect) {
            (RunState::Stopped, Expect::InForce) => Ok(format!("process {pid} is stopped")),
            (RunState::Running, Expect::Gone) => Ok(format!("process {pid} runs")),
            (RunState::Gone, _) => Err(FaultError::Void(format!("process {pid} is gone"))),
            (RunState::Running, Expect::InForce) => {
                Err(FaultError::Unexpected(format!("process {pid} runs on")))
            }
            (RunState::Stopped, Expect::Gone) => {
                Err(FaultError::Unexpected(format!("process {pid} is still stopped")))
            }
        }
    }

    fn glance(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        Self::verify(host, target, undo, Expect::InForce).map(drop)
    }
}

//! What every fault on a process asks first: is the target's process there, and running?

use super::FaultError;
use crate::host::Host;
use crate::host::process::RunState;
use crate::model::identity::ProcessIdentity;
use crate::model::inventory::Target;

/// The target's process, which must be running.
pub(super) fn running(host: &dyn Host, target: &Target) -> Result<ProcessIdentity, FaultError> {
    let Some(process) = &target.process else {
        return Err(FaultError::Void(format!("{} has no running process", target.name)));
    };
    match host.state(process)? {
        RunState::Running => Ok(process.clone()),
        RunState::Gone => {
            Err(FaultError::Void(format!("process {} of {} is gone", process.pid, target.name)))
        }
        RunState::Stopped => Err(FaultError::Foreign(format!(
            "process {} of {} is stopped already, and not by us",
            process.pid, target.name
        ))),
    }
}

//! What every fault on an object of a cluster does first: is it still that very object?
//!
//! Invariant: nothing is asked of an object that is known by its name alone. Whatever is changed is
//! changed under the condition that the UID is the one that the plan saw.

use std::time::Duration;

use serde_json::{Value, json};

use super::FaultError;
use crate::host::cluster::ApiRequest;
use crate::host::{Host, HostError};
use crate::model::cluster::ObjectIdentity;
use crate::model::inventory::Target;

/// With the longest request after it, a verb is shorter than a lease.
const ONE_MORE_WITHIN: Duration = Duration::from_millis(1500);

/// Which object a target is. Errors: it is none of a cluster.
pub(super) fn identity(target: &Target) -> Result<&ObjectIdentity, FaultError> {
    target
        .object
        .as_ref()
        .ok_or_else(|| FaultError::Foreign(format!("{} is no object of a cluster", target.name)))
}

/// The object as it is now; None: it is gone, or another one has its name.
pub(super) fn read(
    host: &mut dyn Host,
    object: &ObjectIdentity,
) -> Result<Option<Value>, FaultError> {
    match host.ask(&object.cluster, &ApiRequest::get(object.path())) {
        Ok(found) if uid(&found) == Some(&object.uid) => Ok(Some(found)),
        Ok(_) | Err(HostError::Gone(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same, where it must be there. Errors: `Void` when it is gone or was replaced.
pub(super) fn present(host: &mut dyn Host, object: &ObjectIdentity) -> Result<Value, FaultError> {
    let found = read(host, object)?;
    found.ok_or_else(|| FaultError::Void(format!("{} is gone, or was replaced", object.words())))
}

/// Is there time for one more request in the verb that began then? Each may take more than a
/// second, and whoever acts is silent meanwhile.
///
/// Errors: there is none; whoever undoes tries again from where this stopped.
pub(super) fn in_time(host: &dyn Host, began_ns: u64) -> Result<(), FaultError> {
    let began_within = u64::try_from(ONE_MORE_WITHIN.as_nanos()).unwrap_or(u64::MAX);
    if host.now_ns().saturating_sub(began_ns) <= began_within {
        return Ok(());
    }
    Err(FaultError::Unexpected("the API server is too slow for all of it at once".to_owned()))
}

/// How an object is to be deleted: only that very one, and in seconds how long it may take.
pub(super) fn delete_options(object: &ObjectIdentity, grace: Option<u64>) -> Value {
    let mut options = json!({"preconditions": {"uid": object.uid}});
    if let Some(grace) = grace {
        options["gracePeriodSeconds"] = grace.into();
    }
    options
}

/// A pod that is to go, as long as nobody else has told it to. Errors: `Void`, `Foreign`.
pub(super) fn staying<'t>(
    host: &mut dyn Host,
    target: &'t Target,
) -> Result<&'t ObjectIdentity, FaultError> {
    let object = identity(target)?;
    if is_ending(&present(host, object)?) {
        let why = format!("{} is being deleted already, and not by us", object.words());
        return Err(FaultError::Foreign(why));
    }
    Ok(object)
}

pub(super) fn uid(object: &Value) -> Option<&str> {
    object.pointer("/metadata/uid").and_then(Value::as_str)
}

/// Was its deletion asked for, by whomever?
pub(super) fn is_ending(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

//! What every fault on an object of a cluster does first: is it still that very object?
//!
//! Invariant: nothing is asked of an object that is known by its name alone. Whatever is changed is
//! changed under the condition that the UID is the one that the plan saw.

use serde_json::{Value, json};

use super::FaultError;
use crate::host::cluster::ApiRequest;
use crate::host::{Host, HostError};
use crate::model::cluster::ObjectIdentity;
use crate::model::inventory::Target;

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

/// Only that very object is meant.
pub(super) fn preconditions(object: &ObjectIdentity) -> Value {
    json!({"uid": object.uid})
}

pub(super) fn uid(object: &Value) -> Option<&str> {
    object.pointer("/metadata/uid").and_then(Value::as_str)
}

/// Was its deletion asked for, by whomever?
pub(super) fn is_ending(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some_and(|at| !at.is_null())
}

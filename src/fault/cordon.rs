//! A node that takes no new pods, as far as that is ours.
//!
//! `spec.unschedulable` and the mark are applied by a field manager of this injection alone. Undo
//! applies nothing by the same manager: the server takes away what only we hold. What somebody else
//! has set since is theirs by the server's own account, and stays.

use serde_json::{Value, json};

use super::marked::{is_ours, metadata, owns};
use super::object::present;
use super::{Expect, FaultError};
use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::host::{Host, HostError};
use crate::model::cluster::ObjectIdentity;
use crate::model::mark::{Mark, Note};

const UNSCHEDULABLE: &str = "/f:spec/f:unschedulable";

/// Errors: somebody has cordoned it already.
pub(super) fn refuse_cordoned(object: &ObjectIdentity, found: &Value) -> Result<(), FaultError> {
    if is_cordoned(found) {
        let why = format!("{} is cordoned already, and not by us", object.words());
        return Err(FaultError::Foreign(why));
    }
    Ok(())
}

pub(super) fn cordon(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    note: &Note,
) -> Result<(), FaultError> {
    apply(
        host,
        object,
        &note.mark,
        &json!({
            "metadata": metadata(note),
            "spec": {"unschedulable": true},
        }),
    )
}

/// Lets it take pods again, if it is us who keep it from that.
pub(super) fn uncordon(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    mark: &Mark,
) -> Result<(), FaultError> {
    match apply(host, object, mark, &json!({"metadata": {}})) {
        // Another node by that name is refused by its UID, and so is one that is not there.
        Err(FaultError::Host(HostError::Refused { why, budget })) => {
            present(host, object)?;
            Err(HostError::Refused { why, budget }.into())
        }
        done => done,
    }
}

pub(super) fn look(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    mark: &Mark,
    expect: Expect,
) -> Result<String, FaultError> {
    let found = present(host, object)?;
    let (words, ours) = (object.words(), is_ours(&found, mark));
    let held = is_cordoned(&found) && owns(&found, &mark.field_owner(), UNSCHEDULABLE);
    match expect {
        Expect::InForce if held => Ok(format!("{words} is cordoned")),
        Expect::InForce if is_cordoned(&found) => {
            Err(FaultError::Unexpected(format!("{words} is cordoned by somebody else now")))
        }
        Expect::InForce => {
            Err(FaultError::Unexpected(format!("{words} takes pods: somebody uncordoned it")))
        }
        Expect::Gone if held || ours => {
            Err(FaultError::Unexpected(format!("{words} still bears what is ours")))
        }
        Expect::Gone if is_cordoned(&found) => {
            Ok(format!("{words} is cordoned by somebody else, and stays so"))
        }
        Expect::Gone => Ok(format!("{words} takes pods again")),
    }
}

fn is_cordoned(found: &Value) -> bool {
    found.pointer("/spec/unschedulable") == Some(&Value::Bool(true))
}

fn apply(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    mark: &Mark,
    wanted: &Value,
) -> Result<(), FaultError> {
    let mut body = wanted.clone();
    body["apiVersion"] = object.resource.api_version().into();
    body["kind"] = object.resource.kind().into();
    body["metadata"]["name"] = object.name.clone().into();
    // Without it, applying to what is gone would make it anew.
    body["metadata"]["uid"] = object.uid.clone().into();
    let request = ApiRequest::new(ApiVerb::Apply, object.path())
        .with("fieldManager", mark.field_owner())
        .body(body);
    host.ask(&object.cluster, &request)?;
    Ok(())
}

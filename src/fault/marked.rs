//! Changes of objects that carry their own undo.
//!
//! Invariant: mark and change go in one request, so that no change of ours is ever without its
//! undo; and what is put back is put back only where it is still ours, in one request as well.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::object::{identity, in_time, is_ending, present};
use super::{FaultError, FaultKind};
use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::host::kube::client::FIELD_MANAGER;
use crate::host::{Host, HostError};
use crate::model::binding::Order;
use crate::model::cluster::{ObjectIdentity, Resource};
use crate::model::mark::{DRILL, Mark, Note, UNDO};

/// After its deadline a drill may still be at its undo, and two machines' clocks differ.
const MARGIN: Duration = Duration::from_mins(1);
/// How often a change is tried when somebody else was quicker each time: both requests are short.
const TRIES: usize = 3;

/// The object as it is before anything happens, and the mark that it will get.
///
/// Errors: it is gone, ends, or carries a mark already: what is on it is undone first.
pub(super) fn unmarked<'o>(
    host: &mut dyn Host,
    order: &'o Order,
) -> Result<(&'o ObjectIdentity, Value, Mark), FaultError> {
    let object = identity(&order.target)?;
    let found = present(host, object)?;
    if is_ending(&found) {
        let why = format!("{} is being deleted, and not by us", object.words());
        return Err(FaultError::Foreign(why));
    }
    if let Some(note) = Note::on(&found) {
        let who = note.map_or("a drill".to_owned(), |note| note.mark.injection.to_string());
        let why = format!(
            "{} is marked by {who} already; wait for its end, or `squall undo --cluster {}`",
            object.words(),
            object.cluster.context
        );
        return Err(FaultError::Foreign(why));
    }
    Ok((object, found, mark(host, order)))
}

/// The mark of an injection that begins now.
pub(super) fn mark(host: &dyn Host, order: &Order) -> Mark {
    let (now, length) = (host.wall(), order.deadline.0.saturating_add(MARGIN));
    // A deadline beyond the calendar never passes; nobody may undo it from elsewhere unforced.
    let until = now.checked_add(length).unwrap_or(jiff::Timestamp::MAX);
    Mark { injection: order.injection.clone(), until }
}

/// The note of that fault about that object.
pub(super) fn note<F: FaultKind>(
    object: &ObjectIdentity,
    mark: &Mark,
    undo: &impl Serialize,
) -> Result<Note, FaultError> {
    let unwritten =
        |e: serde_json::Error| FaultError::Unreadable { kind: F::KIND, why: e.to_string() };
    Ok(Note {
        mark: mark.clone(),
        kind: F::KIND.to_owned(),
        resource: object.resource,
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        uid: object.uid.clone(),
        undo: serde_json::to_value(undo).map_err(unwritten)?,
    })
}

/// What stands in the metadata of a marked object.
pub(super) fn metadata(note: &Note) -> Value {
    let drill = note.mark.injection.drill.as_str();
    // A note is plain values: it can always be written.
    let text = serde_json::to_string(note).unwrap_or_default();
    json!({"labels": {DRILL: drill}, "annotations": {UNDO: text}})
}

/// What takes a mark off, as a merge patch.
pub(super) fn unmark() -> Value {
    json!({"labels": {DRILL: null}, "annotations": {UNDO: null}})
}

/// Does it carry the mark of this injection?
pub(super) fn is_ours(found: &Value, mark: &Mark) -> bool {
    matches!(Note::on(found), Some(Ok(note)) if note.mark.injection == mark.injection)
}

/// Was this field set last by that manager? `path` as in `managedFields`: `/f:spec/f:replicas`.
pub(super) fn owns(found: &Value, manager: &str, path: &str) -> bool {
    let entries = found.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .any(|entry| entry["manager"] == manager && entry["fieldsV1"].pointer(path).is_some())
}

/// As [`owns`], for what is changed by [`change`].
pub(super) fn squall_owns(found: &Value, path: &str) -> bool {
    owns(found, FIELD_MANAGER, path)
}

/// Reads the object, asks what of it to change (a merge patch; None: nothing), and changes it if
/// nobody was quicker; else once more from the start.
///
/// Errors: `Void` when it is gone or was replaced.
pub(super) fn change(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    edit: &dyn Fn(&Value) -> Option<Value>,
) -> Result<(), FaultError> {
    let (began_ns, mut left) = (host.now_ns(), TRIES);
    loop {
        in_time(host, began_ns)?;
        let found = present(host, object)?;
        let Some(mut patch) = edit(&found) else { return Ok(()) };
        patch["metadata"]["uid"] = object.uid.clone().into();
        patch["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"].clone();
        let request = ApiRequest::new(ApiVerb::MergePatch, object.path()).body(patch);
        in_time(host, began_ns)?;
        left -= 1;
        match host.ask(&object.cluster, &request) {
            Err(HostError::Refused { budget: false, .. }) if left > 0 => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// `ReplicaSets` that bear a copy of our note: the controller of a Deployment gives them all of its
/// annotations, and never takes one away.
pub(super) fn copies(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    mark: &Mark,
) -> Result<Vec<ObjectIdentity>, FaultError> {
    if object.resource != Resource::Deployment {
        return Ok(Vec::new());
    }
    let path = Resource::ReplicaSet.path(object.namespace.as_deref());
    let list = match host.ask(&object.cluster, &ApiRequest::get(path)) {
        Err(HostError::Gone(_)) => return Ok(Vec::new()),
        list => list?,
    };
    let items = list["items"].as_array().into_iter().flatten();
    let text = |set: &Value, field: &str| set["metadata"][field].as_str().unwrap_or("").to_owned();
    let copy = |set: &Value| ObjectIdentity {
        resource: Resource::ReplicaSet,
        name: text(set, "name"),
        uid: text(set, "uid"),
        ..object.clone()
    };
    Ok(items.filter(|set| is_ours(set, mark)).map(copy).collect())
}

/// Takes the copies of our note away, within the verb that began then.
pub(super) fn sweep(
    host: &mut dyn Host,
    object: &ObjectIdentity,
    (mark, began_ns): (&Mark, u64),
) -> Result<(), FaultError> {
    in_time(host, began_ns)?;
    for copy in copies(host, object, mark)? {
        in_time(host, began_ns)?;
        let body = json!({"metadata": {"uid": copy.uid, "annotations": {UNDO: null}}});
        let request = ApiRequest::new(ApiVerb::MergePatch, copy.path()).body(body);
        match host.ask(&copy.cluster, &request) {
            Ok(_) | Err(HostError::Gone(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

//! An object that pods read is taken away, and put back as it was.
//!
//! What is gone carries no mark, so its undo lies in a carrier: a Secret of ours in the same
//! namespace, there before the removal and gone after the object is back. A Secret, because what
//! was secret must not become readable.
//!
//! Invariant: the object is deleted only as it was read, by UID and version, so that what is put
//! back is what was there. It gets a new UID: no API can give the old one back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::marked::{metadata, note, unmarked};
use super::object::{identity, in_time, uid};
use super::{Access, Expect, FaultError, FaultKind};
use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::host::network::Took;
use crate::host::{Host, HostError};
use crate::model::binding::Order;
use crate::model::cluster::{ObjectIdentity, Resource};
use crate::model::inventory::Target;
use crate::model::mark::{Mark, Note};

/// Bytes of JSON. Beyond, neither a record of the journal nor a carrier would hold it.
const LARGEST: usize = 700 << 10;
/// What the server says of an object and nobody can set.
const SERVERS_OWN: [&str; 6] =
    ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"];

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub mark: Mark,
    /// The version that was read, and no other is deleted.
    pub version: String,
    /// The object as it was, but for what the server says of it.
    pub content: Value,
}

/// What the user needs for the carrier, beside the object itself.
pub(super) const CARRIER: [Access; 3] = [
    Access::of("get", Resource::Secret),
    Access::of("create", Resource::Secret),
    Access::of("delete", Resource::Secret),
];

pub(super) fn arm(host: &mut dyn Host, order: &Order) -> Result<Undo, FaultError> {
    let (object, found, mark) = unmarked(host, order)?;
    let refused = |why: &str| Err(FaultError::Foreign(format!("{} {why}", object.words())));
    let metadata = &found["metadata"];
    if metadata["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty()) {
        return refused("has finalizers: it would not be gone before others have let it go");
    }
    let version = metadata["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let content = content(&found);
    let size = content.to_string().len();
    if size > LARGEST {
        let limit = LARGEST >> 10;
        return refused(&format!("has {} KiB, more than the {limit} that are kept", size >> 10));
    }
    Ok(Undo { mark, version, content })
}

pub(super) fn inject<F: FaultKind>(
    host: &mut dyn Host,
    order: &Order,
    undo: &Undo,
) -> Result<Took, FaultError> {
    let object = identity(&order.target)?;
    let began_ns = host.now_ns();
    let note = note::<F>(object, &undo.mark, undo)?;
    let secrets = carrier(object, &undo.mark);
    let path = Resource::Secret.path(object.namespace.as_deref());
    host.ask(
        &object.cluster,
        &ApiRequest::new(ApiVerb::Create, path).body(carried(&secrets, &note)),
    )?;
    let conditions = json!({"uid": object.uid, "resourceVersion": undo.version});
    let request =
        ApiRequest::new(ApiVerb::Delete, object.path()).body(json!({"preconditions": conditions}));
    match host.ask(&object.cluster, &request) {
        Ok(_) => Ok(Took { began_ns, effective_ns: host.now_ns() }),
        Err(HostError::Gone(_)) => {
            Err(FaultError::Unexpected(format!("{} went before we removed it", object.words())))
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts it back where there is none, and then takes the carrier away.
pub(super) fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
    let object = identity(target)?;
    let began_ns = host.now_ns();
    let theirs = match now(host, object)? {
        None => {
            put_back(host, object, undo)?;
            None
        }
        Some(found) if uid(&found) == Some(&object.uid) || content(&found) == undo.content => None,
        Some(_) => Some(format!("somebody made {} anew: theirs stays", object.words())),
    };
    in_time(host, began_ns)?;
    let carrier = ApiRequest::new(ApiVerb::Delete, carrier(object, &undo.mark).path());
    match host.ask(&object.cluster, &carrier) {
        Ok(_) | Err(HostError::Gone(_)) => {}
        Err(error) => return Err(error.into()),
    }
    theirs.map_or(Ok(()), |why| Err(FaultError::Void(why)))
}

pub(super) fn verify(
    host: &mut dyn Host,
    target: &Target,
    undo: &Undo,
    expect: Expect,
) -> Result<String, FaultError> {
    let object = identity(target)?;
    let words = object.words();
    let found = now(host, object)?;
    let unexpected = |why: String| Err(FaultError::Unexpected(why));
    match (expect, found) {
        (Expect::InForce, None) => Ok(format!("{words} is gone")),
        (Expect::InForce, Some(found)) if uid(&found) == Some(&object.uid) => {
            unexpected(format!("{words} is still there"))
        }
        (Expect::InForce, Some(_)) => unexpected(format!("somebody made {words} anew")),
        (Expect::Gone, None) => unexpected(format!("{words} is not back")),
        (Expect::Gone, Some(_)) => {
            let carrier = carrier(object, &undo.mark);
            match host.ask(&object.cluster, &ApiRequest::get(carrier.path())) {
                Err(HostError::Gone(_)) => Ok(format!("{words} is there, as it was")),
                Ok(_) => unexpected(format!("{} is still there", carrier.words())),
                Err(error) => Err(error.into()),
            }
        }
    }
}

fn put_back(host: &mut dyn Host, object: &ObjectIdentity, undo: &Undo) -> Result<(), FaultError> {
    let path = object.resource.path(object.namespace.as_deref());
    let request = ApiRequest::new(ApiVerb::Create, path).body(undo.content.clone());
    match host.ask(&object.cluster, &request) {
        Ok(_) => Ok(()),
        Err(HostError::Gone(_)) => Err(without_namespace(object)),
        // What a namespace refuses that is ending would have ended with it.
        Err(error @ HostError::Denied { .. }) if is_ending(host, object) => {
            tracing::debug!(%error, "the namespace is ending");
            Err(without_namespace(object))
        }
        Err(error) => Err(error.into()),
    }
}

fn without_namespace(object: &ObjectIdentity) -> FaultError {
    let namespace = object.namespace.as_deref().unwrap_or_default();
    FaultError::Void(format!("the namespace {namespace} goes, and {} with it", object.words()))
}

/// Is its namespace on its way out?
fn is_ending(host: &mut dyn Host, object: &ObjectIdentity) -> bool {
    let name = object.namespace.as_deref().unwrap_or_default();
    let request = ApiRequest::get(format!("/api/v1/namespaces/{name}"));
    match host.ask(&object.cluster, &request) {
        Ok(found) => super::object::is_ending(&found),
        Err(HostError::Gone(_)) => true,
        Err(_) => false,
    }
}

/// Whoever has the name now.
fn now(host: &mut dyn Host, object: &ObjectIdentity) -> Result<Option<Value>, FaultError> {
    match host.ask(&object.cluster, &ApiRequest::get(object.path())) {
        Ok(found) => Ok(Some(found)),
        Err(HostError::Gone(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn content(found: &Value) -> Value {
    let mut content = found.clone();
    if let Some(metadata) = content["metadata"].as_object_mut() {
        metadata.retain(|field, _| !SERVERS_OWN.contains(&field.as_str()));
    }
    content
}

fn carrier(object: &ObjectIdentity, mark: &Mark) -> ObjectIdentity {
    ObjectIdentity {
        resource: Resource::Secret,
        name: mark.carrier(),
        uid: String::new(),
        ..object.clone()
    }
}

fn carried(carrier: &ObjectIdentity, note: &Note) -> Value {
    // The annotation says whose it is, and the data what to put back.
    let short = Note { undo: Value::Null, ..note.clone() };
    let mut metadata = metadata(&short);
    metadata["name"] = carrier.name.clone().into();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "squall.dev/undo",
        "data": note.carried(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{DrillId, InjectionId};

    #[test]
    fn a_carrier_gives_back_what_it_was_given() {
        let found = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7",
                "creationTimestamp": "x", "managedFields": [], "labels": {"a": "b"},
                "annotations": {"c": "d"}, "ownerReferences": [{"kind": "Thing"}],
            },
            "binaryData": {"x": "AP8="},
        });
        let content = content(&found);
        assert_eq!(
            content["metadata"],
            json!({
                "name": "web", "namespace": "shop", "labels": {"a": "b"},
                "annotations": {"c": "d"}, "ownerReferences": [{"kind": "Thing"}],
            })
        );
        let injection = InjectionId { drill: DrillId::from_bits(7), number: 3 };
        let mark = Mark { injection, until: "2026-01-02T03:04:05Z".parse().unwrap() };
        let undo = json!(Undo { mark: mark.clone(), version: "7".to_owned(), content });
        let note = Note {
            mark: mark.clone(),
            kind: "configMapRemove".to_owned(),
            resource: Resource::ConfigMap,
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
            uid: "u".to_owned(),
            undo,
        };
        let cluster =
            crate::model::cluster::ClusterIdentity { context: "c".to_owned(), uid: "k".to_owned() };
        let secret = carried(&carrier(&note.object(&cluster), &mark), &note);
        assert_eq!(Note::in_carrier(&secret), Some(Ok(note)));
        assert_eq!(secret["metadata"]["labels"]["squall.dev/drill"], "d0000000007");
        assert!(
            !secret["metadata"].to_string().contains("AP8="),
            "the content is in the data only"
        );
        assert_eq!(Note::in_carrier(&json!({"data": {}})), None);
    }
}

//! What drills have left on the objects of a cluster, as the objects themselves say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::things::Thing;
use crate::host::cluster::ApiRequest;
use crate::host::kube::{ApiClient, ApiError};
use crate::model::cluster::Resource;
use crate::model::id::InjectionId;
use crate::model::mark::{DRILL, Note, UNDO};

/// A list comes in pages; this is for one.
const PAGE_WITHIN: Duration = Duration::from_secs(10);
/// What faults mark in place.
const MARKED: [Resource; 3] = [Resource::Node, Resource::Deployment, Resource::StatefulSet];

/// Everything that bears a mark.
#[derive(Debug, Default)]
pub struct Marked {
    pub notes: BTreeMap<InjectionId, Note>,
    /// Notes that cannot be read, with where they are and why.
    pub unreadable: Vec<String>,
    /// What this user may not look at.
    pub unseen: Vec<String>,
}

/// Looks at everything that faults mark. Errors: the server does not answer.
pub async fn marked(client: &ApiClient) -> Result<Marked, ApiError> {
    let mut marked = Marked::default();
    for resource in MARKED {
        let request = ApiRequest::get(resource.path(None)).with("labelSelector", DRILL);
        let things = seen(client.list::<Thing>(&request, PAGE_WITHIN).await, &mut marked)?;
        marked.take(resource, &things);
    }
    // All of them: a Deployment's controller copies its notes to them, and not its labels.
    let request = ApiRequest::get(Resource::ReplicaSet.path(None));
    let sets = seen(client.list::<Thing>(&request, PAGE_WITHIN).await, &mut marked)?;
    marked.take(Resource::ReplicaSet, &sets);
    let request = ApiRequest::get(Resource::Secret.path(None)).with("labelSelector", DRILL);
    let secrets = seen(client.list::<Value>(&request, PAGE_WITHIN).await, &mut marked)?;
    for secret in &secrets {
        let name = || format!("secret {}", text(secret, "/metadata/namespace", "/metadata/name"));
        if let Some(note) = Note::in_carrier(secret) {
            marked.keep(note, name);
        }
    }
    Ok(marked)
}

impl Marked {
    fn take(&mut self, resource: Resource, things: &[Thing]) {
        for thing in things {
            let metadata = &thing.metadata;
            let Some(note) = metadata.annotations.get(UNDO) else { continue };
            let kind = resource.kind().to_lowercase();
            self.keep(Note::read(note), || {
                format!("{kind} {}/{}", metadata.namespace, metadata.name)
            });
        }
    }

    fn keep(&mut self, note: Result<Note, String>, place: impl Fn() -> String) {
        match note {
            Ok(note) => {
                self.notes.insert(note.mark.injection.clone(), note);
            }
            Err(why) => self.unreadable.push(format!("{}: {why}", place())),
        }
    }
}

/// What may not be listed is said, and does not hide the rest.
fn seen<T>(listed: Result<Vec<T>, ApiError>, marked: &mut Marked) -> Result<Vec<T>, ApiError> {
    match listed {
        Err(error @ ApiError::Forbidden { .. }) => {
            marked.unseen.push(error.to_string());
            Ok(Vec::new())
        }
        listed => listed,
    }
}

fn text(object: &Value, one: &str, other: &str) -> String {
    let part = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{}/{}", part(one), part(other))
}

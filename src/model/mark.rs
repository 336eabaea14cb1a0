//! What squall writes on an object of a cluster that it changes, in the same request as the change:
//! whose it is, until when it is meant to stand, and how it is undone.
//!
//! The journal lies on the machine that squall ran on. A mark lies where the harm is, so that
//! `squall undo --cluster` can restore from any machine.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::{ClusterIdentity, ObjectIdentity, Resource};
use super::id::InjectionId;

/// The label of everything that a drill has changed or made; its value is the drill.
pub const DRILL: &str = "squall.dev/drill";
/// The annotation that holds a [`Note`] as JSON.
pub const UNDO: &str = "squall.dev/undo";

/// The key in the data of a carrier.
const CARRIED: &str = "note";

/// Whose change it is, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    pub injection: InjectionId,
    /// By then its own drill has undone it, whatever happened: before that, nobody else does.
    pub until: Timestamp,
}

/// Enough to undo one injection from the object alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    #[serde(flatten)]
    pub mark: Mark,
    /// The fault.
    pub kind: String,
    pub resource: Resource,
    #[serde(default)]
    pub namespace: Option<String>,
    pub name: String,
    pub uid: String,
    /// The fault's own recipe, as the journal has it.
    pub undo: Value,
}

impl Mark {
    /// Who owns what this injection applies. Its own name: nobody else's fields are ever touched,
    /// and two injections on one field are a conflict.
    #[must_use]
    pub fn field_owner(&self) -> String {
        format!("squall-{}", self.injection)
    }

    /// The object that carries a note where the changed one cannot.
    #[must_use]
    pub fn carrier(&self) -> String {
        format!("squall-undo-{}", self.injection)
    }
}

impl Note {
    /// The note on an object. None: there is none. Errors: it cannot be read.
    #[must_use]
    pub fn on(object: &Value) -> Option<Result<Note, String>> {
        let text = object.pointer("/metadata/annotations")?.get(UNDO)?.as_str()?;
        Some(Note::read(text))
    }

    /// The text of the annotation.
    pub fn read(text: &str) -> Result<Note, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The data of a Secret that carries it.
    #[must_use]
    pub fn carried(&self) -> Value {
        // A note is plain values: it can always be written.
        json!({CARRIED: BASE64.encode(serde_json::to_vec(self).unwrap_or_default())})
    }

    /// The note that a Secret carries. None: it carries none. Errors: it cannot be read.
    #[must_use]
    pub fn in_carrier(secret: &Value) -> Option<Result<Note, String>> {
        let text = secret.pointer("/data")?.get(CARRIED)?.as_str()?;
        let note = BASE64.decode(text).map_err(|error| error.to_string());
        Some(note.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string())))
    }

    /// The object that it is about, in that cluster.
    #[must_use]
    pub fn object(&self, cluster: &ClusterIdentity) -> ObjectIdentity {
        ObjectIdentity {
            cluster: cluster.clone(),
            resource: self.resource,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::id::DrillId;

    #[test]
    fn a_note_reads_back_from_its_object_and_names_nothing_that_the_server_refuses() {
        let injection = InjectionId { drill: DrillId::from_bits(7), number: 3 };
        let mark = Mark { injection, until: "2026-01-02T03:04:05Z".parse().unwrap() };
        let note = Note {
            mark: mark.clone(),
            kind: "scale".to_owned(),
            resource: Resource::Deployment,
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
            uid: "u".to_owned(),
            undo: json!({"former": 3}),
        };
        let text = serde_json::to_string(&note).unwrap();
        let object = json!({"metadata": {"annotations": {UNDO: text}}});
        assert_eq!(Note::on(&object), Some(Ok(note)));
        assert_eq!(Note::on(&json!({"metadata": {}})), None);
        let broken = json!({"metadata": {"annotations": {UNDO: "{}"}}});
        assert!(matches!(Note::on(&broken), Some(Err(_))));
        // Names of objects are lower-case letters, digits, `-` and `.`.
        assert_eq!(mark.carrier(), "squall-undo-d0000000007.3");
    }
}

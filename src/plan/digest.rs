//! SHA-256 over canonical JSON: what a plan is, and what people approve of it.
//!
//! Canonical: keys in order, no spaces, numbers as the shortest text that reads back. A path is
//! never part of a digest, since the same files lie elsewhere on another machine.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::model::cluster::ClusterIdentity;
use crate::model::plan::Plan;

/// The digest of a text or of a file's bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The digest of everything in the plan but itself and the paths of files.
pub fn of_plan(plan: &Plan) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(plan)?;
    forget(&mut value, "", "digest");
    forget(&mut value, "/source", "path");
    forget(&mut value, "/lab", "path");
    for index in 0..plan.clusters.len() {
        forget(&mut value, &format!("/clusters/{index}"), "kubeconfig");
        forget(&mut value, &format!("/clusters/{index}"), "ready");
    }
    Ok(sha256(canonical(&value).as_bytes()))
}

/// Is the plan what its digest says? False for one that was edited.
#[must_use]
pub fn holds(plan: &Plan) -> bool {
    of_plan(plan).is_ok_and(|digest| digest == plan.digest)
}

/// The digest of what people approve: the experiment's text, the experiment as its templates were
/// filled, the lab's text, the policies, and the ceiling of the blast radius. Not what was found:
/// neither the candidates, nor how many of them there are. An approval outlives the coming and
/// going of instances, and guards count what is left at each admission.
///
/// The filled experiment is in it because a template's value is no part of the text: the same file
/// hits another target where `{{env.ROLE}}` is another one.
pub fn of_intent(plan: &Plan) -> Result<String, serde_json::Error> {
    let ceiling = &plan.blast_radius;
    let services: serde_json::Map<String, Value> =
        ceiling.services.iter().map(|(name, (hit, _))| (name.clone(), (*hit).into())).collect();
    let mut intent = serde_json::json!({
        "text": plan.source.sha256,
        "experiment": serde_json::to_value(&plan.experiment)?,
        "lab": plan.lab.as_ref().map(|lab| &lab.sha256),
        "policies": plan.policies,
        "ceiling": {
            "instances": ceiling.instances,
            "hosts": ceiling.hosts,
            "services": services,
            "longestHold": ceiling.longest_hold.to_string(),
            "longestDrill": ceiling.longest_drill.to_string(),
        },
    });
    for (key, number) in [("zones", ceiling.zones), ("objects", ceiling.objects)] {
        if number > 0 {
            intent["ceiling"][key] = number.into();
        }
    }
    if !plan.clusters.is_empty() {
        let clusters: Vec<&ClusterIdentity> = plan.clusters.iter().map(|c| &c.cluster).collect();
        intent["clusters"] = serde_json::to_value(clusters)?;
    }
    Ok(sha256(canonical(&intent).as_bytes()))
}

fn forget(value: &mut Value, parent: &str, key: &str) {
    if let Some(Value::Object(map)) = value.pointer_mut(parent) {
        map.remove(key);
    }
}

/// Writes keys in order, whatever order a library keeps them in.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let pairs: Vec<String> = pairs
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_knows_one_order() {
        let a: Value =
            serde_json::from_str(r#"{"b": [1, {"d": 2.50, "c": "é\n"}], "a": null}"#).unwrap();
        assert_eq!(canonical(&a), r#"{"a":null,"b":[1,{"c":"é\n","d":2.5}]}"#);
    }

    #[test]
    fn the_digest_is_the_standards() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}

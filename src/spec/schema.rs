//! The JSON schema of all documents, for editors and for other tools.
//!
//! It is derived from the types that are read. What only the catalogues know (what a kind is for,
//! how it is written) and what the reader demands beyond the types (names, exactly one kind) is
//! written into it here.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::blast::BlastDocument;
use super::document::{API_VERSION, Envelope, ExperimentDocument, PolicyDocument};
use super::name::PATTERN;
use crate::model::lab::LabSpec;
use crate::{fault, guard, judge, probe};

/// What a catalogue says of one of its entries.
pub(super) struct Kind {
    pub name: &'static str,
    pub summary: &'static str,
    pub example: &'static str,
}

/// The texts that `{{env.NAME}}` and `{{lab.NAME}}` may take the place of.
const TEMPLATE: &str = r"^\s*\{\{[^{}]+\}\}\s*$";

/// Draft 2020-12; a document's kind decides which part of it holds.
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let documents = [
        document::<ExperimentDocument>("Experiment", &mut generator),
        document::<LabSpec>("Lab", &mut generator),
        document::<PolicyDocument>("Policy", &mut generator),
        document::<BlastDocument>("BlastMap", &mut generator),
    ];
    let mut defs: Map<String, Value> = generator.take_definitions(true).into_iter().collect();
    defs.extend(documents);
    for (holder, kinds) in catalogues() {
        describe(&mut defs, holder, &kinds);
    }
    demand(&mut defs);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "squall",
        "description": "A document of squall: an Experiment, a Lab, a Policy or a BlastMap.",
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"enum": ["Experiment", "Lab", "Policy", "BlastMap"]}
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "oneOf": [
            {"$ref": "#/$defs/Experiment"},
            {"$ref": "#/$defs/Lab"},
            {"$ref": "#/$defs/Policy"},
            {"$ref": "#/$defs/BlastMap"}
        ],
        "$defs": defs
    });
    for (old, new) in names_of_params(&schema) {
        rename(&mut schema, &old, &new);
    }
    schema
}

/// The schema of `report.json`.
#[must_use]
pub fn report_schema() -> Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<crate::model::verdict::Report>()
        .to_value()
}

/// Each catalogue's entries under the name of the type that they are choices of.
pub(super) fn catalogues() -> [(&'static str, Vec<Kind>); 4] {
    macro_rules! kinds {
        ($catalogue:expr) => {
            $catalogue
                .iter()
                .map(|e| Kind { name: e.kind(), summary: e.summary(), example: e.example() })
                .collect()
        };
    }
    [
        ("FaultParams", kinds!(fault::CATALOGUE)),
        ("ProbeDocument", kinds!(probe::CATALOGUE)),
        ("CheckParams", kinds!(judge::CATALOGUE)),
        ("RuleParams", kinds!(guard::CATALOGUE)),
    ]
}

fn document<S: JsonSchema>(kind: &str, generator: &mut SchemaGenerator) -> (String, Value) {
    let spec = generator.subschema_for::<S>().to_value();
    // The envelope differs only in its kind and its spec.
    let mut envelope = <Envelope<S> as JsonSchema>::json_schema(generator).to_value();
    envelope["title"] = json!(kind);
    envelope["properties"]["kind"] = json!({"const": kind});
    envelope["properties"]["apiVersion"] = json!({"const": API_VERSION});
    envelope["properties"]["spec"] = spec;
    (kind.to_owned(), envelope)
}

/// Writes what a catalogue says of a kind beside the place where the kind is chosen.
fn describe(defs: &mut Map<String, Value>, holder: &str, kinds: &[Kind]) {
    let Some(holder) = defs.get_mut(holder) else { return };
    for kind in kinds {
        let told = format!("{}.\n\n{}", kind.summary, kind.example);
        if let Some(property) = holder.get_mut("properties").and_then(|p| p.get_mut(kind.name)) {
            property["description"] = json!(told);
        }
        let choices = holder.get_mut("oneOf").and_then(Value::as_array_mut);
        for choice in choices.into_iter().flatten() {
            if choice["properties"].get(kind.name).is_some() {
                choice["description"] = json!(kind.summary);
                choice["properties"][kind.name]["description"] = json!(told);
            }
        }
    }
}

/// What the reader demands beyond the types.
fn demand(defs: &mut Map<String, Value>) {
    let name = json!({"type": "string", "pattern": PATTERN});
    let mut set = |def: &str, path: &[&str], key: &str, value: Value| {
        let found = defs
            .get_mut(def)
            .and_then(|def| path.iter().try_fold(def, |at, step| at.get_mut(*step)));
        if let Some(Value::Object(found)) = found {
            found.insert(key.to_owned(), value);
        }
    };
    set("Metadata", &["properties", "name"], "pattern", json!(PATTERN));
    for (def, property) in [
        ("ExperimentDocument", "targets"),
        ("ExperimentDocument", "probes"),
        ("LabSpec", "services"),
        ("BlastDocument", "journeys"),
        ("BlastDocument", "services"),
    ] {
        set(def, &["properties", property], "propertyNames", name.clone());
    }
    set("ExperimentDocument", &["properties", "hypothesis"], "minItems", json!(1));
    set("ExperimentDocument", &[], "required", json!(["title", "hypothesis"]));
    for property in ["journeys", "services"] {
        set("BlastDocument", &["properties", property], "minProperties", json!(1));
    }
    let selectors = ["lab", "pods", "nodes", "workload", "object"];
    let selectors = selectors.map(|key| json!({"required": [key]}));
    set("TargetDocument", &[], "oneOf", json!(selectors));
    set("LabSpec", &[], "anyOf", json!([{"required": ["services"]}, {"required": ["kubernetes"]}]));
    set("KubernetesSpec", &["properties", "nodes"], "minItems", json!(1));
    set("KubernetesSpec", &["properties", "images"], "minItems", json!(1));
    set("Service", &["properties", "hosts"], "minItems", json!(1));
    set("Service", &["properties", "command"], "minItems", json!(1));
    let one = |kind: &Kind| json!({"required": [kind.name]});
    let probes: Vec<Value> = catalogues()[1].1.iter().map(one).collect();
    set("ProbeDocument", &[], "oneOf", json!(probes));
    for text in ["Duration", "Percent", "Rate", "Pick"] {
        if let Some(def) = defs.get_mut(text) {
            *def = json!({
                "description": def["description"],
                "anyOf": [def.clone(), {"type": "string", "pattern": TEMPLATE}]
            });
        }
    }
}

/// Each entry's parameters are a type called `Params`: they get the name of their kind.
fn names_of_params(schema: &Value) -> Vec<(String, String)> {
    let mut names = Vec::new();
    for (holder, kinds) in catalogues() {
        let holder = &schema["$defs"][holder];
        let choices = holder["oneOf"].as_array().into_iter().flatten();
        let places: Vec<&Value> =
            choices.chain([holder]).map(|choice| &choice["properties"]).collect();
        for kind in kinds {
            let found = places.iter().find_map(|properties| reference_in(&properties[kind.name]));
            if let Some(old) = found.filter(|old| old.starts_with("Params")) {
                names.push((old.to_owned(), kind.name.to_owned()));
            }
        }
    }
    names
}

/// The definition that a property refers to, directly or as one that may be null.
pub(super) fn reference_in(property: &Value) -> Option<&str> {
    let own = property.get("$ref").and_then(Value::as_str);
    let inner = || property.get("anyOf")?.as_array()?.iter().find_map(|one| one["$ref"].as_str());
    own.or_else(inner)?.strip_prefix("#/$defs/")
}

fn rename(schema: &mut Value, old: &str, new: &str) {
    if let Some(defs) = schema.get_mut("$defs").and_then(Value::as_object_mut)
        && !defs.contains_key(new)
        && let Some(def) = defs.remove(old)
    {
        defs.insert(new.to_owned(), def);
        replace(schema, &format!("#/$defs/{old}"), &format!("#/$defs/{new}"));
    }
}

fn replace(value: &mut Value, old: &str, new: &str) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if key == "$ref" && inner == old {
                    *inner = json!(new);
                }
                replace(inner, old, new);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, old, new)),
        _ => {}
    }
}

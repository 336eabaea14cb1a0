//! A type of the schema as tables: one for it, one for each mapping that it refers to.

use std::fmt::Write as _;

use serde_json::Value;

use crate::spec::schema::reference_in;

/// Definitions that have a page of their own.
const PAGES: [(&str, &str); 4] = [
    ("FaultParams", "[a fault](faults.md)"),
    ("ProbeDocument", "[a probe](probes.md)"),
    ("CheckParams", "[a check](checks.md)"),
    ("RuleParams", "[a rule](#rules)"),
];

/// The tables of a definition and of all that it leads to, with headings of a level.
pub fn sections(schema: &Value, definition: &str, level: usize) -> String {
    let mut seen = vec![definition.to_owned()];
    let mut text = String::new();
    let mut next = 0;
    while let Some(name) = seen.get(next).cloned() {
        let found = &schema["$defs"][&name];
        text.push_str(&section(schema, &name, found, level));
        collect(schema, found, &mut seen);
        next += 1;
    }
    text
}

/// The same for the schema's root.
pub fn root(schema: &Value, name: &str, level: usize) -> String {
    let mut text = section(schema, name, schema, level);
    let mut seen = vec![name.to_owned()];
    collect(schema, schema, &mut seen);
    let mut next = 1;
    while let Some(name) = seen.get(next).cloned() {
        let found = &schema["$defs"][&name];
        text.push_str(&section(schema, &name, found, level));
        collect(schema, found, &mut seen);
        next += 1;
    }
    text
}

/// What a kind takes: its own table without a heading, then those of its parts.
pub fn parameters(schema: &Value, definition: &str, level: usize) -> String {
    let found = &schema["$defs"][definition];
    let mut text = table(schema, found);
    let mut seen = vec![definition.to_owned()];
    collect(schema, found, &mut seen);
    let mut next = 1;
    while let Some(name) = seen.get(next).cloned() {
        let found = &schema["$defs"][&name];
        text.push_str(&section(schema, &name, found, level));
        collect(schema, found, &mut seen);
        next += 1;
    }
    text
}

fn section(schema: &Value, name: &str, found: &Value, level: usize) -> String {
    let heading = "#".repeat(level);
    let told = found["description"].as_str().unwrap_or_default();
    let told = if told.is_empty() { String::new() } else { format!("{told}\n\n") };
    format!("{heading} {}\n\n{told}{}", shown(name), table(schema, found))
}

/// `LabSpec` and `ExperimentDocument` are our words; readers know them as `spec`.
fn shown(name: &str) -> &str {
    match name {
        "ExperimentDocument" | "LabSpec" | "PolicyDocument" | "BlastDocument" => "spec",
        "TargetDocument" => "Target",
        "StepDocument" => "Step",
        other => other,
    }
}

/// Definitions with rows of their own that this one refers to.
fn collect(schema: &Value, value: &Value, seen: &mut Vec<String>) {
    if let Some(name) = value.get("$ref").and_then(Value::as_str)
        && let Some(name) = name.strip_prefix("#/$defs/")
        && !seen.iter().any(|known| known == name)
        && !PAGES.iter().any(|(page, _)| *page == name)
        && has_rows(&schema["$defs"][name])
    {
        seen.push(name.to_owned());
    }
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "$defs")
            .for_each(|(_, inner)| collect(schema, inner, seen)),
        Value::Array(items) => items.iter().for_each(|item| collect(schema, item, seen)),
        _ => {}
    }
}

fn has_rows(found: &Value) -> bool {
    found.get("properties").is_some()
        || choices(found).any(|choice| choice["properties"].is_object())
}

fn choices(found: &Value) -> impl Iterator<Item = &Value> {
    found["oneOf"].as_array().into_iter().flatten()
}

/// Rows in the order of what is needed first, then by name.
fn table(schema: &Value, found: &Value) -> String {
    let mut text = "| key | type | default | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    let Some(properties) = found["properties"].as_object() else {
        for choice in choices(found) {
            let told = choice["description"].as_str().unwrap_or_default();
            row(&mut text, &[&form(schema, choice), "a choice", "", told]);
        }
        return text + "\n";
    };
    if properties.is_empty() {
        return "It takes no parameters.\n\n".to_owned();
    }
    let required = |key: &str| {
        found["required"].as_array().is_some_and(|keys| keys.iter().any(|known| known == key))
    };
    let mut keys: Vec<&String> = properties.keys().collect();
    keys.sort_by_key(|key| (!required(key), key.as_str()));
    for key in keys {
        let property = &properties[key.as_str()];
        let default = match property.get("default") {
            _ if required(key) => "required".to_owned(),
            None | Some(Value::Null) => "none".to_owned(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
        };
        let told = property["description"].as_str().unwrap_or_else(|| meaning(schema, property));
        row(&mut text, &[&format!("`{key}`"), &type_of(schema, property), &default, told]);
    }
    text + "\n"
}

/// Without words of its own a key means what its type means.
fn meaning<'s>(schema: &'s Value, property: &Value) -> &'s str {
    reference_in(property)
        .and_then(|name| schema["$defs"][name]["description"].as_str())
        .unwrap_or_default()
}

fn row(text: &mut String, cells: &[&str; 4]) {
    let cell = |cell: &str| cell.replace("\n\n", " ").replace('\n', " ").replace('|', "\\|");
    let [a, b, c, d] = cells.map(cell);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {a} | {b} | {c} | {d} |");
}

/// A choice as it is written.
fn form(schema: &Value, choice: &Value) -> String {
    match (&choice["const"], choice["properties"].as_object().and_then(|p| p.iter().next())) {
        (Value::String(word), _) => format!("`{word}`"),
        (_, Some((key, inner))) if inner["properties"].is_object() => {
            let keys = inner["properties"].as_object().into_iter().flatten();
            let keys: Vec<String> =
                keys.map(|(key, value)| format!("{key}: {}", type_of(schema, value))).collect();
            format!("`{key}: {{{}}}`", keys.join(", "))
        }
        (_, Some((key, inner))) => format!("`{key}:` {}", type_of(schema, inner)),
        _ => type_of(schema, choice),
    }
}

/// A type in the words of the page.
fn type_of(schema: &Value, property: &Value) -> String {
    if let Some(name) = reference_in(property) {
        return named(schema, name);
    }
    if let Some(words) = property["enum"].as_array() {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(quoted).collect();
        return words.join(", ");
    }
    if let Some(word) = property["const"].as_str() {
        return quoted(word);
    }
    let named = &property["type"];
    let words = named.as_array().into_iter().flatten().chain([named]).filter_map(Value::as_str);
    let words: Vec<&str> = words.filter(|word| *word != "null").collect();
    match words.join(" or ").as_str() {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "number" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" if property["items"].is_object() => {
            format!("list of {}", type_of(schema, &property["items"]))
        }
        "array" => "list".to_owned(),
        "object" if property["additionalProperties"].is_object() => {
            format!("mapping of names to {}", type_of(schema, &property["additionalProperties"]))
        }
        "object" => "mapping".to_owned(),
        _ => "value".to_owned(),
    }
}

fn quoted(word: &str) -> String {
    format!("`{word}`")
}

fn named(schema: &Value, name: &str) -> String {
    if let Some((_, link)) = PAGES.iter().find(|(page, _)| *page == name) {
        return (*link).to_owned();
    }
    match name {
        "Duration" => return "duration".to_owned(),
        "Percent" => return "percentage".to_owned(),
        "Rate" => return "rate".to_owned(),
        "Pick" => return "pick".to_owned(),
        _ => {}
    }
    let found = &schema["$defs"][name];
    if has_rows(found) {
        return format!("[{}](#{})", shown(name), shown(name).to_lowercase());
    }
    if found["oneOf"].is_array() {
        let words: Vec<String> = choices(found).map(|choice| type_of(schema, choice)).collect();
        return words.join(", ");
    }
    type_of(schema, found)
}

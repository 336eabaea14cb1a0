//! `report.json` and its schema.

use serde_json::Value;

use super::RenderError;
use crate::model::verdict::Report;

/// The report as JSON: indented, keys in the order of the type, a line end at the end.
///
/// # Errors
/// A report that JSON cannot hold.
pub fn render(report: &Report) -> Result<String, RenderError> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

/// The JSON schema of `report.json`, from the same type.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".to_owned(), Value::from("squall report"));
    schema.to_value()
}

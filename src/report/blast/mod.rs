//! The faces of a blast map: text, JSON, Markdown, a drawing, and a page around it.
//!
//! As the faces of a verdict they are pure functions of a value, and never judge. What is red in
//! one of them is a word in all of them.

pub mod html;
pub mod markdown;
pub mod sentence;
pub mod svg;
pub mod text;

use super::RenderError;
use crate::model::blast::BlastReport;

/// `blast.json`: indented, a line end at the end.
///
/// # Errors
/// A map that JSON cannot hold.
pub fn json(report: &BlastReport) -> Result<String, RenderError> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

#[cfg(test)]
mod tests;

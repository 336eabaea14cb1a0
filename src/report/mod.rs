//! The faces of a verdict: text, JSON, `JUnit`, Markdown, HTML, and the lines of a drill under
//! way.
//!
//! Every face is a pure function of [`Report`](crate::model::verdict::Report): no clock, no file,
//! no network, so the same report always gives the same bytes. A face never judges; it shows a
//! figure with its resolution, and what could not be measured as exactly that.

pub mod blast;
pub mod figure;
pub mod html;
pub mod inline;
pub mod json;
pub mod junit;
pub mod live;
pub mod markdown;
pub mod sentence;
pub mod stages;
pub mod svg;
pub mod text;
pub mod timeline;

use thiserror::Error;

/// A face that could not be written; the report itself is at fault, not its reader.
#[derive(Debug, Error)]
pub enum RenderError {
    #[error("write the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("write the report as JUnit: {0}")]
    Junit(#[from] quick_junit::SerializeError),
}

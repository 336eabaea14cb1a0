//! The drawings of the HTML report: our own small SVG builder.
//!
//! Shapes say what colours say: a bad stretch is high as well as red, so that paper and eyes that
//! see no red lose nothing. Coordinates are in user units of a drawing 960 wide.

pub mod cell;
pub mod labels;
pub mod lanes;
pub mod pen;
pub mod scale;
pub mod timeline;

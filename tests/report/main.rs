//! The faces of a verdict, drawn from samples.
#![expect(clippy::unwrap_used, reason = "a test ends by panic")]
#![expect(clippy::assigning_clones, reason = "samples say what they are, not how fast")]

mod drawing;
mod html;
mod lists;
mod live;
mod replay;
mod sample;
mod text;
mod tree;

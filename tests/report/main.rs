//! The faces of a verdict, drawn from samples.

mod html;
mod lists;
mod live;
mod sample;
mod text;

//! The faces of a verdict, drawn from samples.

mod html;
mod live;
mod lists;
mod sample;
mod text;

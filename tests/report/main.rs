//! The faces of a verdict, drawn from samples.

mod drawing;
mod html;
mod lists;
mod live;
mod sample;
mod text;
mod tree;

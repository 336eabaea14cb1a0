//! The reference pages, written from the catalogues and the types: what is read is what is told.
//!
//! `make reference` writes them to `docs/reference/`; a test compares what is committed with what
//! these functions say.

mod kinds;
mod pages;
mod table;

pub use pages::{kind, pages};

use pages::NOTICE;

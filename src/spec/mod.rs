//! From YAML to values, with every mistake found in one run.
//!
//! A document is read once into a tree that knows where everything stands (`read`, `tree`). Its
//! types are decoded from the tree as often as it takes to find every mistake (`decode`, `repair`),
//! and what types cannot say is checked on top (`experiment`, `lab`, `policy`). Only this folder
//! opens documents; it acts on nothing.

mod access;
mod blast;
mod decode;
mod document;
mod experiment;
mod filling;
mod finding;
mod kubernetes;
mod lab;
mod load;
mod mistake;
mod name;
mod programs;
mod raw;
mod read;
mod reference;
mod render;
mod repair;
mod schema;
mod sheet;
mod source;
mod suggest;
mod template;
mod tree;

pub use blast::{DeclaredMap, WrittenOut};
pub use document::API_VERSION;
pub use experiment::Declared;
pub use finding::{Code, Finding, Findings, Severity};
pub use load::{
    AnyDocument, Loaded, Surroundings, any, blast_map, blast_map_from_text, experiment,
    experiment_from_text, lab, lab_from_text, policy, policy_from_text,
};
pub use name::is_name;
pub use programs::missing_programs;
pub use reference::{kind, pages};
pub use render::{Look, render};
pub use schema::{report_schema, schema};
pub use source::SIZE_MAX;
pub use suggest::{nearest, remedy};

use load::lab_file;

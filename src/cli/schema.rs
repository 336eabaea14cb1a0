//! `squall schema`: the JSON schema of documents and of reports.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::failure::Failure;
use crate::model::outcome::ExitCode;
use crate::spec::{report_schema, schema};

#[derive(Debug, Args)]
pub struct Schema {
    /// One kind of document, or the report; all documents unless told.
    pub of: Option<Of>,
}

/// Which schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Of {
    Experiment,
    Lab,
    Policy,
    Report,
}

pub fn run(args: &Schema, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let shown = match args.of {
        None => schema(),
        Some(Of::Report) => report_schema(),
        Some(Of::Experiment) => only("Experiment"),
        Some(Of::Lab) => only("Lab"),
        Some(Of::Policy) => only("Policy"),
    };
    serde_json::to_writer_pretty(&mut *out, &shown).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(ExitCode::Held)
}

/// The part for one kind of document; definitions of others do no harm.
fn only(kind: &str) -> Value {
    let all = schema();
    json!({
        "$schema": all["$schema"],
        "title": kind,
        "$ref": format!("#/$defs/{kind}"),
        "$defs": all["$defs"],
    })
}

//! `squall faults`, `squall probes`, `squall checks`: what there is, and what each kind takes.

use std::io::Write;

use clap::Args;

use super::failure::Failure;
use crate::model::outcome::ExitCode;
use crate::spec::{kind, remedy};
use crate::{fault, judge, probe};

#[derive(Debug, Args)]
pub struct Catalogue {
    /// One kind, with everything that it takes.
    pub kind: Option<String>,
}

/// Which of the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Faults,
    Probes,
    Checks,
}

/// Errors: there is no such kind.
pub fn run(which: Which, args: &Catalogue, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let rows = rows(which);
    let Some(wanted) = &args.kind else {
        let width = rows.iter().map(|(kind, _)| kind.len()).max().unwrap_or_default();
        for (kind, summary) in &rows {
            writeln!(out, "{kind:width$}  {summary}")?;
        }
        return Ok(ExitCode::Held);
    };
    if rows.iter().any(|(kind, _)| kind == wanted)
        && let Some(section) = kind(wanted)
    {
        out.write_all(section.as_bytes())?;
        return Ok(ExitCode::Held);
    }
    let known: Vec<&str> = rows.iter().map(|(kind, _)| *kind).collect();
    let help = remedy(wanted, &known);
    Err(Failure::usage(format!("there is no {} `{wanted}`; {help}", word(which))))
}

fn word(which: Which) -> &'static str {
    match which {
        Which::Faults => "fault",
        Which::Probes => "probe",
        Which::Checks => "check",
    }
}

/// Kind and summary of every entry.
fn rows(which: Which) -> Vec<(&'static str, &'static str)> {
    match which {
        Which::Faults => fault::CATALOGUE.iter().map(|f| (f.kind(), f.summary())).collect(),
        Which::Probes => probe::CATALOGUE.iter().map(|p| (p.kind(), p.summary())).collect(),
        Which::Checks => judge::CATALOGUE.iter().map(|c| (c.kind(), c.summary())).collect(),
    }
}

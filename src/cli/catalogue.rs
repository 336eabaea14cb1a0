//! `squall faults`, `squall probes`, `squall checks`: what there is, and what each kind takes.

use std::io::{self, Write};

use clap::Args;

use crate::spec::{kind, remedy};
use crate::{fault, judge, probe};

/// Exit code for a kind that does not exist.
const USAGE: u8 = 2;

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

/// Errors: the output is gone.
pub fn run(which: Which, args: &Catalogue, out: &mut dyn Write) -> io::Result<u8> {
    let rows = rows(which);
    let Some(wanted) = &args.kind else {
        let width = rows.iter().map(|(kind, ..)| kind.len()).max().unwrap_or_default();
        for (kind, summary, note) in &rows {
            writeln!(out, "{kind:width$}  {summary}{note}")?;
        }
        return Ok(0);
    };
    if rows.iter().any(|(kind, ..)| kind == wanted)
        && let Some(section) = kind(wanted)
    {
        out.write_all(section.as_bytes())?;
        return Ok(0);
    }
    let known: Vec<&str> = rows.iter().map(|(kind, ..)| *kind).collect();
    writeln!(out, "there is no {} `{wanted}`; {}", word(which), remedy(wanted, &known))?;
    Ok(USAGE)
}

fn word(which: Which) -> &'static str {
    match which {
        Which::Faults => "fault",
        Which::Probes => "probe",
        Which::Checks => "check",
    }
}

/// Kind, summary, and what is worth a note in the table.
fn rows(which: Which) -> Vec<(&'static str, &'static str, &'static str)> {
    match which {
        Which::Faults => fault::CATALOGUE.iter().map(|f| (f.kind(), f.summary(), "")).collect(),
        Which::Probes => probe::CATALOGUE.iter().map(|p| (p.kind(), p.summary(), "")).collect(),
        Which::Checks => judge::CATALOGUE
            .iter()
            .map(|c| (c.kind(), c.summary(), if c.stops() { " (a stop condition)" } else { "" }))
            .collect(),
    }
}

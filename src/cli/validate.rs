//! `squall validate`: every mistake of every file, at once. It starts nothing.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use crate::lab::cluster;
use crate::model::lab::LabSpec;
use crate::model::outcome::ExitCode;
use crate::spec::{
    AnyDocument, Finding, Findings, Loaded, Look, Surroundings, any, missing_programs, render,
};

#[derive(Debug, Args)]
pub struct Validate {
    /// Experiments, labs, policies and blast maps.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Check experiments against this lab in place of the one that they name.
    #[arg(long, value_name = "FILE")]
    pub lab: Option<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
}

/// What is said of all files, as JSON.
#[derive(Debug, Serialize)]
struct Told {
    valid: bool,
    files: Vec<String>,
    findings: Vec<Finding>,
}

/// Exit code 0, with or without warnings; 2 with an error in any file.
pub fn run(args: &Validate, look: Look, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let surroundings = Surroundings { lab: args.lab.as_deref(), env: &env };
    let mut told = Told { valid: true, files: Vec::new(), findings: Vec::new() };
    for path in &args.files {
        told.files.push(path.display().to_string());
        match any(path, &surroundings) {
            Ok(document) => {
                let mut warnings = document.warnings();
                warnings.extend(missing(&document));
                if !args.json {
                    writeln!(out, "{}: {}", path.display(), title(&document))?;
                    show(&warnings, look, out)?;
                }
                told.findings.extend(warnings);
            }
            Err(Findings(findings)) => {
                told.valid = false;
                if !args.json {
                    show(&findings, look, out)?;
                }
                told.findings.extend(findings);
            }
        }
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &told).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    Ok(if told.valid { ExitCode::Held } else { ExitCode::Usage })
}

/// Programs that a lab wants and this machine does not have.
fn missing(document: &AnyDocument) -> Vec<Finding> {
    let of = |lab: &Loaded<LabSpec>| {
        let folders = lab.value.kubernetes.as_ref().map_or(&[][..], |k| &k.programs);
        missing_programs(lab, &|name| cluster::search(folders, name).is_some())
    };
    match document {
        AnyDocument::Experiment(loaded) => loaded.value.lab.as_ref().map(of).unwrap_or_default(),
        AnyDocument::Lab(loaded) => of(loaded),
        AnyDocument::Policy(_) => Vec::new(),
        AnyDocument::BlastMap(loaded) => loaded.value.lab.as_ref().map(of).unwrap_or_default(),
    }
}

fn show(findings: &[Finding], look: Look, out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    out.write_all(render(findings, look).as_bytes())
}

fn title(document: &AnyDocument) -> String {
    match document {
        AnyDocument::Experiment(loaded) => format!("experiment {} can be run", loaded.name),
        AnyDocument::Lab(loaded) => format!("lab {} can be started", loaded.name),
        AnyDocument::Policy(loaded) => format!("policy {} can be applied", loaded.name),
        AnyDocument::BlastMap(loaded) => format!("blast map {} can be drawn", loaded.name),
    }
}

//! `squall judge`: the verdict of a kept history, again. The same history gives the same verdict.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::judge::judge;
use crate::model::history::{Entry, Record};
use crate::model::outcome::ExitCode;
use crate::model::verdict::Report;
use crate::plan;
use crate::report;

use super::failure::Failure;
use super::output::read_history;
use super::screen;

/// Arguments of `squall judge`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The folder that `squall run --out` wrote.
    pub folder: PathBuf,
}

/// Exit code: the verdict's.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let report = judge_folder(&args.folder)?;
    let text = report::text::render(&report, &screen::style(), &[]);
    out.write_all(text.as_bytes())?;
    Ok(report.verdict.exit_code())
}

/// Reads and judges.
pub fn judge_folder(folder: &Path) -> Result<Report, Failure> {
    judge_records(&read_history(folder)?)
}

/// Judges what was observed; the plan is drawn into the report as a person reads it.
pub fn judge_records(records: &[Record]) -> Result<Report, Failure> {
    let plan = records.iter().find_map(|r| match &r.entry {
        Entry::Opened(opened) => Some(plan::render::text(&opened.plan, plan::Style::Plain)),
        _ => None,
    });
    judge(records, &plan.unwrap_or_default()).map_err(|e| Failure::usage(e.to_string()))
}

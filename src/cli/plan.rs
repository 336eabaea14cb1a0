//! `squall plan`: what would happen. It changes nothing.

use std::io::Write;
use std::path::PathBuf;

use crate::model::outcome::ExitCode;
use crate::plan::{self, diff};

use super::failure::{Failure, unless_closed};
use super::prepare::{Inputs, read_plan};
use super::screen;

/// Arguments of `squall plan`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Also write the plan here, for `squall run`.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Say what is different from a plan that was kept.
    #[arg(long, value_name = "PLAN")]
    pub diff: Option<PathBuf>,
}

/// Exit codes: 0 planned, 2 a file cannot be used.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let plan = args.inputs.prepare()?.plan;
    let style = plan::Style::of(screen::style().colour);
    let json = |e: serde_json::Error| Failure::internal(format!("failed to write the plan: {e}"));
    let text = match &args.diff {
        Some(old) => diff::text(&diff::diff(&read_plan(old)?, &plan).map_err(json)?, style),
        None => plan::render::text(&plan, style),
    };
    out.write_all(text.as_bytes()).or_else(unless_closed)?;
    if let Some(path) = &args.output {
        let text = serde_json::to_string_pretty(&plan).map_err(json)?;
        std::fs::write(path, text + "\n")
            .map_err(|e| Failure::internal(format!("failed to write {}: {e}", path.display())))?;
    }
    Ok(ExitCode::Held)
}

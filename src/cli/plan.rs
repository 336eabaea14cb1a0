//! `squall plan`: what would happen, before anything does. It changes nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::model::outcome::ExitCode;
use crate::plan::{self, diff};

use super::failure::{Failure, unless_closed};
use super::plan_file;
use super::prepare::Inputs;
use super::screen;

/// Arguments of `squall plan`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Write the plan as JSON, for `squall run PLAN`; `-` writes it to the standard output.
    #[arg(short, long, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// Show what differs from a plan written earlier; its seed is used unless told.
    #[arg(long, value_name = "PLAN")]
    pub diff: Option<PathBuf>,
}

/// Exit codes: 0 planned, 2 a file cannot be used.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let old = args.diff.as_deref().map(plan_file::read).transpose()?;
    let seed = args.inputs.seed.or(old.as_ref().map(|old| old.seed));
    let plan = Inputs { seed, ..args.inputs.clone() }.prepare()?.plan;
    let style = plan::Style::of(screen::style().colour);
    let text = match &old {
        Some(old) => {
            let differences = diff(old, &plan)
                .map_err(|e| Failure::internal(format!("failed to compare the plans: {e}")))?;
            diff::text(&differences, style)
        }
        None => plan::render::text(&plan, style),
    };
    let said = match args.output.as_deref() {
        Some(path) if path == Path::new("-") => plan_file::text(&plan)?,
        Some(path) => {
            plan_file::write(&plan, path)?;
            format!("{text}\n\n  written   {}\n", path.display())
        }
        None => format!("{text}\n"),
    };
    out.write_all(said.as_bytes()).or_else(unless_closed)?;
    Ok(ExitCode::Held)
}

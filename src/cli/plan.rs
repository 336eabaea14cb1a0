//! `squall plan`: what would happen, before anything does. It changes nothing.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::plan_file;
use crate::guard::in_force;
use crate::model::experiment::Experiment;
use crate::model::outcome::ExitCode;
use crate::model::plan::{Plan, PlannedLab, Source};
use crate::model::policy::Policy;
use crate::plan::{PlanInput, Style, diff, plan, render};

#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// The experiment.
    pub file: PathBuf,
    /// Write the plan as JSON, for `squall run PLAN`; `-` writes it to standard output.
    #[arg(short, long, value_name = "PLAN")]
    pub output: Option<PathBuf>,
    /// Show what differs from a plan written earlier; its seed is used unless told.
    #[arg(long, value_name = "PLAN")]
    pub diff: Option<PathBuf>,
    /// Draw the same targets again.
    #[arg(long)]
    pub seed: Option<u64>,
    /// A lab in place of the one that the experiment names.
    #[arg(long, value_name = "FILE")]
    pub lab: Option<PathBuf>,
    /// A policy that the drill will have to pass; without one, labs only.
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,
}

/// What was read from the files that the arguments name.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub experiment: Experiment,
    pub source: Source,
    pub lab: Option<PlannedLab>,
    pub policies: Vec<Policy>,
    /// Findings that forbid nothing, as text.
    pub warnings: Vec<String>,
}

/// What the subcommand needs of its surroundings.
pub struct Setting<'a> {
    /// Reads the experiment, its lab and the policies.
    pub load: &'a dyn Fn(&PlanArgs) -> Result<Loaded, Failure>,
    /// The seed where nobody gives one.
    pub fresh_seed: u64,
    pub style: Style,
}

/// Prints the plan, or writes it, or compares it.
pub fn run(
    args: &PlanArgs,
    setting: &Setting<'_>,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let old = args.diff.as_deref().map(plan_file::read).transpose()?;
    let seed = args.seed.or(old.as_ref().map(|old| old.seed)).unwrap_or(setting.fresh_seed);
    let plan = make((setting.load)(args)?, seed)?;
    let text = match &old {
        Some(old) => {
            let differences = diff(old, &plan)
                .map_err(|e| Failure::internal(format!("failed to compare the plans: {e}")))?;
            diff::text(&differences, setting.style)
        }
        None => render::text(&plan, setting.style),
    };
    match args.output.as_deref() {
        Some(path) if path == Path::new("-") => print(out, &plan_file::text(&plan)?)?,
        Some(path) => {
            plan_file::write(&plan, path)?;
            print(out, &format!("{text}\n\n  written   {}\n", path.display()))?;
        }
        None => print(out, &format!("{text}\n"))?,
    }
    Ok(ExitCode::Held)
}

/// The plan of what was read, under the policies in force; every reason why there is none.
pub fn make(loaded: Loaded, seed: u64) -> Result<Plan, Failure> {
    let Loaded { experiment, source, lab, policies, warnings } = loaded;
    let policies = in_force(&policies).iter().map(|p| (p.name.clone(), p.sha256.clone())).collect();
    let path = source.path.clone();
    let input = PlanInput { experiment: &experiment, source, lab, seed, policies, warnings };
    plan(input).map_err(|wrong| {
        let lines: Vec<String> =
            wrong.iter().map(|e| format!("{path}: {}: {e}", e.place())).collect();
        Failure::usage(lines.join("\n"))
    })
}

/// A reader that has seen enough and closed the pipe is no failure.
fn print(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("failed to print the plan: {e}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

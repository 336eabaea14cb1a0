//! `squall plan`: what would happen, before anything does. It changes nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::guard::admit;
use crate::lab::registry::{Registry, Standing};
use crate::model::outcome::ExitCode;
use crate::plan::{self, diff};

use super::clusters::{self, ClusterDoor};
use super::facts::{facts, seen_running};
use super::failure::Failure;
use super::plan_file;
use super::prepare::{Files, Inputs, Prepared};
use super::screen;
use super::state::StateFolder;

/// Arguments of `squall plan`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Every reason for which `squall run` would refuse the plan now stands under \
it, a line each (`would be refused: ...`). The exit code is 0 all the same: a plan changes nothing, \
and may be admitted later."
)]
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

/// `state`: where drills that are under way are found; None where nothing was ever kept.
///
/// Exit codes: 0 planned, whether or not it would be refused now; 2 a file cannot be used.
pub fn run(
    args: &Args,
    state: Option<&StateFolder>,
    out: &mut dyn Write,
) -> Result<ExitCode, Failure> {
    let old = args.diff.as_deref().map(plan_file::read).transpose()?;
    let seed = args.inputs.seed.or(old.as_ref().map(|old| old.seed));
    let files = Inputs { seed, ..args.inputs.clone() }.read()?;
    let standing = standing(&files, state)?;
    let lab = standing.as_ref().and_then(ClusterDoor::standing);
    let runtime = clusters::runtime()?;
    let (experiment, given) = (&files.declared.experiment, args.inputs.kubeconfig.as_deref());
    let lacking = runtime.block_on(clusters::lacking(experiment, given, lab.as_ref()))?;
    let found = runtime.block_on(clusters::look(experiment, given, lab.as_ref()));
    // Who may not even look has no plan; all else that is missing stands under it.
    let found = found.or_else(|failure| clusters::refuse_lacking(&lacking).and(Err(failure)))?;
    let prepared = files.prepare(found)?;
    let mut refusals = refusals(&prepared, &args.inputs, state, standing.is_some())?;
    refusals.extend(lacking.iter().map(|why| format!("would be refused: {why}")));
    let plan = prepared.plan;
    let style = plan::Style::of(screen::style().colour);
    let text = match &old {
        Some(old) => {
            let differences = diff(old, &plan)
                .map_err(|e| Failure::internal(format!("failed to compare the plans: {e}")))?;
            diff::text(&differences, style)
        }
        None => plan::render::text(&plan, style),
    };
    let gap = if refusals.is_empty() { "" } else { "\n" };
    let text = refusals.iter().fold(text + gap, |text, why| format!("{text}\n{why}"));
    let said = match args.output.as_deref() {
        Some(path) if path == Path::new("-") => {
            for why in &refusals {
                // Beside the plan, which somebody parses.
                let _unseen = writeln!(std::io::stderr(), "{why}");
            }
            plan_file::text(&plan)?
        }
        Some(path) => {
            plan_file::write(&plan, path)?;
            format!("{text}\n\n  written   {}\n", path.display())
        }
        None => format!("{text}\n"),
    };
    out.write_all(said.as_bytes())?;
    Ok(ExitCode::Held)
}

/// The experiment's lab, where it stands already.
fn standing(files: &Files, state: Option<&StateFolder>) -> Result<Option<Standing>, Failure> {
    let (Some(state), Some(lab)) = (state, &files.declared.lab) else { return Ok(None) };
    Ok(Registry::at(state.labs()).find_made_from(&lab.name, &lab.sha256)?)
}

/// A line for every reason for which `run` would refuse the plan now; `attached`: to a lab that
/// stands.
fn refusals(
    prepared: &Prepared,
    inputs: &Inputs,
    state: Option<&StateFolder>,
    attached: bool,
) -> Result<Vec<String>, Failure> {
    let running = state.map(seen_running).transpose()?.unwrap_or_default();
    let facts = facts(prepared, running, &inputs.approval, attached)?;
    let refusal = admit(&prepared.plan, &prepared.policies, &facts).err();
    let reasons = refusal.map(|refusal| refusal.reasons).unwrap_or_default();
    Ok(reasons.iter().map(|why| format!("would be refused: {why}")).collect())
}

//! `squall blast`: each service of a map is lost in turn, and the map shows whom that hurts.
//!
//! Every loss is an ordinary drill: planned, admitted, run, judged and kept like any other. All of
//! them are planned and admitted before the first begins, and one question is asked about all.

mod faces;
mod overview;
mod series;

use std::path::PathBuf;

use crate::model::outcome::ExitCode;
use crate::spec::{self, Surroundings};

use super::Loudness;
use super::clusters;
use super::failure::Failure;
use super::prepare::{Inputs, found};
use super::progress::{Mode, Progress};
use super::run;
use super::state::StateFolder;
use super::surroundings::{chance, variable};

const KEEPS: &str = "Each loss is kept as a drill of its own in DIR/SERVICE, beside its \
experiment; the map is DIR/blast.html, .json, .md and .svg.\n\nExit codes: 0 drawn, and every claim of \
the map holds, 1 internal error, 2 usage, 3 refused, 4 a claim deviated, 5 something was not \
measured, 6 aborted and undone, 7 stuck.";

/// Arguments of `squall blast`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = KEEPS)]
pub struct Args {
    /// A blast map in YAML.
    pub file: PathBuf,
    /// Makes the picks of every drill.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Lose only this service; may be given more than once.
    #[arg(long, value_name = "SERVICE")]
    pub only: Vec<String>,
    /// A lab that takes the place of the one that the map names.
    #[arg(long, value_name = "FILE")]
    pub lab: Option<PathBuf>,
    /// A policy that must admit every loss; may be given more than once. Without any: labs only.
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// Where the contexts are that the map names; else the files of KUBECONFIG, or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Do not ask. Labs need no asking.
    #[arg(short, long)]
    pub yes: bool,
    /// The folder for the map and its drills; it must not hold a map already.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Raise a lab of our own even where a standing one of the same file could be attached to.
    #[arg(long)]
    pub fresh: bool,
}

/// Exit code: the map's verdict; 2, 3 and 1 where nothing was injected.
pub fn run(args: &Args, state: &StateFolder, loudness: Loudness) -> Result<ExitCode, Failure> {
    let surroundings = Surroundings { lab: args.lab.as_deref(), env: &variable };
    let declared = spec::blast_map(&args.file, &surroundings).map_err(found)?.value;
    let declared = declared.only(&args.only).map_err(Failure::usage)?;
    let seed = args.seed.map_or_else(chance, Ok)?;
    let mut progress = Progress::new(Mode::of(false, loudness))?;
    let name = format!("{}-{:016x}", declared.map.name, chance()?);
    let folder = args.out.clone().unwrap_or_else(|| state.drills().join(name));
    let series = series::Series { args, state, declared, folder, seed };
    clusters::runtime()?.block_on(series.run(&mut progress))
}

impl Args {
    /// The command by which one of its drills would be run.
    fn of_drill(&self, file: PathBuf, seed: u64) -> run::Args {
        let inputs = Inputs {
            file,
            seed: Some(seed),
            lab: self.lab.clone(),
            policy: self.policy.clone(),
            approval: Vec::new(),
            kubeconfig: self.kubeconfig.clone(),
        };
        run::Args {
            inputs,
            yes: self.yes,
            null: false,
            out: None,
            events: false,
            fresh: self.fresh,
        }
    }
}

//! The command line: one file per subcommand. Each takes its parsed arguments and where to write,
//! and returns an exit code; nothing here knows a kind of fault, probe or check.

use std::io::{IsTerminal, Write};

use clap::{Parser, Subcommand};

use crate::spec::Look;

pub mod approval;
pub mod blast;
pub mod catalogue;
pub mod clear;
mod clusters;
pub mod confirm;
pub mod doctor;
pub mod facts;
pub mod failure;
pub mod judge;
pub mod lab;
pub mod leftovers;
pub mod new;
pub mod now;
pub mod output;
pub mod part;
pub mod pipe;
pub mod place;
pub mod plan;
pub mod plan_file;
pub mod prepare;
pub mod progress;
pub mod report;
pub mod run;
pub mod schema;
pub mod screen;
pub mod seat;
pub mod shell;
pub mod signals;
pub mod state;
pub mod surroundings;
pub mod undo;
mod undo_cluster;
pub mod validate;

use crate::lab::registry::Registry;
use catalogue::Which;
use failure::Failure;
use state::StateFolder;

/// Failover drills that end, measure and ask first.
#[derive(Debug, Parser)]
#[command(name = "squall", version, about, max_term_width = 100)]
pub struct Cli {
    /// Less: only the verdict and what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More: the log of the parts; twice for their debug lines.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first experiment for a service of a lab.
    New(new::New),
    /// Find every mistake of experiments, labs and policies. Starts nothing.
    Validate(validate::Validate),
    /// Show what would happen, target by target. Changes nothing.
    Plan(plan::Args),
    /// Run a drill: inject, measure, undo, judge.
    Run(run::Args),
    /// Lose each service in turn, and draw whom that hurts.
    Blast(blast::Args),
    /// Judge a kept history again.
    Judge(judge::Args),
    /// Draw a kept history again.
    Report(report::Args),
    /// Undo what dead drills left in force.
    Undo(undo::Args),
    /// Take what is stuck upon yourself.
    Clear(clear::Args),
    /// Is this us? What drills hold in force now.
    Now(now::Args),
    /// What this machine offers, and what to change.
    Doctor(doctor::Args),
    /// Labs that stand by themselves.
    #[command(subcommand)]
    Lab(lab::LabCommand),
    /// What can be broken.
    Faults(catalogue::Catalogue),
    /// What can watch.
    Probes(catalogue::Catalogue),
    /// What can be claimed.
    Checks(catalogue::Catalogue),
    /// The JSON schema of documents and of reports.
    Schema(schema::Schema),
    /// Completions for a shell.
    Completions(shell::Completions),
    /// The manual pages.
    Man(shell::Man),
    /// A part of squall; started by squall itself.
    #[command(hide = true)]
    Part(part::Args),
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    Quiet,
    Normal,
}

impl Cli {
    /// Runs the command; the exit code.
    pub fn run(&self) -> Result<u8, Failure> {
        let variable = |name: &str| std::env::var_os(name);
        let mut out = pipe::Pipe::stdout();
        let look = if screen::colour(&std::io::stdout()) { Look::Colour } else { Look::Plain };
        let state = || StateFolder::open(variable);
        let loudness = if self.quiet { Loudness::Quiet } else { Loudness::Normal };
        let code = match &self.command {
            Command::Part(args) => return part::run(args),
            Command::Lab(command) => {
                let labs = Registry::at(state()?.labs());
                let mut nobody = std::io::sink();
                return match (command, loudness) {
                    (lab::LabCommand::Up(_), Loudness::Quiet) => {
                        lab::run(command, &labs, &mut nobody)
                    }
                    _ => lab::run(command, &labs, &mut out),
                };
            }
            Command::Plan(args) => {
                plan::run(args, StateFolder::existing(variable)?.as_ref(), &mut out)?
            }
            // It has written all that somebody reads; the rest must not be waited for here.
            Command::Run(args) => return run::run(args, &state()?, loudness).map(|c| c as u8),
            Command::Blast(args) => {
                return blast::run(args, &state()?, loudness).map(|c| c as u8);
            }
            Command::Judge(args) => judge::run(args, loudness, &mut out)?,
            Command::Report(args) => report::run(args, &mut out)?,
            Command::Undo(args) => undo::run(args, &state()?, &mut out)?,
            Command::Clear(args) => clear::run(args, &state()?, &mut out)?,
            Command::Now(args) => now::run(args, &state()?, &mut out)?,
            Command::Doctor(_) => doctor::run(&state()?, &mut out)?,
            Command::New(args) => new::run(args, look, &mut out)?,
            Command::Validate(args) => validate::run(args, look, &mut out)?,
            Command::Faults(args) => catalogue::run(Which::Faults, args, &mut out)?,
            Command::Probes(args) => catalogue::run(Which::Probes, args, &mut out)?,
            Command::Checks(args) => catalogue::run(Which::Checks, args, &mut out)?,
            Command::Schema(args) => schema::run(args, &mut out)?,
            Command::Completions(args) => shell::completions(args, &mut out)?,
            Command::Man(args) => shell::man(args, &mut out)?,
        };
        out.flush()?;
        Ok(code as u8)
    }

    /// Sends the log to the standard error. Parts write only what they are told to.
    pub fn start_log(&self) {
        let level = match self.verbose {
            0 => tracing_subscriber::filter::LevelFilter::WARN,
            1 => tracing_subscriber::filter::LevelFilter::INFO,
            _ => tracing_subscriber::filter::LevelFilter::DEBUG,
        };
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .init();
    }
}

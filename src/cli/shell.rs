//! Completions and the manual page, both made from the command line's own description.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::model::outcome::ExitCode;

use super::Cli;
use super::failure::Failure;

#[derive(Debug, Clone, clap::Args)]
pub struct Completions {
    pub shell: Shell,
}

pub fn completions(args: &Completions, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    clap_complete::generate(args.shell, &mut Cli::command(), "squall", out);
    Ok(ExitCode::Held)
}

/// `squall man | man -l -`
pub fn man(out: &mut dyn Write) -> Result<ExitCode, Failure> {
    clap_mangen::Man::new(Cli::command()).render(out)?;
    Ok(ExitCode::Held)
}

//! Completions and the manual page, both made from the command line's own description.

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::model::outcome::ExitCode;
use crate::spec::remedy;

use super::Cli;
use super::failure::Failure;

#[derive(Debug, Clone, clap::Args)]
pub struct Completions {
    /// For which shell.
    pub shell: Shell,
}

pub fn completions(args: &Completions, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    clap_complete::generate(args.shell, &mut Cli::command(), "squall", out);
    Ok(ExitCode::Held)
}

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "`squall man run | man -l -` shows a page.")]
pub struct Man {
    /// The page of this command, such as `run` or `lab up`; that of squall itself unless told.
    #[arg(value_name = "COMMAND")]
    pub of: Vec<String>,
    /// Write every page into this folder, as `squall.1`, `squall-run.1` and so on.
    #[arg(long, value_name = "DIR", conflicts_with = "of")]
    pub dir: Option<PathBuf>,
}

/// Errors: there is no such command, or the folder cannot be written to.
pub fn man(args: &Man, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let mut whole = Cli::command();
    // Gives every command its full name, `squall-lab-up`.
    whole.build();
    if let Some(folder) = &args.dir {
        let failed = |e| {
            let shown = folder.display();
            Failure::internal(format!("failed to write pages into {shown}: {e}; give another --dir"))
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(whole, folder).map_err(failed)?;
        writeln!(out, "wrote {}", folder.display())?;
        return Ok(ExitCode::Held);
    }
    let mut command = &whole;
    for word in &args.of {
        let known: Vec<&str> = command
            .get_subcommands()
            .filter(|sub| !sub.is_hide_set())
            .map(clap::Command::get_name)
            .collect();
        command = command.find_subcommand(word).ok_or_else(|| {
            let help = remedy(word, &known);
            Failure::usage(format!("there is no command `{word}`; {help}"))
        })?;
    }
    clap_mangen::Man::new(command.clone()).render(out)?;
    Ok(ExitCode::Held)
}

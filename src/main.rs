//! The binary: parses the command line, hands over, maps the outcome to an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use squall::cli::lab::{self, Failure, LabCommand};
use squall::host::linux::part;

#[derive(Debug, Parser)]
#[command(name = "squall", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Labs that stand by themselves.
    #[command(subcommand)]
    Lab(LabCommand),
    /// A part of squall; started by squall itself.
    #[command(hide = true)]
    Part {
        name: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Lab(command) => lab::run(&command, &mut std::io::stdout()),
        Command::Part { name, args } => part(&name, &args).map(|()| 0),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "squall: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn part(name: &str, args: &[String]) -> Result<(), Failure> {
    match name {
        "lab-init" => Ok(squall::lab::init::run(part::inherited()?)?),
        "lab-keeper" => lab::keeper_part(part::inherited()?),
        "lab-exec" => Err(lab::exec_part(args)),
        _ => Err(Failure { why: format!("no part `{name}`"), code: 2 }),
    }
}

//! The binary: parses the command line, hands over, maps the outcome to an exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use squall::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_log();
    match cli.run() {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // A standard error that is closed must not change the exit code.
            let _unseen = writeln!(std::io::stderr(), "squall: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

//! The binary: parses the command line, hands over, maps the outcome to an exit code.

use std::process::ExitCode;

use squall::drill::prober;
use squall::host::linux::inherit;

/// The conductor's channel in every part of a drill.
const CHANNEL: i32 = 3;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["part", "prober"] => {
            inherit::take(CHANNEL).map_or(ExitCode::FAILURE, |channel| exit(prober::run(channel)))
        }
        _ => ExitCode::from(2),
    }
}

fn exit(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

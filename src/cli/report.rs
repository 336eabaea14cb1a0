//! `squall report`: the faces of a kept history, drawn again.

use std::io::Write;
use std::path::PathBuf;

use crate::model::outcome::ExitCode;
use crate::report;

use super::failure::Failure;
use super::judge::judge_folder;
use super::output::write_faces;
use super::screen;

/// Arguments of `squall report`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "With none of --html, --json, --junit, --markdown and --text every face is \
written into the folder again; with one of them it goes to the standard output.")]
pub struct Args {
    /// The folder that `squall run --out` wrote.
    pub folder: PathBuf,
    #[command(flatten)]
    pub face: Face,
}

/// One face to the standard output; without any, all are written into the folder.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub struct Face {
    /// The page that a browser shows, in one file.
    #[arg(long)]
    pub html: bool,
    /// For programs; `squall schema report` prints its schema.
    #[arg(long)]
    pub json: bool,
    /// For pipelines: each claim is a test case.
    #[arg(long)]
    pub junit: bool,
    /// For tickets and pull requests.
    #[arg(long)]
    pub markdown: bool,
    /// As `squall run` ends.
    #[arg(long)]
    pub text: bool,
}

/// Exit code: 0, whatever the verdict says.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let report = judge_folder(&args.folder)?;
    let face = &args.face;
    let text = if face.html {
        report::html::render(&report)
    } else if face.json {
        report::json::render(&report)?
    } else if face.junit {
        report::junit::render(&report)?
    } else if face.markdown {
        report::markdown::render(&report)
    } else if face.text {
        report::text::render(&report, &screen::style(), &[])
    } else {
        let paths = write_faces(&report, &args.folder)?;
        let lines: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        lines.join("\n") + "\n"
    };
    out.write_all(text.as_bytes())?;
    Ok(ExitCode::Held)
}

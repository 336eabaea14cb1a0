//! The faces of a map: written into its folder, and shown.

use std::path::Path;

use crate::model::blast::BlastReport;
use crate::model::outcome::ExitCode;
use crate::report::blast;

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::screen;

/// Writes every face and shows the map. The exit code is the verdict's, and counts for more than
/// a face that could not be written.
pub fn show(
    report: &BlastReport,
    folder: &Path,
    progress: &mut Progress,
) -> Result<ExitCode, Failure> {
    let written = write(report, folder);
    let files: &[String] = written.as_deref().unwrap_or_default();
    progress.verdict(&blast::text::render(report, &screen::style(), files));
    let code = report.verdict.exit_code();
    match written {
        Err(failure) if code != ExitCode::Held => {
            tracing::error!(%failure, "the map could not be written");
            Ok(code)
        }
        written => written.map(|_| code),
    }
}

fn write(report: &BlastReport, folder: &Path) -> Result<Vec<String>, Failure> {
    let faces = [
        ("blast.html", blast::html::render(report)),
        ("blast.json", blast::json(report)?),
        ("blast.md", blast::markdown::render(report)),
        ("blast.svg", blast::svg::render(report)),
    ];
    let mut paths = Vec::new();
    for (name, text) in faces {
        let path = folder.join(name);
        std::fs::write(&path, text)
            .map_err(|e| Failure::internal(format!("failed to write {}: {e}", path.display())))?;
        paths.push(path.display().to_string());
    }
    Ok(paths)
}

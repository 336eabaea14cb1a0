//! Plans on disk: `squall plan -o plan.json` writes them, `squall run plan.json` reads them.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::failure::Failure;
use crate::model::plan::{PLAN_VERSION, Plan};
use crate::plan::digest;

/// No plan is as large as that; a file that is, is something else.
const SIZE_MAX: u64 = 16 * 1024 * 1024;

/// Enough of a plan to know which format it has.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// A plan as it is kept: JSON that people can read and compare, with a last line break.
pub fn text(plan: &Plan) -> Result<String, Failure> {
    serde_json::to_string_pretty(plan)
        .map(|text| text + "\n")
        .map_err(|e| Failure::internal(format!("failed to write the plan as JSON: {e}")))
}

/// Writes it beside its place and moves it there, so that nobody ever reads half a plan.
pub fn write(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let beside = path.with_extension("json.part");
    fs::write(&beside, text(plan)?)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|e| Failure::internal(format!("failed to write {}: {e}", path.display())))
}

/// Reads a plan back. One that was edited or is of another format is a bad file.
pub fn read(path: &Path) -> Result<Plan, Failure> {
    let shown = path.display();
    let mut text = String::new();
    let file = fs::File::open(path);
    file.and_then(|file| file.take(SIZE_MAX + 1).read_to_string(&mut text))
        .map_err(|e| Failure::usage(format!("failed to read {shown}: {e}")))?;
    if text.len() as u64 > SIZE_MAX {
        return Err(Failure::usage(format!("{shown} is larger than any plan; is it one?")));
    }
    let bad = |e: serde_json::Error| {
        let remedy = "write it anew with `squall plan FILE -o PLAN`";
        Failure::usage(format!("{shown}: not a plan: {e}; {remedy}"))
    };
    let version = serde_json::from_str::<Versioned>(&text).map_err(bad)?.version;
    if version != PLAN_VERSION {
        return Err(Failure::usage(format!(
            "{shown} has the plan format {version}, this squall reads {PLAN_VERSION}; plan again"
        )));
    }
    let plan: Plan = serde_json::from_str(&text).map_err(bad)?;
    if !digest::holds(&plan) {
        return Err(Failure::usage(format!(
            "{shown} was edited: its content is not what its digest says; change the experiment \
             and plan again"
        )));
    }
    Ok(plan)
}

#[cfg(test)]
mod tests;

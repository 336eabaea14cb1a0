//! `squall doctor`: what this machine offers, found by trying, and what to change.

use std::io::Write;

use crate::host::linux::network::probe_carriers;
use crate::host::linux::{part, program};
use crate::host::part::{Manner, PartSpec};
use crate::model::outcome::ExitCode;

use super::failure::{Failure, unless_closed};
use super::state::StateFolder;

#[derive(Debug, Clone, clap::Args)]
pub struct Args {}

/// Programs of the shipped labs, with the Debian package that has each.
const PROGRAMS: [(&str, &str); 4] = [
    ("redis-server", "redis-server"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx-light"),
    ("etcd", "etcd-server"),
];

/// Exit codes: 0 a lab can be raised and network faults work, 1 something needed is missing.
pub fn run(state: &StateFolder, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let mut text = format!("state: {}\n", state.journals().display());
    let mut fit = true;
    match founded() {
        Ok(()) => text += "namespaces: labs can be raised\n",
        Err(error) => {
            fit = false;
            text += &format!("namespaces: NO: {error}\n");
        }
    }
    match probe_carriers() {
        Ok(found) => {
            for (what, how) in found {
                fit &= !how.starts_with("none");
                text += &format!("{what}: {how}\n");
            }
        }
        Err(error) => {
            fit = false;
            text += &format!("network faults: NO: {error}\n");
        }
    }
    for (name, package) in PROGRAMS {
        text += &match program::find(name) {
            Some(path) => format!("{name}: {}\n", path.display()),
            None => format!("{name}: missing; `apt-get install {package}` for its labs\n"),
        };
    }
    out.write_all(text.as_bytes()).or_else(unless_closed)?;
    Ok(if fit { ExitCode::Held } else { ExitCode::Internal })
}

/// Founds the namespaces of a lab and lets them go: the same way that a lab takes.
fn founded() -> Result<(), Failure> {
    let spec = PartSpec { manner: Manner::Founder, ..PartSpec::new("nothing") };
    part::spawn(spec)?.wait(std::time::Duration::from_secs(5))?;
    Ok(())
}

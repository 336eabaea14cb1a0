//! `squall now`: is this us? What drills hold in force at this moment, by process, address or port.

use std::io::Write;
use std::net::IpAddr;

use super::failure::Failure;
use super::state::StateFolder;
use crate::host::linux::process::{LinuxProcesses, innermost_number};
use crate::host::process::{Processes, RunState};
use crate::injection::journal::store;
use crate::model::identity::{LabIdentity, ProcessIdentity};
use crate::model::message::Recipe;
use crate::model::outcome::ExitCode;

/// Arguments of `squall now`. Several are joined by *and*.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Exit codes: 4 yes, something of squall's is in force and fits; 0 no; 2 \
nobody knows, since a journal cannot be read.")]
pub struct Args {
    /// A process number: as counted here, or as the target's own PID namespace counts.
    #[arg(long)]
    pub pid: Option<i32>,
    /// An address of the target.
    #[arg(long)]
    pub address: Option<IpAddr>,
    /// The target's port.
    #[arg(long)]
    pub port: Option<u16>,
}

/// Exit codes: 0 nothing of ours, 4 something is in force and fits, 2 a journal cannot be read, and
/// nothing fits in the others.
pub fn run(args: &Args, state: &StateFolder, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let (mut ours, mut unread) = (0, 0);
    let journals = store::list(&state.journals())?;
    for (drill, path) in journals {
        // One that vanished since it was listed has just been closed.
        let contents = match store::peek_if_there(&path) {
            Ok(Some(contents)) => contents,
            Ok(None) => continue,
            Err(error) => {
                unread += 1;
                writeln!(out, "unknown: {error}")?;
                continue;
            }
        };
        if contents.opened.is_none() {
            unread += 1;
            writeln!(out, "unknown: the journal of {drill} is damaged")?;
        }
        let lab = contents.opened.as_ref().and_then(|opened| opened.lab.as_ref());
        let gone = lab.filter(|lab| is_gone(lab));
        for recipe in contents.open().iter().filter(|r| args.fits(r)) {
            if let Some(LabIdentity { name, .. }) = gone {
                let what = format!("{} on {}", recipe.kind, place(recipe));
                writeln!(
                    out,
                    "gone: drill {drill} has {what} on record, and lab {name} is gone with all \
                     that was in it; `squall undo --all` closes the record"
                )?;
                continue;
            }
            ours += 1;
            let state = contents.states.get(&recipe.injection).map_or("open", |s| match s {
                store::State::Stuck => "STUCK",
                _ => "in force",
            });
            writeln!(out, "yes: drill {drill} has {} on {} ({state})", recipe.kind, place(recipe))?;
        }
    }
    if ours == 0 && unread > 0 {
        return Ok(ExitCode::Usage);
    }
    if ours == 0 {
        writeln!(out, "no: nothing of squall's is in force{}", args.words())?;
        return Ok(ExitCode::Held);
    }
    Ok(ExitCode::Deviated)
}

impl Args {
    fn fits(&self, recipe: &Recipe) -> bool {
        let target = &recipe.target;
        let is = |wanted: i32| {
            target.process.as_ref().is_some_and(|who| who.pid == wanted || is_here(wanted, who))
        };
        self.pid.is_none_or(is)
            && self.address.is_none_or(|a| a == target.host.ipv4 || a == target.host.ipv6)
            && self.port.is_none_or(|p| target.port == Some(p))
    }

    fn words(&self) -> String {
        let mut words = String::new();
        for (name, value) in [
            ("process", self.pid.map(|p| p.to_string())),
            ("address", self.address.map(|a| a.to_string())),
            ("port", self.port.map(|p| p.to_string())),
        ] {
            if let Some(value) = value {
                words = format!("{words} on {name} {value}");
            }
        }
        words
    }
}

/// Is the process of that number here the one that its lab knows as `who`? Start times are the same
/// in every PID namespace, but two processes may share one: the inner numbers must agree as well.
fn is_here(number: i32, who: &ProcessIdentity) -> bool {
    let here = LinuxProcesses::new().and_then(|processes| processes.identify(number));
    here.is_ok_and(|here| (here.start_ticks, &here.boot) == (who.start_ticks, &who.boot))
        && innermost_number(number) == Some(who.pid)
}

/// Has the lab's init ended? Where nobody can tell, as from another PID namespace, it has not.
fn is_gone(lab: &LabIdentity) -> bool {
    let state = LinuxProcesses::new().and_then(|processes| processes.state(&lab.init));
    matches!(state, Ok(RunState::Gone))
}

fn place(recipe: &Recipe) -> String {
    let target = &recipe.target;
    let pid = target.process.as_ref().map_or(String::new(), |p| format!(", process {}", p.pid));
    let port = target.port.map_or(String::new(), |p| format!(":{p}"));
    format!("{} ({}{port}{pid})", target.name, target.host.ipv4)
}

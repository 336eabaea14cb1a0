//! `squall part`: what squall executes itself as. Nobody types these.

use crate::drill::prober;
use crate::host::linux::network::Probing;
use crate::host::linux::{LinuxHost, inherit, part};
use crate::host::{Host, HostError};
use crate::injection::{guardian, injector, recovery};
use crate::model::cluster::ClusterAccess;
use crate::model::id::DrillId;

use super::failure::Failure;
use super::lab;

#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    pub name: String,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// Descriptors are at 3, 4 … in the order that the part's `Born` lists them.
pub fn run(args: &Args) -> Result<u8, Failure> {
    match args.name.as_str() {
        "lab-init" => crate::lab::init::run(part::inherited()?)?,
        "lab-keeper" => lab::keeper_part(part::inherited()?)?,
        "lab-exec" => return Err(lab::exec_part(&args.args)),
        "injector" => {
            let born = injector::Born {
                conductor: inherit::take(3)?,
                guardian: inherit::take(4)?,
                journal: inherit::take(5)?,
            };
            // While the others are born: nothing can be injected before it is done.
            let probing = Probing::begin();
            injector::run(born, |hello| {
                let host = LinuxHost::probed(hello.drill.clone(), probing)?;
                Ok(Box::new(host.reaching(hello.clusters.clone())))
            })?;
        }
        "guardian" => {
            let born = guardian::Born {
                conductor: inherit::take(3)?,
                injector: inherit::take(4)?,
                injector_process: inherit::take(5)?,
                journal: inherit::take(6)?,
            };
            guardian::run(born, host)?;
        }
        "recovery" => {
            let (conductor, journal) = (inherit::take(3)?, inherit::take(4)?);
            recovery::run_part(conductor, journal, host)?;
        }
        // Founds namespaces for `doctor`, and has nothing to do in them.
        "nothing" => {}
        "prober" => return Ok(u8::try_from(prober::run(inherit::take(3)?)).unwrap_or(1)),
        other => return Err(Failure::usage(format!("there is no part `{other}`"))),
    }
    Ok(0)
}

fn host(drill: DrillId, clusters: Vec<ClusterAccess>) -> Result<Box<dyn Host>, HostError> {
    Ok(Box::new(LinuxHost::new(drill)?.reaching(clusters)))
}

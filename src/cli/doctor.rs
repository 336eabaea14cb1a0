//! `squall doctor`: what this machine offers, found by trying, and what to change.

use std::collections::BTreeMap;
use std::io::Write;

use crate::fault::{CATALOGUE, Capability};
use crate::host::linux::network::probe_carriers;
use crate::host::linux::{part, program};
use crate::host::part::{Manner, PartSpec};
use crate::model::outcome::ExitCode;

use super::failure::Failure;
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
    let mut found = BTreeMap::new();
    match founded() {
        Ok(()) => {
            text += "namespaces: labs can be raised\n";
            // Whom it starts it holds by a process descriptor.
            found.insert(Capability::Pidfd.key().to_owned(), "yes".to_owned());
        }
        Err(error) => {
            fit = false;
            text += &format!("namespaces: NO: {error}\n");
        }
    }
    match probe_carriers() {
        Ok(carriers) => {
            for (what, how) in carriers {
                fit &= !how.starts_with("none");
                text += &format!("{what}: {how} - {}\n", meaning(&what, &how));
                found.insert(what, how);
            }
        }
        Err(error) => {
            fit = false;
            text += &format!("network faults: NO: {error}\n");
        }
    }
    for fault in CATALOGUE {
        text += &format!("{}: {}\n", fault.kind(), works(fault.needs(), &found));
    }
    for (name, package) in PROGRAMS {
        text += &match program::find(name) {
            Some(path) => format!("{name}: {}\n", path.display()),
            None => format!("{name}: missing; `apt-get install {package}` for its labs\n"),
        };
    }
    out.write_all(text.as_bytes())?;
    Ok(if fit { ExitCode::Held } else { ExitCode::Internal })
}

/// What a line about the kernel means for who runs drills here.
fn meaning(what: &str, how: &str) -> &'static str {
    match (what, how.starts_with("none")) {
        ("owner", false) => "good: the rules of a network fault vanish with the process that owns them",
        ("owner", true) => "no network fault can be injected here",
        ("queue", false) => "good: packets can be delayed and lost",
        ("queue", true) => "no packet can be delayed or lost here; cuts may work",
        ("egress", false) => "good: packets that leave can be cut",
        ("egress", true) => "packets that leave cannot be cut here",
        ("engine", _) if how == "fifo" => "good: delays are kept by a thread of real-time priority",
        ("engine", _) => {
            "the engine has no real-time priority: delays are less exact on a busy machine"
        }
        _ => "found by trying",
    }
}

/// Can a fault with these needs be injected here?
fn works(needs: &[Capability], found: &BTreeMap<String, String>) -> String {
    let there = |need: &&Capability| found.get(need.key()).is_some_and(|h| !h.starts_with("none"));
    let missing: Vec<&str> =
        needs.iter().filter(|need| !there(need)).map(|need| need.words()).collect();
    if missing.is_empty() {
        "works".to_owned()
    } else {
        format!("NO: needs {}", missing.join(", "))
    }
}

/// Founds the namespaces of a lab and lets them go: the same way that a lab takes.
fn founded() -> Result<(), Failure> {
    let spec = PartSpec { manner: Manner::Founder, ..PartSpec::new("nothing") };
    part::spawn(spec)?.wait(std::time::Duration::from_secs(5))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_about_the_kernel_has_a_meaning() {
        for what in ["owner", "queue", "egress"] {
            assert!(meaning(what, "yes").starts_with("good"), "{what}");
            assert!(!meaning(what, "none (why)").starts_with("good"), "{what}");
        }
        assert!(meaning("engine", "fifo").starts_with("good"));
        assert!(meaning("engine", "other").contains("no real-time priority"));
    }

    #[test]
    fn a_fault_works_where_everything_that_it_needs_was_found() {
        let needs = [Capability::OwnedTable, Capability::Queue];
        let with = |queue: &str| {
            let found = [("owner", "yes"), ("queue", queue)];
            let found = found.map(|(key, how)| (key.to_owned(), how.to_owned()));
            works(&needs, &BTreeMap::from(found))
        };
        assert_eq!(with("nft queue"), "works");
        assert_eq!(with("none (no such thing)"), "NO: needs NFQUEUE, native or as an xt target");
        assert!(works(&needs, &BTreeMap::new()).starts_with("NO: needs owned nftables tables"));
    }
}

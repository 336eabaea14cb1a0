//! What is asked of the machine once, before a drill: variables, secrets, the wall clock, who runs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::experiment::ProbeSpec;
use crate::model::history::Environment;
use crate::probe::{self, SecretRef};

use super::failure::Failure;

/// `{{env.NAME}}`.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The value of every secret that probes refer to, by its key. `folder` is the experiment's.
///
/// Errors: name what is missing, never a value.
pub fn secrets(
    probes: &BTreeMap<String, ProbeSpec>,
    folder: &Path,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = BTreeMap::new();
    for (name, spec) in probes {
        let Some(entry) = probe::find(&spec.kind) else { continue };
        for wanted in entry.secrets(&spec.params).map_err(Failure::usage)? {
            let value = secret(&wanted, folder)
                .map_err(|why| Failure::usage(format!("probe `{name}`: {why}")))?;
            values.insert(wanted.key(), value);
        }
    }
    Ok(values)
}

fn secret(wanted: &SecretRef, folder: &Path) -> Result<String, String> {
    match wanted {
        SecretRef::Env(name) => std::env::var(name)
            .map_err(|_| format!("the variable {name} is not set; its secret is taken from it")),
        SecretRef::File(path) => {
            let path = folder.join(path);
            let text = std::fs::read_to_string(&path)
                .map_err(|e| format!("failed to read the secret file {}: {e}", path.display()))?;
            Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
        }
    }
}

/// The machine, as far as it bears on the figures.
#[must_use]
pub fn environment() -> Environment {
    let kernel = nix::sys::utsname::uname().map_or("unknown".to_owned(), |u| {
        format!("{} {}", u.sysname().to_string_lossy(), u.release().to_string_lossy())
    });
    let load = std::fs::read_to_string("/proc/loadavg").ok();
    let load = load.and_then(|l| l.split(' ').next().and_then(|first| first.parse().ok()));
    Environment {
        kernel,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        load: load.unwrap_or_default(),
        privilege: if nix::unistd::geteuid().is_root() { "root" } else { "user" }.to_owned(),
        ..Environment::default()
    }
}

/// Who starts the drill: the login name, else the number.
#[must_use]
pub fn runner() -> String {
    let uid = nix::unistd::getuid();
    nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// 64 bits by chance, for seeds and names.
pub fn chance() -> Result<u64, Failure> {
    use std::io::Read;
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut f| f.read_exact(&mut bytes))
        .map_err(|e| Failure::internal(format!("failed to read /dev/urandom: {e}")))?;
    Ok(u64::from_le_bytes(bytes))
}

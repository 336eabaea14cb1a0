//! `squall new`: a first experiment for a service of a lab, to be read, run and made one's own.
//!
//! What it writes validates without an error or a warning, for every service of every lab that is
//! shipped.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::model::lab::{Check, LabSpec, Service};
use crate::model::outcome::ExitCode;
use crate::model::units::Span;
use crate::spec::{Look, lab, remedy, render};

/// The port by which a service is known to be Redis.
const REDIS: u16 = 6379;

#[derive(Debug, Args)]
pub struct New {
    /// The service whose failure is to be tested; the first that has something to fail over to
    /// unless told.
    pub service: Option<String>,
    /// The lab that it is in.
    #[arg(long, value_name = "FILE", default_value = "experiments/labs/redis-sentinel.yaml")]
    pub lab: PathBuf,
    /// Write to this file, which must not be there yet.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Exit code 2 when the lab has errors, which are printed. Errors: a service that it does not have,
/// a file that is there already or cannot be written.
pub fn run(args: &New, look: Look, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let loaded = match lab(&args.lab) {
        Ok(loaded) => loaded,
        Err(_) if !args.lab.exists() => {
            return Err(Failure::usage(format!(
                "there is no lab {}; name yours with `--lab FILE`",
                args.lab.display()
            )));
        }
        Err(findings) => {
            out.write_all(render(&findings.0, look).as_bytes())?;
            return Ok(ExitCode::Usage);
        }
    };
    let spec = &loaded.value;
    let known: Vec<&str> = spec.services.keys().map(String::as_str).collect();
    let chosen = args.service.as_deref().or_else(|| first_choice(spec));
    let Some((name, service)) = chosen.and_then(|name| spec.services.get_key_value(name)) else {
        let wanted = chosen.unwrap_or_default();
        let help = remedy(wanted, &known);
        return Err(Failure::usage(format!("the lab has no service `{wanted}`; {help}")));
    };
    let Some(road) = Road::to(name, spec) else {
        return Err(Failure::usage(format!(
            "the service `{name}` has no port to look at; give it a `port` in the lab"
        )));
    };
    let folder = args.output.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let path = relative(folder, &args.lab)?;
    let draft = Draft { lab: spec, name, service, road, path };
    let text = draft.text();
    match &args.output {
        None => out.write_all(text.as_bytes())?,
        Some(path) if path.exists() => {
            let shown = path.display();
            return Err(Failure::usage(format!("{shown} is there already; name another file")));
        }
        Some(path) => {
            std::fs::write(path, text)
                .map_err(|e| Failure::usage(format!("failed to write {}: {e}", path.display())))?;
            writeln!(out, "wrote {0}; next: squall plan {0}", path.display())?;
        }
    }
    Ok(ExitCode::Held)
}

/// A service with a role, or with more than one instance; else any.
fn first_choice(lab: &LabSpec) -> Option<&str> {
    let by = |fits: fn(&Service) -> bool| lab.services.iter().find(|(_, s)| fits(s));
    by(|s| s.role.is_some())
        .or_else(|| by(|s| s.hosts.len() > 1))
        .or_else(|| lab.services.iter().next())
        .map(|(name, _)| name.as_str())
}

/// What is known when the experiment is written.
struct Draft<'a> {
    lab: &'a LabSpec,
    name: &'a str,
    service: &'a Service,
    road: Road<'a>,
    /// The lab's, as the experiment must name it.
    path: PathBuf,
}

/// The way that clients take: a service that stands in front, else the service itself.
struct Road<'a> {
    name: &'a str,
    service: &'a Service,
    port: u16,
    in_front: bool,
}

impl<'a> Road<'a> {
    /// None: nothing has a port.
    fn to(name: &'a str, lab: &'a LabSpec) -> Option<Road<'a>> {
        let own = lab.services.get(name)?;
        let port = own.port?;
        let front = lab.services.iter().find(|(_, service)| {
            service.port == own.port && service.after.iter().any(|after| after == name)
        });
        Some(match front {
            Some((name, service)) => Road { name, service, port, in_front: true },
            None => Road { name, service: own, port, in_front: false },
        })
    }

    fn probe(&self) -> String {
        let name = self.name;
        match self.page() {
            Some(path) => format!("http: {{url: \"http://{{{{lab.{name}}}}}{path}\"}}"),
            None if self.port == REDIS => format!("redis: {{address: \"{{{{lab.{name}}}}}\"}}"),
            None => format!("tcp: {{address: \"{{{{lab.{name}}}}}\"}}"),
        }
    }

    /// What its readiness asks for on the port that clients use.
    fn page(&self) -> Option<&'a str> {
        self.service.ready.iter().find_map(|check| match check {
            Check::Http(look) if look.port.is_none() && look.method == "GET" => {
                Some(look.path.as_str())
            }
            _ => None,
        })
    }
}

impl Draft<'_> {
    fn text(&self) -> String {
        let name = self.name;
        let role = self.role();
        let target = role.unwrap_or("instance");
        let selector = match role {
            Some(role) => format!("{{lab: {{service: {name}, role: {role}}}}}"),
            None => format!("{{lab: {{service: {name}}}, pick: one}}"),
        };
        let (hold, limit) = self.times();
        // More than is promised, and less than hold and watch: it can trip.
        let (within, stop) = (Span(limit.0 + limit.0), Span(hold.0 + limit.0));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# What fails: the {target} of {name} is killed, as when its process crashes.\n\
             # What should happen: clients are served again within {limit}.\n\
             apiVersion: squall.dev/v1alpha1\n\
             kind: Experiment\n\
             metadata: {{name: {name}-{target}-loss}}\n\
             spec:\n  \
               title: Clients are served again when the {target} of {name} dies\n  \
               lab: {lab}\n  \
               targets:\n    \
                 {target}: {selector}\n  \
               probes:\n    \
                 {note}clients: {{{probe}, rate: 50/s, deadline: 250ms}}\n  \
               steadyState: {{for: 2s}}\n  \
               method:\n    \
                 # Longer than the longest timer of the mechanism under test.\n    \
                 - {{at: 0s, hold: {hold}, inject: {{processKill: {{target: {target}}}}}}}\n  \
               hypothesis:\n    \
                 - downtime: {{probe: clients, atMost: {limit}}}\n    \
                 - recovery: {{probe: clients, within: {within}}}\n",
            lab = quoted(&self.path.display().to_string()),
            probe = self.road.probe(),
            note = self.note(),
        );
        if role.is_some() && self.service.hosts.len() > 1 {
            let _ = writeln!(text, "    - roleMoved: {{target: {target}, within: {limit}}}");
        }
        let _ = write!(
            text,
            "  stopConditions:\n    \
               - outage: {{probe: clients, longerThan: {stop}}}\n  \
             recoveryWatch: {hold}\n"
        );
        text
    }

    /// The first role that its reader knows: labs name the leading one first.
    fn role(&self) -> Option<&str> {
        let reader = self.service.role.as_ref()?;
        reader.roles.first().map(|rule| rule.role.as_str())
    }

    /// The hold, longer than every timer of the lab, and what clients are promised.
    fn times(&self) -> (Span, Span) {
        let timers = self.lab.services.values().flat_map(|service| service.timers.values());
        let longest = timers.max().copied().unwrap_or_default().0;
        let limit = Span(longest.max(Span::secs(2).0) + Span::secs(1).0);
        (Span(limit.0 + Span::secs(2).0), limit)
    }

    /// Without anything in front only one instance is looked at.
    fn note(&self) -> &'static str {
        if self.road.in_front || self.service.hosts.len() < 2 {
            return "";
        }
        "# This looks at the first instance only; look at the one that clients would go to.\n    "
    }
}

/// As YAML writes it: with quotes where it needs them.
fn quoted(text: &str) -> String {
    serde_yaml::to_string(text).unwrap_or_default().trim_end().to_owned()
}

/// A path from a folder: as it is when it is absolute.
fn relative(folder: &Path, path: &Path) -> io::Result<PathBuf> {
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let from = std::path::absolute(folder.join("."))?;
    let to = std::path::absolute(path)?;
    let parts = |path: &Path| -> Vec<PathBuf> {
        path.components()
            .filter(|part| *part != Component::CurDir)
            .map(|part| PathBuf::from(part.as_os_str()))
            .collect()
    };
    let (from, to) = (parts(&from), parts(&to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(PathBuf::from(".."), from.len() - shared);
    Ok(up.chain(to[shared..].iter().cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_is_named_from_where_the_experiment_stands() {
        let labs = Path::new("experiments/labs/web.yaml");
        let from = |folder: &str| relative(Path::new(folder), labs).unwrap();
        assert_eq!(from(""), labs);
        assert_eq!(from("experiments"), Path::new("labs/web.yaml"));
        assert_eq!(from("drills/mine"), Path::new("../../experiments/labs/web.yaml"));
        let absolute = Path::new("/srv/lab.yaml");
        assert_eq!(relative(Path::new("x"), absolute).unwrap(), absolute);
    }

    #[test]
    fn a_path_with_odd_characters_is_quoted() {
        assert_eq!(quoted("labs/web.yaml"), "labs/web.yaml");
        assert_ne!(quoted("a: b.yaml"), "a: b.yaml");
    }
}

//! `squall lab`: a lab that stands by itself, for drills to attach to and for people to look round.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use nix::sys::signal::{SigSet, Signal};
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

pub use super::failure::Failure;
use super::prepare::found;
use crate::host::HostError;
use crate::host::channel::Channel;
use crate::host::linux::cgroup;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::part;
use crate::host::linux::process::{LinuxProcesses, await_end};
use crate::host::linux::program::become_program;
use crate::host::part::{End, Entry, Manner, PartSpec};
use crate::host::process::Processes;
use crate::lab::keeper::{Kept, keep};
use crate::lab::message::{FromLab, ToLab};
use crate::lab::registry::{RECORD_VERSION, Record, Registry, Standing};
use crate::lab::{Lab, LabError, LabEvent, LabPlace};
use crate::spec;

/// How long a keeper may take to remove its lab.
const DOWN_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Start a lab and keep it until it is ended.
    Up(Up),
    /// Show the labs that stand.
    List,
    /// End a lab.
    Down(Down),
    /// Show the hosts of a lab: their addresses, and what runs there.
    Hosts(Hosts),
    /// Run a program on a host of a lab.
    Exec(Exec),
}

#[derive(Debug, Args)]
pub struct Hosts {
    /// Which lab, where several stand.
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct Up {
    /// A document of kind Lab.
    pub file: PathBuf,
    /// Return when it is ready; `squall lab down NAME` ends it.
    #[arg(long)]
    pub detach: bool,
}

#[derive(Debug, Args)]
pub struct Down {
    /// The lab's name, as `squall lab list` has it.
    pub name: String,
    /// Even while a drill is attached to it.
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Exec {
    /// Which lab, where several stand.
    #[arg(long)]
    pub lab: Option<String>,
    /// One of its hosts; `client` is in every lab.
    pub host: String,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    pub command: Vec<String>,
}

/// What a keeper is told: the text itself, so that both mean the same file.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeepOrder {
    path: String,
    text: String,
    registry: PathBuf,
}

/// What a detached keeper tells the one who started it.
#[derive(Debug, Serialize, Deserialize)]
enum FromKeeper {
    Happened(LabEvent),
    Standing {
        /// Where it is, for a lab with a cluster.
        kubeconfig: Option<PathBuf>,
    },
    Failed {
        why: String,
        code: u8,
    },
}

/// Runs one of the commands; the exit status.
pub fn run(command: &LabCommand, labs: &Registry, out: &mut dyn Write) -> Result<u8, Failure> {
    // What a lab that was killed has left of its control groups.
    cgroup::sweep();
    match command {
        LabCommand::Up(args) => up(args, labs, out),
        LabCommand::List => list(labs, out),
        LabCommand::Hosts(args) => {
            hosts(&find(args.name.as_deref(), labs)?.record, out);
            Ok(0)
        }
        LabCommand::Down(args) => down(args, labs, out),
        LabCommand::Exec(args) => exec(args, labs),
    }
}

fn up(args: &Up, labs: &Registry, out: &mut dyn Write) -> Result<u8, Failure> {
    let text = std::fs::read_to_string(&args.file)
        .map_err(|e| usage(format!("failed to read {}: {e}", args.file.display())))?;
    let name = spec::lab_from_text(&args.file, &text).map_err(found)?.name;
    let path = std::fs::canonicalize(&args.file).unwrap_or_else(|_| args.file.clone());
    let registry = labs.folder().to_owned();
    let order = KeepOrder { path: path.display().to_string(), text, registry };
    if args.detach {
        return detach(&order, &name, out);
    }
    let kept = keep_here(&order, |told| match told {
        FromKeeper::Happened(event) => tell(out, &event),
        FromKeeper::Standing { kubeconfig } => {
            show_way(out, kubeconfig.as_deref());
            say(out, &format!("lab {name} stands; Ctrl-C or `squall lab down {name}` ends it"));
        }
        FromKeeper::Failed { .. } => {}
    })?;
    match kept {
        Kept::Down => Ok(0),
        Kept::Died(why) => Err(Failure { why: format!("lab {name} ended: {why}"), code: 1 }),
    }
}

fn detach(order: &KeepOrder, name: &str, out: &mut dyn Write) -> Result<u8, Failure> {
    let (mut ours, theirs) = Channel::pair()?;
    let spec = PartSpec {
        fds: vec![theirs.into_fd()],
        manner: Manner::Detached,
        ..PartSpec::new("lab-keeper")
    };
    let _keeper = part::spawn(spec)?;
    ours.send(order)?;
    while let Some(told) = ours.receive()? {
        match told {
            FromKeeper::Happened(event) => tell(out, &event),
            FromKeeper::Standing { kubeconfig } => {
                show_way(out, kubeconfig.as_deref());
                say(out, &format!("lab {name} stands; `squall lab down {name}` ends it"));
                return Ok(0);
            }
            FromKeeper::Failed { why, code } => return Err(Failure { why, code }),
        }
    }
    Err(Failure { why: format!("the keeper of lab {name} died"), code: 1 })
}

/// The part `lab-keeper`: descriptor 3 leads to the one who started it, who may be long gone.
pub fn keeper_part(mut fds: Vec<OwnedFd>) -> Result<(), Failure> {
    if fds.is_empty() {
        return Err(usage("this part is started by squall, not by hand".to_owned()));
    }
    let mut channel = Channel::from_fd(fds.remove(0));
    let Some(order) = channel.receive::<KeepOrder>()? else { return Ok(()) };
    let mut channel = Some(channel);
    let kept = keep_here(&order, |told| {
        let last = matches!(told, FromKeeper::Standing { .. });
        if let Some(open) = &mut channel {
            let _ = open.send(&told);
        }
        if last {
            channel = None;
        }
    });
    if let (Err(failure), Some(open)) = (&kept, &mut channel) {
        let failed = FromKeeper::Failed { why: failure.why.clone(), code: failure.code };
        let _ = open.send(&failed);
    }
    kept.map(|_| ())
}

/// Raises the lab and keeps it, in this process.
fn keep_here(order: &KeepOrder, mut told: impl FnMut(FromKeeper)) -> Result<Kept, Failure> {
    let read = spec::lab_from_text(Path::new(&order.path), &order.text).map_err(found)?;
    let claim = Registry::at(order.registry.clone()).claim(&read.name)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| HostError::io("start a runtime", e))?;
    runtime.block_on(async {
        // Before the lab comes up: an impatient Ctrl-C must find us listening.
        let mut signals = Signals::listen()?;
        let place = LabPlace { logs: claim.logs() };
        let raising = Lab::up(&read.name, &read.value, &place, |event| {
            told(FromKeeper::Happened(event.clone()));
        });
        let lab = tokio::select! {
            raised = raising => raised?,
            () = signals.next() => return Ok(Kept::Down),
        };
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let listener = claim.publish(&Record {
            version: RECORD_VERSION,
            identity: lab.identity().clone(),
            keeper: LinuxProcesses::new()?.identify(own)?,
            path: order.path.clone(),
            sha256: read.sha256.clone(),
            spec: read.value.clone(),
            hosts: lab.hosts().to_vec(),
            cluster: lab.cluster().cloned(),
        })?;
        told(FromKeeper::Standing { kubeconfig: claim.kubeconfig() });
        Ok(keep(lab, listener, signals.next()).await?)
    })
}

fn list(labs: &Registry, out: &mut dyn Write) -> Result<u8, Failure> {
    let all = labs.list()?;
    if all.is_empty() {
        // Not where a script reads names.
        say(&mut std::io::stderr(), "no lab stands; `squall lab up FILE` starts one");
    }
    for standing in all {
        let record = &standing.record;
        let line = format!(
            "{}\t{} hosts\tkept by process {}\t{}",
            record.identity.name,
            record.hosts.len(),
            record.keeper.pid,
            record.path
        );
        say(out, &line);
    }
    Ok(0)
}

/// One line a host: name, both addresses, what runs there and its port.
fn hosts(record: &Record, out: &mut dyn Write) {
    for (host, _) in &record.hosts {
        let here = record.spec.services.iter().filter(|(_, s)| s.hosts.contains(&host.name));
        let services: Vec<String> = here
            .map(|(name, s)| s.port.map_or(name.clone(), |port| format!("{name}:{port}")))
            .collect();
        say(out, &format!("{}\t{}\t{}\t{}", host.name, host.ipv4, host.ipv6, services.join(" ")));
    }
}

fn down(args: &Down, labs: &Registry, out: &mut dyn Write) -> Result<u8, Failure> {
    let standing = find(Some(&args.name), labs)?;
    let mut channel = standing.connect()?;
    let keeper = LinuxProcesses::new()?.open(&standing.record.keeper)?;
    channel.send(&ToLab::Down { force: args.force })?;
    if let Some(FromLab::Busy { holder }) = channel.receive()? {
        return Err(LabError::Busy { name: args.name.clone(), holder }.into());
    }
    let deadline = monotonic_ns() + u64::try_from(DOWN_WITHIN.as_nanos()).unwrap_or(u64::MAX);
    if await_end(&keeper, deadline)?.is_none() {
        let pid = standing.record.keeper.pid;
        let why = format!("lab {} is still kept by process {pid}; end that", args.name);
        return Err(Failure { why, code: 1 });
    }
    say(out, &format!("lab {} is gone", args.name));
    Ok(0)
}

fn exec(args: &Exec, labs: &Registry) -> Result<u8, Failure> {
    let standing = find(args.lab.as_deref(), labs)?;
    let hosts = &standing.record.hosts;
    let Some((_, netns)) = hosts.iter().find(|(host, _)| host.name == args.host) else {
        let names: Vec<&str> = hosts.iter().map(|(host, _)| host.name.as_str()).collect();
        return Err(usage(format!("no host `{}`; there are {}", args.host, names.join(", "))));
    };
    let mut words = vec![netns.path.clone()];
    words.extend(args.command.iter().cloned());
    // Ctrl-C is for the program; we live as long as it does.
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGINT);
    mask.add(Signal::SIGQUIT);
    mask.thread_block().map_err(|e| HostError::io("block signals", e))?;
    let mut program = part::spawn(PartSpec {
        args: words,
        enter: Some(Entry { init: standing.record.identity.init.clone() }),
        manner: Manner::Foreground,
        ..PartSpec::new("lab-exec")
    })?;
    loop {
        if let Some(end) = program.wait(Duration::MAX)? {
            return Ok(match end {
                End::Exit(status) => u8::try_from(status & 0xff).unwrap_or(1),
                End::Signal(signal) => 128 + u8::try_from(signal & 0x7f).unwrap_or(0),
            });
        }
    }
}

/// The part `lab-exec NETNS PROGRAM ARGS…`: becomes that program.
pub fn exec_part(words: &[String]) -> Failure {
    let Some((netns, argv)) = words.split_first() else {
        return usage("this part is started by squall, not by hand".to_owned());
    };
    // As a shell has it: 127 for a program that is not there.
    Failure { why: become_program(netns, argv).to_string(), code: 127 }
}

/// The lab of that name; without a name the only one that stands.
fn find(name: Option<&str>, registry: &Registry) -> Result<Standing, Failure> {
    if let Some(name) = name {
        let found = registry.find(name)?;
        return found.ok_or_else(|| LabError::Unknown { name: name.to_owned() }.into());
    }
    let mut all = registry.list()?;
    match (all.pop(), all.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(usage("no lab stands; `squall lab up FILE` starts one".to_owned())),
        (Some(_), _) => Err(usage(
            "several labs stand; name one: `lab hosts NAME`, `lab exec --lab NAME`".to_owned(),
        )),
    }
}

/// The polite ways to be told to end.
struct Signals([tokio::signal::unix::Signal; 3]);

impl Signals {
    fn listen() -> Result<Signals, HostError> {
        let on = |kind| signal(kind).map_err(|e| HostError::io("listen for signals", e));
        Ok(Signals([
            on(SignalKind::interrupt())?,
            on(SignalKind::terminate())?,
            on(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

fn tell(out: &mut dyn Write, event: &LabEvent) {
    match event {
        LabEvent::Ready { instance, .. } => say(out, &format!("{instance} is ready")),
        LabEvent::Prepared { what, .. } => say(out, &format!("{what}: done")),
        LabEvent::Ended { instance, how, .. } => say(out, &format!("{instance} ended: {how}")),
        LabEvent::Failing { instance, why, .. } => say(out, &format!("{instance}: {why}")),
        LabEvent::Wired { .. } | LabEvent::Started { .. } | LabEvent::Died { .. } => {}
    }
}

/// How to speak to the cluster of a lab.
fn show_way(out: &mut dyn Write, kubeconfig: Option<&Path>) {
    let Some(path) = kubeconfig.map(Path::display) else { return };
    say(out, &format!("kubeconfig: {path}"));
    say(out, &format!("try it: kubectl --kubeconfig {path} get nodes"));
}

/// A reader that went away is no reason to end a lab.
fn say(out: &mut dyn Write, line: &str) {
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn usage(why: String) -> Failure {
    Failure { why, code: 2 }
}

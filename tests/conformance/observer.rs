//! The eye in the lab: one process that stands beside the targets, looks at everything that a fault
//! could have left, and plays the strangers.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use squall::host::channel::Channel;
use squall::host::linux::{LinuxHost, inherit, netns};
use squall::host::network::Canary;
use squall::host::{Network, Processes};
use squall::injection::journal::Journal;
use squall::injection::recovery;
use squall::model::id::DrillId;
use squall::model::identity::{NetnsIdentity, ProcessIdentity};
use squall::model::inventory::Host;

use crate::script::{Answer, Ask, Scene, Seen};

/// Shorter than any delay that a fault of the catalogue makes in its example.
const PROMPT: Duration = Duration::from_millis(20);
/// How often a number may go to somebody else before we give up.
const TRIES: usize = 200;

struct Observer {
    host: LinuxHost,
    hosts: Vec<(Host, NetnsIdentity)>,
}

/// Answers until the harness is gone.
pub fn run() -> ExitCode {
    let mut harness = Channel::from_fd(inherit::take(3).unwrap());
    let hosts = harness.receive().unwrap().unwrap();
    let host = LinuxHost::new(DrillId::from_bits(0)).unwrap();
    let mut observer = Observer { host, hosts };
    while let Some(ask) = harness.receive::<Ask>().unwrap() {
        let answer = observer.answer(ask);
        harness.send(&answer).unwrap();
    }
    ExitCode::SUCCESS
}

impl Observer {
    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Look => Answer::Scene(self.look()),
            Ask::Processes => {
                Answer::Scene(Scene { processes: self.processes(), ..Scene::default() })
            }
            Ask::Signal { who, signal } => match self.host.signal(&who, signal) {
                Ok(()) => Answer::Done,
                Err(error) => Answer::Failed(error.to_string()),
            },
            Ask::Rules { netns, nft } => {
                let net = format!("--net={netns}");
                let ran = Command::new("nsenter").args([&net, "nft", &nft]).output().unwrap();
                if ran.status.success() { Answer::Done } else { Answer::Failed(format!("{ran:?}")) }
            }
            Ask::TakeNumber(pid) => match take_number(pid) {
                Some(()) => Answer::Stranger(self.host.identify(pid).unwrap()),
                None => Answer::Failed(format!("number {pid} never came free")),
            },
            Ask::Recover(bytes) => self.recover(&bytes),
            Ask::ReplaceNamespace(path) => {
                let _other = fs::remove_file(OTHER);
                let other = netns::create(OTHER).unwrap();
                bind(&other.path, &path);
                Answer::Done
            }
            Ask::ChangeRules(ns) => {
                let nft = |line: &str| Command::new("nft").arg(line).status().unwrap().success();
                let change = || Ok(nft("add table inet theirs") && nft("delete table inet theirs"));
                match netns::inside(&ns, change) {
                    Ok(true) => Answer::Done,
                    other => Answer::Failed(format!("{other:?}")),
                }
            }
            Ask::RestoreNamespace(path) => {
                nix::mount::umount2(path.as_str(), nix::mount::MntFlags::MNT_DETACH).unwrap();
                nix::mount::umount2(OTHER, nix::mount::MntFlags::MNT_DETACH).unwrap();
                Answer::Done
            }
        }
    }

    fn look(&self) -> Scene {
        let mut scene = Scene { processes: self.processes(), ..Scene::default() };
        for (_, ns) in &self.hosts {
            match self.host.ours(ns, None) {
                Ok(found) => {
                    scene.kernel.extend(found.iter().map(|what| format!("{}: {what}", ns.path)));
                }
                Err(error) => scene.kernel.push(format!("{} cannot be read: {error}", ns.path)),
            }
        }
        // From each host to the next, so that every host is left once and reached once.
        for (index, from) in self.hosts.iter().enumerate() {
            let to = &self.hosts[(index + 1) % self.hosts.len()];
            if !self.arrives(from, to) {
                scene.blocked.push(format!("nothing comes from {} to {}", from.0.name, to.0.name));
            }
        }
        scene
    }

    fn arrives(&self, from: &(Host, NetnsIdentity), to: &(Host, NetnsIdentity)) -> bool {
        let canary = Canary {
            from: from.1.clone(),
            from_address: from.0.ipv4,
            to: to.1.clone(),
            to_address: to.0.ipv4,
            port: None,
            count: 1,
            spacing: Duration::ZERO,
            patience: PROMPT,
        };
        self.host.canary(&canary).is_ok_and(|report| report.delays_ns.len() == 1)
    }

    fn processes(&self) -> Vec<Seen> {
        let numbers = fs::read_dir("/proc").unwrap().flatten();
        numbers.filter_map(|entry| self.seen(entry.file_name().to_str()?.parse().ok()?)).collect()
    }

    /// None: gone, or a zombie.
    fn seen(&self, pid: i32) -> Option<Seen> {
        let who: ProcessIdentity = self.host.identify(pid).ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let state = stat.rsplit_once(") ")?.1.chars().next()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some(Seen { who, state, line })
    }

    /// What `squall undo` does once it is inside, with whatever is left of the journal.
    fn recover(&mut self, bytes: &[u8]) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, bytes).unwrap();
        match Journal::reopen(&path) {
            Ok((mut journal, contents)) => {
                Answer::Recovered(recovery::recover(&mut self.host, &mut journal, &contents))
            }
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

const OTHER: &str = "/run/netns/other";

fn bind(from: &str, over: &str) {
    let none = None::<&str>;
    nix::mount::mount(Some(from), over, none, nix::mount::MsFlags::MS_BIND, none).unwrap();
}

/// Starts a process with exactly that number, which nobody has now.
fn take_number(pid: i32) -> Option<()> {
    for _ in 0..TRIES {
        fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let mut child = Command::new("sleep").arg("600.4").spawn().unwrap();
        if i32::try_from(child.id()).unwrap() == pid {
            // Nobody waits for it: it is the lab's.
            std::mem::forget(child);
            return Some(());
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    None
}

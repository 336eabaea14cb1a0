//! A place of its own for one test: a state folder, a lab of one process, drills in it, and a mark
//! by which everything of it can be found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::live::{Live, Terminal};

/// No command of these tests may take longer.
pub const PATIENCE: Duration = Duration::from_secs(40);

static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct Stand {
    folder: tempfile::TempDir,
    /// Occurs in the command line of the lab's init and of its one service.
    pub mark: String,
}

/// What a command said.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A drill, of which each test changes what it is about.
#[derive(Debug, Clone)]
pub struct Drill {
    pub hold: &'static str,
    pub fault: &'static str,
    pub target: &'static str,
    pub probe: &'static str,
    pub steady: &'static str,
    pub hypothesis: &'static str,
    pub watch: &'static str,
}

impl Default for Drill {
    fn default() -> Drill {
        Drill {
            hold: "100ms",
            fault: "processPause: {target: redis}",
            target: "lab: {service: redis}",
            probe: r#"{tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: PONG}, rate: 100/s, deadline: 50ms}"#,
            steady: "{for: 100ms, within: 5s}",
            hypothesis: "longestOutage: {probe: ping, atMost: 20s}",
            watch: "5s",
        }
    }
}

impl Stand {
    pub fn new() -> Stand {
        let folder = tempfile::Builder::new().prefix("squall-cli-").tempdir().unwrap();
        let mark =
            format!("{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed) + 100);
        let stand = Stand { folder, mark };
        let lab = LAB.replace("MARK", &stand.mark);
        fs::write(stand.path("lab.yaml"), lab).unwrap();
        stand.drill(&Drill::default());
        stand
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// `drill.yaml`.
    pub fn drill(&self, drill: &Drill) {
        let text = format!(
            "apiVersion: squall.dev/v1alpha1\nkind: Experiment\nmetadata: {{name: one}}\nspec:\n  \
             title: one process\n  lab: lab.yaml\n  targets: {{redis: {{{}}}}}\n  \
             probes: {{ping: {}}}\n  steadyState: {}\n  \
             method: [{{at: 0s, hold: {}, inject: {{{}}}}}]\n  \
             hypothesis: [{{{}}}]\n  recoveryWatch: {}\n",
            drill.target,
            drill.probe,
            drill.steady,
            drill.hold,
            drill.fault,
            drill.hypothesis,
            drill.watch
        );
        fs::write(self.path("drill.yaml"), text).unwrap();
    }

    pub fn squall(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        self.dress(command.args(args));
        command
    }

    fn dress(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env_remove("NO_COLOR")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
    }

    /// Runs it to its end. A drill of 200 ms is inconclusive when the machine did not run us for 2
    /// of them: it says so, and is run again.
    pub fn run(&self, args: &[&str]) -> Ran {
        let mut ran = self.start(args).finish();
        for _ in 0..4 {
            if !too_busy(&ran) || args[0] != "run" {
                break;
            }
            eprintln!("the machine was too busy to measure; run again");
            let out = args.iter().position(|arg| *arg == "--out").map(|at| args[at + 1]);
            fs::remove_dir_all(self.path(out.unwrap_or("state/squall/drills"))).unwrap();
            ran = self.start(args).finish();
        }
        ran
    }

    /// `squall run drill.yaml --out out`, and further arguments.
    pub fn run_drill(&self, more: &[&str]) -> Ran {
        self.run(&[&["run", "drill.yaml", "--out", "out"], more].concat())
    }

    pub fn start(&self, args: &[&str]) -> Live {
        Live::start(self.squall(args))
    }

    pub fn start_drill(&self) -> Live {
        self.start(&["run", "drill.yaml", "--out", "out"])
    }

    /// The same with a terminal of its own, which it loses when the terminal is dropped.
    pub fn start_on_terminal(&self, args: &[&str], env: &[(&str, &str)]) -> Terminal {
        let mut command = Command::new("setsid");
        self.dress(command.arg("--ctty").arg(env!("CARGO_BIN_EXE_squall")).args(args));
        command.env("TERM", "xterm").envs(env.iter().copied());
        Terminal::start(command)
    }

    /// `squall lab up lab.yaml --detach`: drills attach to it, and it outlives them.
    pub fn raise(&self) {
        let up = self.run(&["lab", "up", "lab.yaml", "--detach"]);
        assert_eq!(up.code, Some(0), "{up:?}");
    }

    pub fn lower(&self) {
        let down = self.run(&["lab", "down", &format!("t-{}", self.mark), "--force"]);
        assert_eq!(down.code, Some(0), "{down:?}");
    }

    pub fn report(&self) -> Value {
        serde_json::from_str(&self.read("out/report.json")).unwrap()
    }

    /// The process of the lab's one service, by its number here.
    pub fn service(&self) -> Option<i32> {
        let mark = format!("/t-{}", self.mark);
        marked(&mark).into_iter().find(|pid| cmdline(*pid).contains("redis-server"))
    }

    /// Is it running or sleeping, and not stopped?
    pub fn service_runs(&self) -> bool {
        self.service().is_some_and(|pid| !matches!(stat(pid), Some((_, 'T' | 't' | 'Z', _))))
    }

    /// Fails unless everything of this test is gone: processes, journals, leftovers of files.
    pub fn assert_nothing_left(&self) {
        let mark = self.mark.clone();
        until("every process of the lab is gone", || marked(&mark).is_empty());
        self.assert_no_journal();
    }

    pub fn assert_no_journal(&self) {
        let journals = self.path("state/squall/journal");
        let left = || -> Vec<_> { fs::read_dir(&journals).unwrap().flatten().collect() };
        until("every journal is closed", || left().is_empty());
    }
}

impl Drop for Stand {
    /// Whatever became of the test: what it started ends.
    fn drop(&mut self) {
        let _ = self.squall(&["lab", "down", &format!("t-{}", self.mark), "--force"]).output();
        for pid in marked(&self.mark) {
            signal(pid, libc::SIGKILL);
        }
    }
}

/// Inconclusive by our own lag and by nothing else.
fn too_busy(ran: &Ran) -> bool {
    let lag = ["the prober did not run for", "slots in the window are invalid or missing"];
    ran.code == Some(5)
        && lag.iter().any(|why| ran.out.contains(why))
        && !ran.out.contains("the steady state was not reached")
}

const LAB: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Lab
metadata: {name: t-MARK}
spec:
  title: one process
  services:
    redis:
      hosts: [r1]
      command: [redis-server, --port, "6379", --bind, "{{host.ipv4}}", --save, "", --protected-mode, "no",
                --set-proc-title, "no", --pidfile, "/t-MARK"]
      package: redis-server
      port: 6379
      ready: [{tcp: {send: "PING\r\n", expect: PONG}}]
"#;

/// Waits for a condition, not for a time.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < limit, "not within 10 s: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn signal(pid: i32, number: i32) {
    let number = nix::sys::signal::Signal::try_from(number).unwrap();
    let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), number);
}

pub fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

pub fn cmdline(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Processes whose command line has the mark.
pub fn marked(mark: &str) -> Vec<i32> {
    pids().into_iter().filter(|pid| cmdline(*pid).contains(mark)).collect()
}

/// Parent, state, start time.
pub fn stat(pid: i32) -> Option<(i32, char, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    Some((fields[1].parse().ok()?, fields[0].chars().next()?, fields[19].parse().ok()?))
}

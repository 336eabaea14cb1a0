//! What the tests stand on: the built program, run as root or as an ordinary user, with a state
//! folder of its own and a mark by which everything that it starts can be found.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use squall::host::Processes;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::process::LinuxProcesses;
use squall::lab::registry::{Registry, Standing};
use squall::model::identity::ProcessIdentity;

/// Who runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Root,
    User,
}

/// nobody, in nogroup.
const USER: &str = "65534";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A place of its own for one test.
pub struct Fixture {
    who: Who,
    folder: tempfile::TempDir,
    /// The program, where the user can execute it.
    file: PathBuf,
    /// Occurs in the command line of every process of this test.
    pub mark: String,
}

/// The program as built.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_squall"))
}

/// Can everybody execute it where it is? Not when it was built below somebody's closed home.
fn is_open(path: &Path) -> bool {
    path.ancestors().all(|p| fs::metadata(p).is_ok_and(|m| m.permissions().mode() & 0o001 != 0))
}

fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("squall-test-").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

impl Fixture {
    /// None, with the reason printed, where this cannot be run.
    pub fn new(who: Who) -> Option<Fixture> {
        if who == Who::Root && !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return None;
        }
        let folder = open_folder();
        let mut file = program().to_owned();
        if who == Who::User && !is_open(&file) {
            file = folder.path().join("squall-copy");
            fs::copy(program(), &file).unwrap();
        }
        let mark =
            format!("{}0{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed) + 100);
        Some(Fixture { who, folder, file, mark })
    }

    /// `squall ARGS…`, as the user of this fixture.
    pub fn squall(&self, args: &[&str]) -> Command {
        let mut command = if self.who == Who::User && nix::unistd::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            let (uid, gid) = (format!("--reuid={USER}"), format!("--regid={USER}"));
            command.args([&uid, &gid, "--clear-groups", "--"]).arg(&self.file);
            command
        } else {
            Command::new(&self.file)
        };
        command
            .args(args)
            .current_dir("/")
            .env("XDG_STATE_HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.squall(args).output().unwrap()
    }

    /// The same, and it must succeed; what it printed.
    pub fn must(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {}\n{text}\n{errors}", output.status);
        text
    }

    /// Writes a lab with these services; `MARK` in it becomes the mark, its name is `t-MARK`.
    pub fn lab(&self, services: &str) -> String {
        let text = format!(
            "apiVersion: squall.dev/v1alpha1\nkind: Lab\nmetadata: {{name: t-MARK}}\n\
             spec:\n  title: a test\n  services:\n{services}"
        );
        let path = self.folder.path().join(format!("t-{}.yaml", self.mark));
        fs::write(&path, text.replace("MARK", &self.mark)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn name(&self) -> String {
        format!("t-{}", self.mark)
    }

    pub fn registry(&self) -> Registry {
        Registry::at(self.folder.path().join("squall/labs"))
    }

    pub fn standing(&self) -> Standing {
        self.registry().list().unwrap().pop().expect("no lab stands")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Processes whose command line has the mark.
    pub fn marked(&self) -> Vec<i32> {
        let has_mark = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&self.mark)
        };
        pids().into_iter().filter(has_mark).collect()
    }

    /// Fails unless every marked process is gone within that time.
    pub fn assert_gone(&self, within: Duration, when: &str) {
        let deadline = monotonic_ns() + u64::try_from(within.as_nanos()).unwrap();
        while !self.marked().is_empty() {
            let left: Vec<String> = self.marked().iter().map(|p| line_of(*p)).collect();
            assert!(monotonic_ns() < deadline, "{when}: still there after {within:?}: {left:?}");
        }
    }
}

impl Drop for Fixture {
    /// Whatever became of the test, its labs end: with their keepers.
    fn drop(&mut self) {
        for pid in self.marked() {
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid),
                nix::sys::signal::Signal::SIGKILL,
            );
        }
        for standing in self.registry().list().unwrap_or_default() {
            let _ = LinuxProcesses::new().unwrap().signal(&standing.record.keeper, libc::SIGKILL);
        }
    }
}

/// The number here of a process that a lab knows by its own number: the start time is the same.
pub fn outer(inner: &ProcessIdentity, near: i32) -> ProcessIdentity {
    let namespace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let lab = namespace(near).unwrap();
    let host = LinuxProcesses::new().unwrap();
    let found = pids().into_iter().find(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let numbers = status.lines().find(|l| l.starts_with("NSpid:")).unwrap_or_default();
        namespace(*pid).as_ref() == Some(&lab)
            && numbers.split_ascii_whitespace().last() == Some(&inner.pid.to_string())
    });
    let who = host.identify(found.expect("no such process in the lab")).unwrap();
    assert_eq!(who.start_ticks, inner.start_ticks, "start times differ between namespaces");
    who
}

fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

fn line_of(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!("{pid} {}", String::from_utf8_lossy(&line).replace('\0', " "))
}

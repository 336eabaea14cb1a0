//! What the tests stand on: the built program with a state folder of its own, labs as small as a
//! cluster can be, and a look at what of a lab is left on the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use squall::lab::registry::{Registry, Standing};

/// The programs that `make kube-programs` builds, and the images of `make kube-images`.
pub const PROGRAMS: &str = "target/kube/1.34.4";
pub const IMAGES: &str = "target/kube/images";

/// One cluster at a time: each takes a gigabyte and what there is of processors.
static ALONE: Mutex<()> = Mutex::new(());

pub struct Stand {
    folder: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// A squall in the foreground; killed when dropped.
pub struct Running(pub Child);

impl Stand {
    /// None, with the name of the test and the reason printed, where this cannot be run.
    pub fn new(test: &str) -> Option<Stand> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = missing() {
            eprintln!("skipped: {test}: {why}");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("squall-kube-").tempdir().unwrap();
        Some(Stand { folder, _alone: alone })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn squall(&self, args: &[&str]) -> Command {
        self.squall_in("one", args)
    }

    /// With a state folder of that name: those of another know nothing of it.
    pub fn squall_in(&self, state: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        command.args(args).env("XDG_STATE_HOME", self.folder().join(state)).stdin(Stdio::null());
        command
    }

    /// It must succeed; what it printed.
    pub fn must(&self, args: &[&str]) -> String {
        let output = self.squall(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", both(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// One node, one image, and whatever more the section is to say.
    pub fn small(&self, name: &str, more: &str) -> String {
        let here = std::env::current_dir().unwrap();
        let (programs, images) = (here.join(PROGRAMS), here.join(IMAGES));
        let text = format!(
            "apiVersion: squall.dev/v1alpha1\nkind: Lab\nmetadata: {{name: {name}}}\nspec:\n  \
             title: one node\n  kubernetes:\n    nodes: [{{name: n1, zone: z1}}]\n    \
             programs: [{}]\n    images: [{}/pause.tar]\n{more}",
            programs.display(),
            images.display()
        );
        let path = self.folder().join(format!("{name}.yaml"));
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Starts it in the foreground and waits until it says that it stands.
    pub fn up(&self, state: &str, file: &str) -> Running {
        let log = self.folder().join(format!("{state}.out"));
        let out = fs::File::create(&log).unwrap();
        let mut command = self.squall_in(state, &["lab", "up", file]);
        let child = command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap();
        let mut running = Running(child);
        within(Duration::from_mins(2), "it does not stand", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(running.0.try_wait().unwrap().is_none(), "it ended: {text}");
            text.contains("stands;")
        });
        running
    }

    pub fn standing(&self, state: &str) -> Standing {
        let registry = Registry::at(self.folder().join(state).join("squall/labs"));
        registry.list().unwrap().pop().expect("no lab stands")
    }

    pub fn kubeconfig(&self, state: &str, lab: &str) -> PathBuf {
        self.folder().join(state).join("squall/labs").join(lab).join("kubeconfig")
    }

    /// From the machine itself, by the kubeconfig that `lab up` wrote.
    pub fn kubectl(&self, state: &str, lab: &str, args: &[&str]) -> Output {
        let mut command = Command::new(format!("{PROGRAMS}/kubectl"));
        command.arg("--kubeconfig").arg(self.kubeconfig(state, lab)).args(args);
        command.env("HOME", self.folder()).output().unwrap()
    }

    /// The same, and it must succeed.
    pub fn ask(&self, args: &[&str]) -> String {
        let output = self.kubectl("one", "kubernetes", args);
        assert!(output.status.success(), "{args:?}: {}", both(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Stand {
    /// Whatever became of the test, its detached labs end.
    fn drop(&mut self) {
        for state in ["one", "two"] {
            let registry = Registry::at(self.folder().join(state).join("squall/labs"));
            for standing in registry.list().unwrap_or_default() {
                let name = standing.record.identity.name;
                let _ = self.squall_in(state, &["lab", "down", "--force", &name]).output();
            }
        }
    }
}

/// Why a cluster cannot be raised here.
fn missing() -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("needs root".to_owned());
    }
    let kubelet = Path::new(PROGRAMS).join("kubelet");
    let pause = Path::new(IMAGES).join("pause.tar");
    let remedy = "`make kube-programs kube-images` makes it";
    let gone = [kubelet, pause].into_iter().find(|path| !path.exists());
    gone.map(|path| format!("there is no {}; {remedy}", path.display()))
}

pub fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Looks until it is so.
pub fn within(span: Duration, otherwise: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + span;
    while !so() {
        assert!(Instant::now() < deadline, "{otherwise} within {span:?}");
        std::thread::yield_now();
    }
}

/// The PID namespace of that process: what its lab is known by.
pub fn namespace(init: i32) -> PathBuf {
    fs::read_link(format!("/proc/{init}/ns/pid")).expect("the lab's init is gone")
}

/// Every process in that PID namespace.
pub fn residents(lab: &Path) -> Vec<i32> {
    let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let names = pids.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| of(name).as_deref() == Some(lab)).filter_map(|n| n.parse().ok()).collect()
}

/// Does anything of a lab of that name have control groups?
pub fn groups(lab: &str) -> Vec<PathBuf> {
    let trees = fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path());
    let all = trees.filter_map(|tree| fs::read_dir(tree).ok()).flatten().flatten();
    let ours = all.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with("squall-") && name.ends_with(&format!("-{lab}"))
    });
    ours.collect()
}

/// What of the machine a lab must leave as it was.
#[derive(Debug, PartialEq)]
pub struct Machine {
    mounts: Vec<String>,
    devices: Vec<String>,
    settings: Vec<String>,
}

impl Machine {
    pub fn look() -> Machine {
        let names = |folder: &str| {
            let entries = fs::read_dir(folder).unwrap().flatten();
            let mut names: Vec<String> =
                entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            names.sort();
            names
        };
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let settings = ["kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory"];
        let read = |name: &&str| fs::read_to_string(format!("/proc/sys/{name}")).unwrap();
        Machine {
            mounts: mounts.lines().map(str::to_owned).collect(),
            devices: names("/sys/class/net"),
            settings: settings.iter().map(read).collect(),
        }
    }
}

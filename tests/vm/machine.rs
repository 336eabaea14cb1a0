//! The machine: a stock Debian kernel in QEMU, in software alone, with a hard limit of its time.
//!
//! No KVM: where its module is one of page tables it starts and then hangs, and trying costs more
//! than it gives. One processor: two of them on two shared cores are slower and less exact.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use squall::host::linux::clock::monotonic_ns;

use super::suites::Suite;

const QEMU: &str = "qemu-system-x86_64";

/// What the kernel can do beyond what is built in. `nft_compat` and `xt_NFQUEUE` are there so that
/// the native queue is chosen, not just the only one left.
const MODULES: &[&str] = &[
    "nf_tables",
    "nft_queue",
    "nft_ct",
    "nft_numgen",
    "nfnetlink_queue",
    "nft_compat",
    "xt_NFQUEUE",
    "veth",
    "bridge",
    "dummy",
    "tun",
];

/// The same programs that the tests find here; everything else is busybox.
const PROGRAMS: &[&str] = &[
    "ip",
    "nft",
    "setpriv",
    "unshare",
    "ps",
    "pgrep",
    "sh",
    "sleep",
    "timeout",
    "python3",
    "redis-server",
    "redis-sentinel",
    "redis-cli",
    "haproxy",
    "nginx",
    "etcd",
];

/// What was made of the kernel, the suites and what they need.
pub struct Machine {
    folder: PathBuf,
}

impl Machine {
    /// Makes kernel and file system with these suites and files. Downloads the kernel's package
    /// when it is not there yet.
    pub fn make(suites: &[Suite], files: &[PathBuf]) -> Machine {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = source.join("target/vm");
        fs::create_dir_all(&folder).unwrap();
        let lines: String = suites.iter().map(Suite::line).collect();
        fs::write(folder.join("suites"), lines).unwrap();
        let mut binaries: Vec<&PathBuf> = suites.iter().map(|suite| &suite.binary).collect();
        binaries.dedup();
        let output = Command::new(source.join("scripts/vm-image"))
            .arg(&folder)
            .args([MODULES.join(" "), PROGRAMS.join(" ")])
            .args(binaries)
            .args(files)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the machine cannot be made: {errors}");
        print!("{}", String::from_utf8_lossy(&output.stdout));
        Machine { folder }
    }

    /// Runs it until it turns itself off or the time is over; what its console said, which also is
    /// in `target/vm/console.log`.
    pub fn run(&self, limit: Duration) -> String {
        let mut running = Running(self.start());
        let lines = lines_of(running.0.stdout.take().unwrap());
        let deadline = monotonic_ns() + u64::try_from(limit.as_nanos()).unwrap();
        let mut console = String::new();
        let mut late = false;
        loop {
            let left = Duration::from_nanos(deadline.saturating_sub(monotonic_ns()));
            match lines.recv_timeout(left) {
                Ok(line) => {
                    println!("| {line}");
                    console.push_str(&line);
                    console.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    late = true;
                    break;
                }
            }
        }
        fs::write(self.folder.join("console.log"), &console).unwrap();
        assert!(!late, "the machine was not done after {limit:?}");
        let status = running.0.wait().unwrap();
        let mut errors = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert!(status.success(), "{QEMU}: {status}: {errors}");
        console
    }

    fn start(&self) -> Child {
        let mut command = Command::new(QEMU);
        command
            .args(["-accel", "tcg", "-machine", "q35", "-cpu", "Nehalem", "-smp", "1"])
            .args(["-m", "1024", "-nodefaults", "-display", "none", "-no-reboot"])
            .args([
                "-serial",
                "stdio",
                "-append",
                "console=ttyS0 panic=-1 quiet mitigations=off rcupdate.rcu_expedited=1",
            ])
            .arg("-kernel")
            .arg(self.folder.join("vmlinuz"))
            .arg("-initrd")
            .arg(self.folder.join("initramfs"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap_or_else(|error| {
            panic!(
                "cannot start {QEMU}: {error}; install it: apt-get install \
                 --no-install-recommends qemu-system-x86 (`make vm` does)"
            )
        })
    }
}

/// Ends with the test, whatever becomes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lines_of(out: ChildStdout) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if send.send(line.trim_end_matches('\r').to_owned()).is_err() {
                break;
            }
        }
    });
    receive
}

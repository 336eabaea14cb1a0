//! What this kernel can carry, found by doing it in a network namespace made for that and thrown
//! away. Never by version: distributions leave out and bring back what they like.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io::{Read, Write};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use serde::{Deserialize, Serialize};

use super::queue::{QUEUE, Queue};
use super::socket::{NetfilterSocket, close_aside};
use super::tables::{Layout, QueueStyle};
use super::urgency;
use crate::host::HostError;
use crate::model::id::TABLE_PREFIX;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Tables that die with the socket.
    pub owner: bool,
    /// How packets get to the engine, if they can.
    pub queue: Option<QueueStyle>,
    /// Chains on leaving packets.
    pub egress: bool,
    /// The engine's thread may run first.
    pub first: bool,
    /// Why something is missing, in words.
    pub troubles: BTreeMap<String, String>,
}

impl Found {
    /// Without it a fault would outlive us: nothing is done then.
    pub fn require_owner(&self) -> Result<(), HostError> {
        if self.owner {
            return Ok(());
        }
        Err(HostError::Lacking {
            what: format!("nf_tables with owned tables{}", self.why("owner")),
            remedy: "Linux 5.12 or later with nf_tables is needed".to_owned(),
        })
    }

    /// For `doctor` and the history.
    pub fn words(&self) -> BTreeMap<String, String> {
        let yes = |found: bool, yes: &str, what: &str| {
            if found { yes.to_owned() } else { format!("none{}", self.why(what)) }
        };
        let queue = match self.queue {
            Some(QueueStyle::Native) => "nft queue".to_owned(),
            Some(QueueStyle::Target) => "xt NFQUEUE target".to_owned(),
            None => format!("none{}", self.why("queue")),
        };
        [
            ("owner", yes(self.owner, "yes", "owner")),
            ("queue", queue),
            ("egress", yes(self.egress, "netdev", "egress")),
            ("engine", if self.first { "fifo" } else { "other" }.to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    fn why(&self, what: &str) -> String {
        self.troubles.get(what).map_or(String::new(), |why| format!(" ({why})"))
    }
}

/// A probe under way. Begun early, it costs nobody any time.
#[derive(Debug)]
pub struct Probing(JoinHandle<Result<Found, HostError>>);

impl Probing {
    /// None: without a thread it is done when it is asked for.
    #[must_use]
    pub fn begin() -> Option<Probing> {
        std::thread::Builder::new().name("probing".to_owned()).spawn(probe).ok().map(Probing)
    }

    pub(super) fn end(self) -> Result<Found, HostError> {
        self.0.join().unwrap_or_else(|_| {
            Err(HostError::io("probe what can be had", std::io::Error::other("it panicked")))
        })
    }
}

/// Tries everything in throwaway namespaces: as we are, or in a user namespace of our own.
pub(super) fn probe() -> Result<Found, HostError> {
    match in_threads() {
        Err(Errno::EPERM) => in_child(),
        other => other.map_err(|e| HostError::io("make a network namespace to probe in", e)),
    }
}

/// The native queue by itself: where it is not known, the kernel looks for a module and takes its
/// time to say no.
fn in_threads() -> Result<Found, Errno> {
    std::thread::scope(|scope| {
        let native = scope.spawn(|| unshare(CloneFlags::CLONE_NEWNET).map(|()| native_here()));
        let others = scope.spawn(|| unshare(CloneFlags::CLONE_NEWNET).map(|()| others_here()));
        let native = native.join().unwrap_or(Err(Errno::EIO));
        let others = others.join().unwrap_or(Err(Errno::EIO));
        Ok(others?.with(native?))
    })
}

/// A user namespace can only be entered by a process with one thread, so it takes a child.
#[expect(unsafe_code, reason = "fork has no safe form")]
fn in_child() -> Result<Found, HostError> {
    let wrap = |e: Errno| HostError::io("probe in a child process", e);
    let (read_end, write_end) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(wrap)?;
    // SAFETY: the child allocates, which glibc permits after fork, touches nothing that another
    // thread of the parent could have left half-done, and ends by `_exit`.
    match unsafe { fork() }.map_err(wrap)? {
        ForkResult::Child => {
            let found = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
                .map(|()| others_here().with(native_here()))
                .map_err(|e| format!("user namespaces are refused here: {e}"));
            let mut pipe = std::fs::File::from(write_end);
            let _ = serde_json::to_vec(&found).map(|text| pipe.write_all(&text));
            // SAFETY: ends this child at once, without the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            drop(write_end);
            let mut text = Vec::new();
            let read = std::fs::File::from(read_end).read_to_end(&mut text);
            let _ = waitpid(child, None);
            read.map_err(|e| HostError::io("hear of the probe", e))?;
            let found: Result<Found, String> = serde_json::from_slice(&text)
                .map_err(|e| HostError::io("read what the probe found", std::io::Error::from(e)))?;
            found.map_err(|remedy| HostError::Denied {
                what: "a network namespace to probe in".to_owned(),
                remedy,
            })
        }
    }
}

/// Tries everything but the native queue in the namespace of this thread: all of it at once, and
/// one by one where that fails.
fn others_here() -> Found {
    let mut found = Found { first: urgency::raise(), ..Found::default() };
    let bound = bind();
    let stand_in = Some((QueueStyle::Target, QUEUE));
    let leaving = || Layout { devices: vec![c"lo".to_owned()], ..plain() };
    if bound.is_ok() && make(&Layout { queue: stand_in, ..leaving() }).is_ok() {
        return Found { owner: true, egress: true, queue: Some(QueueStyle::Target), ..found };
    }
    match make(&plain()) {
        Ok(()) => found.owner = true,
        Err(why) => found.trouble("owner", why),
    }
    match make(&leaving()) {
        Ok(()) => found.egress = true,
        Err(why) => found.trouble("egress", why),
    }
    match bound.and_then(|()| queue_by(QueueStyle::Target)) {
        Ok(style) => found.queue = Some(style),
        Err(why) => found.trouble("queue", why),
    }
    found
}

fn native_here() -> Result<QueueStyle, String> {
    bind()?;
    queue_by(QueueStyle::Native)
}

fn bind() -> Result<(), String> {
    Queue::bind().map(close_aside).map_err(|e| e.to_string())
}

fn queue_by(style: QueueStyle) -> Result<QueueStyle, String> {
    make(&Layout { queue: Some((style, QUEUE)), ..plain() }).map(|()| style)
}

/// Makes the tables of a carrier and lets them go.
fn make(layout: &Layout) -> Result<(), String> {
    let mut socket = NetfilterSocket::open().map_err(|e| e.to_string())?;
    let made = layout.create().commit(&mut socket);
    let made = made
        .map_err(|e| format!("failed to {}: {}", e.what, e.source))
        .and_then(|_| layout.destroy().commit(&mut socket).map_err(|e| e.source.to_string()));
    close_aside(socket);
    made.map(|_| ())
}

fn plain() -> Layout {
    Layout { table: table(), devices: Vec::new(), queue: None }
}

fn table() -> CString {
    CString::new(format!("{TABLE_PREFIX}probe")).unwrap_or_default()
}

impl Found {
    /// The kernel's own expression goes before its stand-in.
    fn with(mut self, native: Result<QueueStyle, String>) -> Found {
        if let Ok(style) = native {
            self.queue = Some(style);
            self.troubles.remove("queue");
        }
        self
    }

    fn trouble(&mut self, what: &str, why: String) {
        self.troubles.insert(what.to_owned(), why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_native_queue_goes_first_and_one_way_is_enough() {
        let mut without = Found { owner: true, ..Found::default() };
        without.trouble("queue", "no xt_NFQUEUE".to_owned());
        let native = without.clone().with(Ok(QueueStyle::Native));
        assert_eq!((native.queue, native.troubles.len()), (Some(QueueStyle::Native), 0));
        let neither = without.with(Err("no nft_queue".to_owned()));
        assert_eq!(neither.words()["queue"], "none (no xt_NFQUEUE)");
        let stand_in = Found { queue: Some(QueueStyle::Target), ..Found::default() };
        assert_eq!(stand_in.clone().with(Err(String::new())), stand_in);
        assert_eq!(stand_in.with(Ok(QueueStyle::Native)).queue, Some(QueueStyle::Native));
    }
}

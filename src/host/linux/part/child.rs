//! The children's half of a part's birth. Between fork and exec only calls that are safe in a
//! signal handler: another thread of the parent may have held any lock when it was copied.

#![expect(unsafe_code, reason = "fork, clone and exec have no safe form")]

use std::ffi::{CString, c_char};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;

use nix::errno::Errno;
use nix::unistd::Pid;

use super::Prepared;
use crate::host::HostError;
use crate::host::linux::namespace;
use crate::host::part::Manner;

/// Joined together, in one call, by the pidfd of the lab's init.
pub(super) const LAB_NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// Where a child has come to, or what it failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Stage {
    /// In a new user namespace that nobody has mapped yet.
    NeedsMap = 1,
    /// The second child is there; the value is its number.
    Forked,
    /// It dies with its parent from here on, and waits for the word.
    Armed,
    FailedUser,
    FailedNamespaces,
    FailedEnter,
    FailedFork,
    FailedDescriptors,
    FailedExec,
}

/// One message: the stage and a number (a process, or an errno).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Report {
    pub stage: Stage,
    pub value: i32,
}

/// Pointers for exec, made before the fork.
struct Vectors {
    argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
}

impl Stage {
    const ALL: [Stage; 9] = [
        Stage::NeedsMap,
        Stage::Forked,
        Stage::Armed,
        Stage::FailedUser,
        Stage::FailedNamespaces,
        Stage::FailedEnter,
        Stage::FailedFork,
        Stage::FailedDescriptors,
        Stage::FailedExec,
    ];

    /// What a failed stage means to the caller.
    pub(super) fn error(self, errno: Errno) -> HostError {
        match self {
            Stage::FailedUser | Stage::FailedNamespaces => namespace::refusal(errno),
            Stage::FailedEnter if errno == Errno::ESRCH => HostError::Gone("the lab".to_owned()),
            Stage::FailedEnter if errno == Errno::EPERM => HostError::Denied {
                what: "entering the lab".to_owned(),
                remedy: "run as the user who started it".to_owned(),
            },
            Stage::FailedEnter => HostError::io("enter the lab", errno),
            Stage::FailedDescriptors => HostError::io("arrange a part's descriptors", errno),
            Stage::FailedExec => HostError::io("execute squall as a part", errno),
            _ => HostError::io("fork a part", errno),
        }
    }
}

impl Report {
    pub(super) const SIZE: usize = 8;

    fn bytes(self) -> [u8; Report::SIZE] {
        let mut bytes = [0; Report::SIZE];
        bytes[..4].copy_from_slice(&(self.stage as i32).to_ne_bytes());
        bytes[4..].copy_from_slice(&self.value.to_ne_bytes());
        bytes
    }

    pub(super) fn parse(bytes: [u8; Report::SIZE]) -> Option<Report> {
        let (stage, value) = bytes.split_at(4);
        let number = i32::from_ne_bytes(stage.try_into().ok()?);
        let stage = Stage::ALL.into_iter().find(|s| *s as i32 == number)?;
        Some(Report { stage, value: i32::from_ne_bytes(value.try_into().ok()?) })
    }
}

/// Takes a number that the kernel just gave us.
pub(super) fn owned(number: RawFd) -> OwnedFd {
    // SAFETY: the caller got it from F_DUPFD, nobody else has it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// A descriptor that our parent left us; None when that number is not open.
pub(super) fn given(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: asks, changes nothing. An open one was put there by `become_part` for this part, and
    // `inherited` is called before anything else could have taken it.
    unsafe { (libc::fcntl(number, libc::F_GETFD) >= 0).then(|| OwnedFd::from_raw_fd(number)) }
}

/// Is the first child the part, or does it only fork it?
pub(super) fn is_part_itself(prepared: &Prepared) -> bool {
    prepared.enter.is_none() && !prepared.manner.founds()
}

/// Forks; the parent returns. `ours` is what the child must close, or it would never see us die.
pub(super) fn fork(
    prepared: &Prepared,
    ours: &UnixStream,
    theirs: &OwnedFd,
) -> Result<Pid, HostError> {
    let vectors = Vectors { argv: pointers(&prepared.argv), env: pointers(&prepared.env) };
    // SAFETY: the child calls only `run`, which allocates nothing and never returns.
    match unsafe { libc::fork() } {
        -1 => Err(HostError::io("fork a part", Errno::last())),
        0 => {
            // SAFETY: closing our copy of the parent's end; nothing else uses that number here.
            unsafe { libc::close(ours.as_raw_fd()) };
            run(prepared, &vectors, theirs.as_raw_fd())
        }
        pid => Ok(Pid::from_raw(pid)),
    }
}

fn pointers(words: &[CString]) -> Vec<*const c_char> {
    words.iter().map(|w| w.as_ptr()).chain([ptr::null()]).collect()
}

fn run(prepared: &Prepared, vectors: &Vectors, parent: RawFd) -> ! {
    if prepared.realtime {
        let priority = libc::sched_param { sched_priority: 1 };
        // SAFETY: a valid structure; a refusal leaves us as we are.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) };
    }
    if is_part_itself(prepared) {
        become_part(prepared, vectors, parent);
    }
    match &prepared.enter {
        // SAFETY: plain system calls on our own descriptors, here and below.
        Some(init) => {
            check(parent, Stage::FailedEnter, unsafe {
                libc::setns(init.as_raw_fd(), prepared.namespaces)
            });
            become_root(parent);
        }
        None => found(prepared, parent),
    }
    // SAFETY: without CLONE_VM this is a fork; the child goes on with its own copy of the stack.
    // Its parent is our parent. glibc's fork cannot do that.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_PARENT | libc::SIGCHLD, 0, 0, 0, 0) };
    match i32::try_from(pid) {
        Ok(0) => become_part(prepared, vectors, parent),
        Ok(pid) if pid > 0 => {
            say(parent, Stage::Forked, pid);
            leave(0)
        }
        _ => fail(parent, Stage::FailedFork),
    }
}

/// Root's own id is mapped to nothing in the lab of an ordinary user; as nobody it would lose its
/// rights at the exec. For all others this changes nothing.
fn become_root(parent: RawFd) {
    for call in [libc::SYS_setresgid, libc::SYS_setresuid] {
        // SAFETY: plain system calls; glibc's own would speak to threads that were not copied.
        let result = unsafe { libc::syscall(call, 0, 0, 0) };
        check(parent, Stage::FailedEnter, i32::try_from(result).unwrap_or(-1));
    }
}

/// Makes the namespaces of a lab. Our parent maps the ids, for we may not.
fn found(prepared: &Prepared, parent: RawFd) {
    if prepared.manner == Manner::Founder {
        // SAFETY: plain system calls, here and below.
        check(parent, Stage::FailedUser, unsafe { libc::unshare(libc::CLONE_NEWUSER) });
        say(parent, Stage::NeedsMap, 0);
        await_word(parent);
    }
    check(parent, Stage::FailedNamespaces, unsafe {
        libc::unshare(LAB_NAMESPACES & !libc::CLONE_NEWUSER)
    });
}

fn become_part(prepared: &Prepared, vectors: &Vectors, parent: RawFd) -> ! {
    if prepared.manner != Manner::Foreground {
        // SAFETY: plain system calls on our own descriptors, here and below.
        unsafe { libc::setsid() };
        check(parent, Stage::FailedDescriptors, unsafe {
            libc::dup2(prepared.null.as_raw_fd(), 0)
        });
        check(parent, Stage::FailedDescriptors, unsafe { libc::dup2(2, 1) });
    }
    if prepared.manner == Manner::Detached {
        // Whoever reads our parent's output must not have to wait for our end.
        for (place, fd) in [(1, &prepared.null), (2, &prepared.log)] {
            // SAFETY: as above.
            check(parent, Stage::FailedDescriptors, unsafe { libc::dup2(fd.as_raw_fd(), place) });
        }
    }
    for (place, fd) in (3..).zip(&prepared.fds) {
        check(parent, Stage::FailedDescriptors, unsafe { libc::dup2(fd.as_raw_fd(), place) });
    }
    // SAFETY: marks, does not close: the socket to the parent must live until the exec.
    let closed = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            prepared.clear,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    check(parent, Stage::FailedDescriptors, i32::try_from(closed).unwrap_or(-1));
    reset_signals();
    if prepared.manner != Manner::Detached {
        // SAFETY: a plain system call. Last of all: a change of credentials would clear it.
        check(parent, Stage::FailedFork, unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL)
        });
    }
    say(parent, Stage::Armed, 0);
    await_word(parent);
    // SAFETY: both vectors end in null and point into strings that live until the exec.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            prepared.binary.as_raw_fd(),
            c"".as_ptr(),
            vectors.argv.as_ptr(),
            vectors.env.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    fail(parent, Stage::FailedExec)
}

/// The parent may have blocked or ignored signals for its own ends.
fn reset_signals() {
    // SAFETY: an empty set and the default action are valid for every signal; the two that
    // cannot be changed refuse, which is no loss.
    unsafe {
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        for signal in 1..=31 {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

/// Waits for the parent's word; without a parent there is nothing to do here.
fn await_word(parent: RawFd) {
    let mut word = 0_u8;
    loop {
        // SAFETY: one byte into our own variable.
        match unsafe { libc::read(parent, (&raw mut word).cast(), 1) } {
            1 => return,
            -1 if Errno::last() == Errno::EINTR => {}
            _ => leave(1),
        }
    }
}

fn check(parent: RawFd, stage: Stage, result: i32) {
    if result < 0 {
        fail(parent, stage);
    }
}

fn fail(parent: RawFd, stage: Stage) -> ! {
    say(parent, stage, Errno::last_raw());
    leave(1)
}

fn say(parent: RawFd, stage: Stage, value: i32) {
    let bytes = Report { stage, value }.bytes();
    // SAFETY: our own array. A dead parent is noticed when its word does not come.
    unsafe { libc::send(parent, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
}

fn leave(status: i32) -> ! {
    // SAFETY: no destructors, no buffers: they are the parent's.
    unsafe { libc::_exit(status) }
}

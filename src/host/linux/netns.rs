//! Network namespaces: who they are, and how to do one thing inside one.
//!
//! A thread enters and ends there; the caller's own namespace never changes. A socket stays in the
//! namespace in which it was made, so it can be handed back out.

use std::fs::File;
use std::os::fd::AsFd;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use super::clock::boot;
use crate::host::HostError;
use crate::model::identity::NetnsIdentity;

/// `SO_NETNS_COOKIE`, Linux 5.14; missing in the libc crate for some targets.
const SO_NETNS_COOKIE: libc::c_int = 71;

/// Fixes which namespace `path` names now.
pub fn identify(path: &str) -> Result<NetnsIdentity, HostError> {
    let cookie = on_thread(path, cookie_here)??;
    Ok(NetnsIdentity { path: path.to_owned(), cookie, boot: boot()? })
}

/// Makes a network namespace and gives it that name, which must not exist yet.
pub fn create(path: &str) -> Result<NetnsIdentity, HostError> {
    File::create_new(path).map_err(|e| HostError::io(format!("make {path}"), e))?;
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET)
                .map_err(|e| HostError::io("make a network namespace", e))?;
            let own = Some("/proc/thread-self/ns/net");
            mount(own, path, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .map_err(|e| HostError::io(format!("name a network namespace {path}"), e))
        });
        joined(thread.join(), path)
    })?;
    identify(path)
}

/// Runs `work` inside the namespace, on a thread of its own. Errors: `Gone` when the path names
/// another namespace than it did, or none.
pub fn inside<R: Send>(
    ns: &NetnsIdentity,
    work: impl FnOnce() -> Result<R, HostError> + Send,
) -> Result<R, HostError> {
    on_thread(&ns.path, || {
        if cookie_here()? != ns.cookie {
            return Err(HostError::Gone(format!("network namespace {}", ns.path)));
        }
        work()
    })?
}

fn on_thread<R: Send>(path: &str, work: impl FnOnce() -> R + Send) -> Result<R, HostError> {
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => HostError::Gone(format!("network namespace {path}")),
        _ => HostError::io(format!("open {path}"), e),
    })?;
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            setns(file.as_fd(), CloneFlags::CLONE_NEWNET)
                .map_err(|e| HostError::io(format!("enter {path}"), e))?;
            Ok(work())
        });
        joined(thread.join(), path)
    })
}

fn joined<R>(end: std::thread::Result<Result<R, HostError>>, path: &str) -> Result<R, HostError> {
    end.unwrap_or_else(|_| {
        Err(HostError::io(format!("work in {path}"), std::io::Error::other("it panicked")))
    })
}

/// The cookie of the namespace that this thread is in.
#[expect(unsafe_code, reason = "getsockopt has no safe form for this option")]
fn cookie_here() -> Result<u64, HostError> {
    let socket = std::net::UdpSocket::bind("[::]:0")
        .or_else(|_| std::net::UdpSocket::bind("0.0.0.0:0"))
        .map_err(|e| HostError::io("open a socket for the namespace's cookie", e))?;
    let mut cookie: u64 = 0;
    let mut length: libc::socklen_t = 8;
    // SAFETY: `cookie` and `length` are valid for writes and `length` is the size of `cookie`.
    let result = unsafe {
        libc::getsockopt(
            std::os::fd::AsRawFd::as_raw_fd(&socket),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 {
        Ok(cookie)
    } else {
        Err(HostError::io("read the namespace's cookie", std::io::Error::last_os_error()))
    }
}

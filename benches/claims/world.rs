//! Two hosts in network namespaces of their own, joined by a pair of devices.
//!
//! ```text
//! client 10.77.0.2, fd77::2 --- 10.77.0.1, fd77::1 server
//! ```

use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};
use squall::host::linux::netns;
use squall::model::identity::NetnsIdentity;
use squall::model::inventory::Host;

/// A network namespace that lives as long as this value.
pub struct Space {
    file: File,
    pub ns: NetnsIdentity,
}

pub struct World {
    pub server: Space,
    pub client: Space,
}

impl Space {
    fn new() -> Space {
        let own = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("the benches need root");
            File::open("/proc/thread-self/ns/net").unwrap()
        };
        let file = std::thread::spawn(own).join().unwrap();
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let space = Space { file, ns: netns::identify(&path).unwrap() };
        space.program(&["ip", "link", "set", "lo", "up"]);
        space
    }

    /// Moves the calling thread in, for good.
    pub fn enter(&self) {
        setns(self.file.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// Runs `work` on a thread in the namespace.
    pub fn inside<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.enter();
                work()
            });
            thread.join().unwrap()
        })
    }

    /// Runs a program in the namespace, as somebody else on the machine would.
    pub fn program(&self, argv: &[&str]) {
        self.inside(|| run(argv).unwrap_or_else(|why| panic!("{argv:?}: {why}")));
    }
}

/// Runs a program where this thread is. Errors: what it printed.
pub fn run(argv: &[&str]) -> Result<(), String> {
    let output = Command::new(argv[0]).args(&argv[1..]).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

impl World {
    pub fn new() -> World {
        let world = World { server: Space::new(), client: Space::new() };
        let far = world.client.ns.path.as_str();
        let pair = ["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns"];
        world.server.program(&[&pair[..], &[far]].concat());
        for (space, end) in [(&world.server, 1), (&world.client, 2)] {
            let (ipv4, ipv6) = (format!("10.77.0.{end}/24"), format!("fd77::{end}/64"));
            space.program(&["ip", "addr", "add", &ipv4, "dev", "eth0"]);
            space.program(&["ip", "addr", "add", &ipv6, "dev", "eth0", "nodad"]);
            space.program(&["ip", "link", "set", "eth0", "up"]);
        }
        world
    }
}

/// An address of the server.
pub fn server(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 77, 0, 1]), port)
}

pub fn host(name: &str, end: u8) -> Host {
    Host {
        name: name.to_owned(),
        ipv4: IpAddr::from([10, 77, 0, end]),
        ipv6: format!("fd77::{end}").parse().unwrap(),
    }
}

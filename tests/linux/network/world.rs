//! Three hosts in namespaces of their own: a server with a link to each of two clients.
//!
//! ```text
//! client 10.77.0.2, fd77:0::2 --- 10.77.0.1, fd77:0::1  server
//! other  10.77.1.2, fd77:1::2 --- 10.77.1.1, fd77:1::1  server
//! ```

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};
use squall::host::linux::network::LinuxNetwork;
use squall::host::network::{Canary, CanaryReport, Network};
use squall::model::id::{DrillId, InjectionId};
use squall::model::identity::NetnsIdentity;
use squall::model::network::{Cidr, Direction, Effect, Impairment, PacketFilter, Protocol};
use squall::model::units::{Percent, Span};

/// Longer than any test: its end is not what is tested.
pub const LONG: Duration = Duration::from_mins(1);
pub const MS: u64 = 1_000_000;

/// A network namespace that lives as long as this value.
pub struct Space {
    file: File,
    pub ns: NetnsIdentity,
}

pub struct World {
    pub server: Space,
    pub client: Space,
    pub other: Space,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

impl Space {
    fn new() -> Space {
        let file = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("these tests need root or a user namespace");
            File::open("/proc/thread-self/ns/net").unwrap()
        })
        .join()
        .unwrap();
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let ns = squall::host::linux::netns::identify(&path).unwrap();
        let space = Space { file, ns };
        space.program(&["ip", "link", "set", "lo", "up"]);
        space
    }

    /// Runs `work` on a thread in the namespace.
    pub fn inside<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    setns(self.file.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
                    work()
                })
                .join()
                .unwrap()
        })
    }

    /// Runs a program in the namespace, as somebody else on the machine would.
    pub fn program(&self, arguments: &[&str]) -> String {
        self.inside(|| {
            let output = Command::new(arguments[0]).args(&arguments[1..]).output().unwrap();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{arguments:?}: {errors}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        })
    }
}

impl World {
    pub fn new() -> World {
        let world = World { server: Space::new(), client: Space::new(), other: Space::new() };
        for (number, far) in [&world.client, &world.other].into_iter().enumerate() {
            let (near_device, far_device) = (format!("s{number}"), "eth0");
            let far_path = far.ns.path.as_str();
            let add = ["ip", "link", "add", &near_device, "type", "veth", "peer", "name"];
            world.server.program(&[&add[..], &[far_device, "netns", far_path]].concat());
            for (space, device, host) in
                [(&world.server, near_device.as_str(), 1), (far, far_device, 2)]
            {
                let ipv4 = format!("10.77.{number}.{host}/24");
                let ipv6 = format!("fd77:{number}::{host}/64");
                space.program(&["ip", "addr", "add", &ipv4, "dev", device]);
                space.program(&["ip", "addr", "add", &ipv6, "dev", device, "nodad"]);
                space.program(&["ip", "link", "set", device, "up"]);
            }
        }
        world
    }

    /// A flight from a client to the server.
    pub fn to_server(&self, family: Family, from: &Space) -> Canary {
        let number = u8::from(std::ptr::eq(from, &raw const self.other));
        Canary {
            from: from.ns.clone(),
            from_address: address(family, number, 2),
            to: self.server.ns.clone(),
            to_address: address(family, number, 1),
            port: None,
            count: 5,
            spacing: Duration::from_millis(1),
            patience: Duration::from_millis(100),
        }
    }

    /// The same way back.
    pub fn server_to(&self, family: Family, to: &Space) -> Canary {
        let there = self.to_server(family, to);
        Canary {
            from: there.to,
            from_address: there.to_address,
            to: there.from,
            to_address: there.from_address,
            ..there
        }
    }
}

/// `host` is 1 for the server, 2 for the far end.
pub fn address(family: Family, link: u8, host: u8) -> IpAddr {
    match family {
        Family::V4 => format!("10.77.{link}.{host}"),
        Family::V6 => format!("fd77:{link}::{host}"),
    }
    .parse()
    .unwrap()
}

/// Retries until a canary has made it: neighbours have met, links are up.
pub fn meet(network: &LinuxNetwork, canary: &Canary) {
    for _ in 0..50 {
        if arrived(network, canary) > 0 {
            return;
        }
    }
    panic!("no canary ever arrives: {canary:?}");
}

pub fn fly(network: &LinuxNetwork, canary: &Canary) -> CanaryReport {
    network.canary(canary).unwrap()
}

pub fn arrived(network: &LinuxNetwork, canary: &Canary) -> usize {
    fly(network, canary).delays_ns.len()
}

pub fn on_port(canary: Canary, protocol: Protocol, port: u16) -> Canary {
    Canary { port: Some((protocol, port)), ..canary }
}

/// A network of a drill that no other test has.
pub fn network() -> (LinuxNetwork, DrillId) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let bits = (u64::from(std::process::id()) << 20) | NEXT.fetch_add(1, Ordering::Relaxed);
    let drill = DrillId::from_bits(bits);
    (LinuxNetwork::new(drill.clone()), drill)
}

pub fn injection(drill: &DrillId, number: u16) -> InjectionId {
    InjectionId { drill: drill.clone(), number }
}

pub fn cut(id: InjectionId, direction: Direction, filter: PacketFilter) -> Impairment {
    Impairment { id, direction, filter, effect: Effect::Drop }
}

pub fn delay(id: InjectionId, delay_ms: u64, jitter_ms: u64) -> Impairment {
    Impairment {
        id,
        direction: Direction::In,
        filter: PacketFilter::default(),
        effect: Effect::Delay {
            delay: Span::millis(delay_ms),
            jitter: Span::millis(jitter_ms),
            seed: 42,
        },
    }
}

pub fn lose(id: InjectionId, percent: f64) -> Impairment {
    Impairment {
        id,
        direction: Direction::In,
        filter: PacketFilter::default(),
        effect: Effect::Lose { percent: Percent(percent), seed: 42 },
    }
}

pub fn peers(blocks: &[&str]) -> PacketFilter {
    let peers: Vec<Cidr> = blocks.iter().map(|block| block.parse().unwrap()).collect();
    PacketFilter { peers, ..PacketFilter::default() }
}

//! The prober and its role watches inside network namespaces.

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use serde_json::json;
use squall::host::linux::netns;
use squall::model::identity::NetnsIdentity;
use squall::model::message::{FromProber, ToProber};
use squall::model::observation::{ErrorClass, Grade};

use crate::support::let_pass;
use crate::support::part::{Part, hello, spec};

/// A namespace with nothing but its loopback, and a server in it that says `PONG`.
pub struct Island {
    pub identity: NetnsIdentity,
    pub port: u16,
    _end: Sender<()>,
}

impl Island {
    /// None without the privilege to make one; the test then says that it was skipped.
    pub fn rise() -> Option<Island> {
        let (told, tell) = channel();
        let (end, ended) = channel();
        std::thread::spawn(move || live(&told, &ended));
        let (path, port) = tell.recv().unwrap()?;
        Some(Island { identity: netns::identify(&path).unwrap(), port, _end: end })
    }
}

fn live(told: &Sender<Option<(String, u16)>>, ended: &Receiver<()>) {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        told.send(None).unwrap();
        return;
    }
    raise_loopback();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let path = format!("/proc/{}/task/{}/ns/net", std::process::id(), nix::unistd::gettid());
    std::thread::spawn(move || listener.incoming().for_each(|stream| greet(stream.unwrap())));
    told.send(Some((path, port))).unwrap();
    // The namespace stays as long as this thread.
    let _ = ended.recv();
}

fn greet(mut stream: TcpStream) {
    use std::io::{Read, Write};
    std::thread::spawn(move || {
        let mut question = [0; 64];
        while stream.read(&mut question).is_ok_and(|length| length > 0) {
            if stream.write_all(b"+PONG role:island\r\n").is_err() {
                return;
            }
        }
    });
}

/// `RTM_NEWLINK` for link 1: up.
fn raise_loopback() {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )
    .unwrap();
    let mut message = Vec::new();
    message.extend_from_slice(&32u32.to_ne_bytes());
    message.extend_from_slice(&16u16.to_ne_bytes()); // RTM_NEWLINK
    message.extend_from_slice(&5u16.to_ne_bytes()); // NLM_F_REQUEST | NLM_F_ACK
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(&1i32.to_ne_bytes());
    message.extend_from_slice(&1u32.to_ne_bytes()); // IFF_UP
    message.extend_from_slice(&1u32.to_ne_bytes());
    let fd = std::os::fd::AsRawFd::as_raw_fd(&socket);
    sendto(fd, &message, &NetlinkAddr::new(0, 0), MsgFlags::empty()).unwrap();
    let mut answer = [0; 64];
    recv(fd, &mut answer, MsgFlags::empty()).unwrap();
    assert_eq!(answer[16..20], [0; 4], "the loopback did not come up");
}

fn skipped(test: &str) {
    eprintln!("skipped {test}: making a network namespace needs CAP_SYS_ADMIN");
}

#[test]
fn all_of_its_threads_live_in_the_namespace_it_was_given() {
    let Some(island) = Island::rise() else { return skipped("the prober's namespace") };
    let address = format!("127.0.0.1:{}", island.port);
    let params = json!({"address": address, "send": "x", "expect": "PONG"});
    let mut inside = hello(&[("p", spec("tcp", &params, "50/s"))]);
    inside.netns = Some(island.identity.clone());
    let mut part = Part::ready(inside);
    let own = std::fs::read_link(&island.identity.path).unwrap();
    let threads = std::fs::read_dir(format!("/proc/{}/task", part.child.id())).unwrap();
    let mut count = 0;
    for thread in threads {
        let thread = thread.unwrap().path();
        assert_eq!(std::fs::read_link(thread.join("ns/net")).unwrap(), own, "{thread:?}");
        count += 1;
    }
    assert!(count >= 3, "{count}");
    part.start();
    let_pass(300);
    assert!(part.finish("p").iter().filter(|slot| slot.grade == Grade::Good).count() >= 8);
    // From out here nobody listens there.
    let mut outside = Part::ready(hello(&[("p", spec("tcp", &params, "50/s"))]));
    outside.start();
    let_pass(200);
    let slots = outside.finish("p");
    assert!(slots.iter().all(|slot| slot.error == Some(ErrorClass::Refused)), "{slots:?}");
}

#[test]
fn a_namespace_that_was_replaced_is_not_entered() {
    let Some(island) = Island::rise() else { return skipped("the replaced namespace") };
    let mut inside = hello(&[]);
    let cookie = island.identity.cookie + 1;
    inside.netns = Some(NetnsIdentity { cookie, ..island.identity.clone() });
    let mut part = Part::spawn(inside);
    let why = part.wait("Unfit", 5, |message| match message {
        FromProber::Unfit { why, .. } => Some(why.clone()),
        FromProber::Ready { .. } => panic!("it must not be ready"),
        _ => None,
    });
    assert!(why.contains("gone"), "{why}");
    assert_eq!(part.wait_gone(5).1, Some(1));
}

#[test]
fn a_role_is_asked_from_within_the_instances_own_namespace() {
    let Some(island) = Island::rise() else { return skipped("the role in a namespace") };
    let mut outside = hello(&[]);
    let watch = json!({
        "instance": "x@island", "address": "127.0.0.1", "port": island.port,
        "netns": island.identity,
        "reader": {"ask": {"tcp": {"send": "x"}}, "every": "20ms",
                   "roles": [{"role": "islander", "matches": "role:island"}]},
    });
    outside.watches.push(serde_json::from_value(watch).unwrap());
    let mut part = Part::ready(outside);
    part.send(&ToProber::ReadRoles);
    let roles = part.wait("Roles", 5, |message| match message {
        FromProber::Roles(roles) => Some(roles.clone()),
        _ => None,
    });
    let role = roles.into_values().next().unwrap();
    assert_eq!(role.unwrap().0, "islander");
}

#[test]
fn each_probe_looks_from_its_own_place_and_all_are_told_by_one_prober() {
    let (Some(one), Some(two)) = (Island::rise(), Island::rise()) else {
        return skipped("probes from several places");
    };
    let address = format!("127.0.0.1:{}", one.port);
    let look = json!({"address": address, "send": "x", "expect": "PONG"});
    let from = |host: Option<&str>| {
        let mut spec = spec("tcp", &look, "50/s");
        spec["from"] = json!(host);
        spec
    };
    let probes = [("one", from(Some("i1"))), ("two", from(Some("i2"))), ("own", from(None))];
    let mut hello = hello(&probes);
    hello.hosts.insert("i1".to_owned(), one.identity.clone());
    hello.hosts.insert("i2".to_owned(), two.identity.clone());
    let mut part = Part::ready(hello);
    part.start();
    let_pass(400);
    let slots = part.finish("one");
    // Only the first island has that server.
    assert!(slots.len() >= 15, "{}", slots.len());
    assert!(slots.iter().filter(|slot| slot.grade == Grade::Good).count() + 3 >= slots.len());
    for elsewhere in ["two", "own"] {
        let slots = part.slots(elsewhere);
        assert!(slots.len() >= 15, "{elsewhere}: {}", slots.len());
        let refused = slots.iter().filter(|slot| slot.error == Some(ErrorClass::Refused)).count();
        assert!(refused + 3 >= slots.len(), "{elsewhere}: {slots:?}");
    }
    let told: u64 = part.lags().iter().map(|lag| lag.slots).sum();
    let begun: u64 = ["one", "two", "own"].iter().map(|name| part.slots(name).len() as u64).sum();
    assert_eq!(told, begun, "every slot's lag is told once");
}

#[test]
fn a_program_that_a_probe_runs_is_in_its_place_too() {
    let Some(island) = Island::rise() else { return skipped("a program from a place") };
    let own = std::fs::read_link(&island.identity.path).unwrap();
    let run = json!({"run": ["readlink", "/proc/self/ns/net"],
                     "expect": regex::escape(own.to_str().unwrap())});
    let mut inside = spec("command", &run, "10/s");
    inside["from"] = json!("i1");
    let mut hello = hello(&[("inside", inside), ("outside", spec("command", &run, "10/s"))]);
    hello.hosts.insert("i1".to_owned(), island.identity.clone());
    let mut part = Part::ready(hello);
    part.start();
    let_pass(400);
    let slots = part.finish("inside");
    assert!(slots.iter().any(|slot| slot.grade == Grade::Good), "{slots:?}");
    assert!(slots.iter().all(|slot| slot.error.is_none()), "{slots:?}");
    assert!(part.slots("outside").iter().all(|slot| slot.error == Some(ErrorClass::WrongAnswer)));
}

#[test]
fn a_place_that_is_not_named_or_was_replaced_is_unfit() {
    let Some(island) = Island::rise() else { return skipped("a place that is not there") };
    let mut far = spec("tcp", &json!({"address": "127.0.0.1:1"}), "10/s");
    far["from"] = json!("i1");
    let unfit = |hello| {
        let mut part = Part::spawn(hello);
        part.keep_beating();
        part.wait("Unfit", 5, |message| match message {
            FromProber::Unfit { probe, why } => Some(format!("{probe}: {why}")),
            FromProber::Ready { .. } => panic!("it must not be ready"),
            _ => None,
        })
    };
    let mut hello = hello(&[("far", far)]);
    let unnamed = unfit(hello.clone());
    assert!(unnamed.contains("far: there is no host `i1`"), "{unnamed}");
    let cookie = island.identity.cookie + 1;
    hello.hosts.insert("i1".to_owned(), NetnsIdentity { cookie, ..island.identity.clone() });
    let replaced = unfit(hello);
    assert!(replaced.contains("gone"), "{replaced}");
}

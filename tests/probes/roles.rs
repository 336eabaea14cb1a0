//! Role watches on real Redis and etcd.

use std::net::SocketAddr;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::netns;
use squall::model::history::Entry;
use squall::model::inventory::InstanceName;
use squall::model::message::{FromProber, RoleWatch, ToProber};
use tempfile::TempDir;

use crate::support::hostile::{Hostile, Manner};
use crate::support::part::{Part, hello};
use crate::support::server::{Server, ask, free_port};
use crate::support::{MS, let_pass};

fn watch(instance: &str, address: SocketAddr, reader: &Value) -> RoleWatch {
    let netns = netns::identify("/proc/self/ns/net").unwrap();
    // The file is the test's own; the prober must find the same namespace under it.
    let path = format!("/proc/{}/ns/net", std::process::id());
    let watch = json!({
        "instance": instance, "address": address.ip(), "port": address.port(), "reader": reader,
        "netns": {"path": path, "cookie": netns.cookie, "boot": netns.boot},
    });
    serde_json::from_value(watch).unwrap()
}

fn redis_reader() -> Value {
    json!({"ask": {"tcp": {"send": "INFO replication\r\n"}}, "every": "20ms",
           "roles": [{"role": "primary", "matches": "role:master"},
                     {"role": "replica", "matches": "role:slave"}]})
}

/// Reads on until that instance is seen with that role; when it was asked.
fn wait_role(prober: &mut Part, instance: &str, role: Option<&str>) -> u64 {
    prober.wait(&format!("{instance} as {role:?}"), 10, |message| match message {
        FromProber::Saw { at_ns, entry } => match &**entry {
            Entry::RoleSeen { instance: i, role: r, asked_every_ns: 20_000_000 }
                if i.0 == instance && r.as_ref().map(|r| r.0.as_str()) == role =>
            {
                Some(*at_ns)
            }
            _ => None,
        },
        _ => None,
    })
}

fn read_roles(prober: &mut Part) -> Vec<(String, Option<String>)> {
    let began = monotonic_ns();
    prober.send(&ToProber::ReadRoles);
    let roles = prober.wait("Roles", 5, |message| match message {
        FromProber::Roles(roles) => Some(roles.clone()),
        _ => None,
    });
    assert!(monotonic_ns() - began < 400 * MS, "answered within 300 ms");
    let plain =
        |(InstanceName(name), role): (InstanceName, Option<squall::model::inventory::Role>)| {
            (name, role.map(|role| role.0))
        };
    roles.into_iter().map(plain).collect()
}

#[test]
fn a_role_is_told_at_the_start_and_whenever_it_changes() {
    let mut primary = Server::redis(&[]);
    let replica = Server::replica_of(&primary);
    let mut hello = hello(&[]);
    hello.watches.push(watch("redis@a", primary.address, &redis_reader()));
    hello.watches.push(watch("redis@b", replica.address, &redis_reader()));
    let mut prober = Part::spawn(hello);
    prober.keep_beating();
    wait_role(&mut prober, "redis@a", Some("primary"));
    if !prober
        .seen
        .iter()
        .any(|(_, e)| matches!(e, Entry::RoleSeen { instance, .. } if instance.0 == "redis@b"))
    {
        wait_role(&mut prober, "redis@b", Some("replica"));
    }
    let told = prober.seen.len();
    let_pass(300);
    let both = read_roles(&mut prober);
    assert_eq!(both[0], ("redis@a".to_owned(), Some("primary".to_owned())));
    assert_eq!(both[1], ("redis@b".to_owned(), Some("replica".to_owned())));
    assert_eq!(prober.seen.len(), told, "what does not change is not told again");

    let promoted = monotonic_ns();
    ask(replica.address, "REPLICAOF NO ONE\r\n");
    let seen = wait_role(&mut prober, "redis@b", Some("primary"));
    assert!(seen > promoted && seen < promoted + 200 * MS, "{}", (seen - promoted) / MS);

    primary.kill();
    let killed = monotonic_ns();
    let seen = wait_role(&mut prober, "redis@a", None);
    assert!(seen < killed + 200 * MS);
    // A process that stands still says nothing, and that is unknown, not what it was.
    replica.signal(Signal::SIGSTOP);
    let stopped = monotonic_ns();
    let seen = wait_role(&mut prober, "redis@b", None);
    assert!(seen >= stopped + 80 * MS && seen < stopped + 300 * MS);
    let neither = read_roles(&mut prober);
    assert!(neither.iter().all(|(_, role)| role.is_none()), "{neither:?}");
    replica.signal(Signal::SIGCONT);
    wait_role(&mut prober, "redis@b", Some("primary"));
}

#[test]
fn one_connection_serves_many_questions() {
    let redis = Server::redis(&[]);
    let mut hello = hello(&[]);
    hello.watches.push(watch("redis@a", redis.address, &redis_reader()));
    let mut prober = Part::spawn(hello);
    prober.keep_beating();
    wait_role(&mut prober, "redis@a", Some("primary"));
    let connections = || {
        let stats = ask(redis.address, "INFO stats\r\n");
        let line = stats.lines().find(|l| l.starts_with("total_connections_received")).unwrap();
        line.split(':').nth(1).unwrap().trim().parse::<u64>().unwrap()
    };
    let before = connections();
    let_pass(500);
    assert_eq!(connections(), before + 1, "only our own look at the figure");
}

#[test]
fn a_server_that_closes_after_each_answer_is_asked_anew() {
    let server = Hostile::start(Manner::Says("role:master"));
    let mut hello = hello(&[]);
    hello.watches.push(watch("x@a", server.address, &redis_reader()));
    let mut prober = Part::spawn(hello);
    prober.keep_beating();
    wait_role(&mut prober, "x@a", Some("primary"));
    let told = prober.seen.len();
    let_pass(300);
    assert_eq!(read_roles(&mut prober)[0].1.as_deref(), Some("primary"));
    assert_eq!(prober.seen.len(), told, "it never was unknown in between");
}

#[test]
fn etcd_tells_its_leader_by_two_numbers_that_agree() {
    let (port, peer) = (free_port(), free_port());
    let (client, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer}"));
    let cluster = format!("default={peer}");
    let folder = TempDir::new().unwrap();
    let etcd = Server::start(
        port,
        folder,
        &[
            "etcd",
            "--data-dir",
            "data",
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
            "--initial-cluster",
            &cluster,
            "--unsafe-no-fsync",
        ],
    );
    let reader = json!({
        "ask": {"http": {"method": "POST", "path": "/v3/maintenance/status", "body": "{}"}},
        "every": "20ms",
        "roles": [{"role": "leader", "equal": ["/leader", "/header/member_id"]},
                  {"role": "follower", "matches": "member_id"}],
    });
    let mut hello = hello(&[]);
    hello.watches.push(watch("etcd@a", etcd.address, &reader));
    let mut prober = Part::spawn(hello);
    prober.keep_beating();
    wait_role(&mut prober, "etcd@a", Some("leader"));
    assert_eq!(read_roles(&mut prober)[0].1.as_deref(), Some("leader"));
}

#[test]
fn a_reader_that_cannot_be_used_makes_the_prober_unfit() {
    let redis = Server::redis(&[]);
    let mut hello = hello(&[]);
    let reader = json!({"ask": {"tcp": {}}, "roles": [{"role": "primary", "matches": "("}]});
    hello.watches.push(watch("redis@a", redis.address, &reader));
    let mut prober = Part::spawn(hello);
    prober.keep_beating();
    let (probe, why) = prober.wait("Unfit", 5, |message| match message {
        FromProber::Unfit { probe, why } => Some((probe.clone(), why.clone())),
        _ => None,
    });
    assert!(probe.contains("redis@a") && why.contains("regular expression"), "{probe}: {why}");
}

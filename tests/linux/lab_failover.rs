//! The labs that are shipped, with the services that they are made of.

use std::path::Path;
use std::time::Duration;

use squall::host::Processes;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::process::LinuxProcesses;
use squall::lab::Lab;

use crate::fixture::{Fixture, Who, outer};

fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/labs");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The shipped document under a name of its own, where every user can read it.
fn stand(fixture: &Fixture, file: &str) {
    let path = fixture.folder().join(format!("{}.yaml", fixture.mark));
    std::fs::write(&path, shipped(file)).unwrap();
    fixture.must(&["lab", "up", "--detach", path.to_str().unwrap()]);
}

fn each(file: &str, look: impl Fn(&Fixture)) {
    for who in [Who::Root, Who::User] {
        let Some(fixture) = Fixture::new(who) else { continue };
        stand(&fixture, file);
        look(&fixture);
        fixture.must(&["lab", "down", "--force", &fixture.standing().record.identity.name]);
    }
}

/// What `redis-cli -h ADDRESS WORDS…` says, from the client's host.
fn redis(fixture: &Fixture, address: &str, words: &[&str]) -> String {
    let command = ["lab", "exec", "client", "--", "timeout", "1", "redis-cli", "-h", address];
    let output = fixture.run(&[&command[..], words].concat());
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_shipped_lab_names_the_schema_in_its_first_line() {
    for file in ["redis-sentinel.yaml", "redis-alone.yaml", "web.yaml", "etcd.yaml"] {
        let first = "# yaml-language-server: $schema=../../docs/reference/schema.json\n# ";
        assert!(shipped(file).starts_with(first), "{file}");
    }
}

#[test]
fn web_answers_over_both_families() {
    each("web.yaml", |fixture| {
        let mut seen = std::collections::BTreeSet::new();
        for address in ["10.66.0.11", "[fd66::11]"] {
            for _ in 0..3 {
                let url = format!("http://{address}/");
                let get = format!(
                    "import urllib.request as u; print(u.urlopen('{url}', timeout=2).read())"
                );
                seen.insert(fixture.must(&["lab", "exec", "client", "--", "python3", "-c", &get]));
            }
        }
        assert_eq!(seen.len(), 3, "{seen:?}");
    });
}

#[test]
fn etcd_has_one_leader() {
    each("etcd.yaml", |fixture| {
        let ask = "import urllib.request as u, json\n\
            l=0\n\
            for i in '123':\n\
            \x20 r=u.Request('http://10.66.0.1'+i+':2379/v3/maintenance/status', b'{}')\n\
            \x20 s=json.load(u.urlopen(r, timeout=2)); l+=s['leader']==s['header']['member_id']\n\
            print(l)";
        assert_eq!(fixture.must(&["lab", "exec", "client", "--", "python3", "-c", ask]), "1\n");
    });
}

#[test]
fn one_redis_has_nobody_to_promote() {
    each("redis-alone.yaml", |fixture| {
        let proxy = address(fixture, "proxy");
        assert!(redis(fixture, &proxy, &["info", "replication"]).contains("connected_slaves:0"));
    });
}

#[test]
fn redis_fails_over_when_its_primary_is_killed() {
    each("redis-sentinel.yaml", |fixture| {
        let (old, proxy) = (address(fixture, "r1"), address(fixture, "proxy"));
        assert!(redis(fixture, &old, &["info", "replication"]).contains("connected_slaves:2"));
        assert_eq!(redis(fixture, &proxy, &["set", "k", "before"]).trim(), "OK");
        kill(fixture, "redis@r1");
        let killed = monotonic_ns();
        let replicas = ["r2", "r3"].map(|h| address(fixture, h));
        let is_primary =
            |a: &String| redis(fixture, a, &["info", "replication"]).contains("role:master");
        let deadline = killed + 10_000_000_000;
        while !replicas.iter().any(is_primary) {
            assert!(monotonic_ns() < deadline, "nobody was promoted within 10 s");
        }
        let took = Duration::from_nanos(monotonic_ns() - killed);
        assert!(took > Duration::from_secs(1), "before Sentinel could know: {took:?}");
        while redis(fixture, &proxy, &["set", "k", "after"]).trim() != "OK" {
            assert!(monotonic_ns() < deadline, "HAProxy did not follow within 10 s");
        }
    });
}

fn address(fixture: &Fixture, host: &str) -> String {
    let hosts = fixture.standing().record.hosts;
    hosts.iter().find(|(h, _)| h.name == host).unwrap().0.ipv4.to_string()
}

fn kill(fixture: &Fixture, instance: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut lab = Lab::attach(&fixture.standing(), "a test").await.unwrap();
        let targets = lab.targets().await.unwrap();
        let target = targets.iter().find(|t| t.name.0 == instance).unwrap();
        let who = outer(target.process.as_ref().unwrap(), lab.identity().init.pid);
        LinuxProcesses::new().unwrap().signal(&who, libc::SIGKILL).unwrap();
    });
}

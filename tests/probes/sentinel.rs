//! `redis` through real Sentinels: the primary dies, and the probe finds the next one.

use std::net::SocketAddr;

use serde_json::json;
use squall::model::observation::{ErrorClass, WriteFate};
use tempfile::TempDir;

use crate::support::hostile::{Hostile, Manner};
use crate::support::look::{build, local, look, slot};
use crate::support::server::{Server, ask, free_port};
use crate::support::wait_for;

/// Three Sentinels that watch `primary` as `mymaster` and know its replica.
pub fn sentinels(primary: SocketAddr) -> Vec<Server> {
    let all: Vec<_> = (0..3).map(|_| sentinel(primary)).collect();
    for one in &all {
        wait_for("the sentinels to know each other", 20, || {
            let told = ask(one.address, "SENTINEL master mymaster\r\n");
            let knows =
                |what: &str, count: &str| told.contains(&format!("{what}\r\n$1\r\n{count}"));
            (knows("num-other-sentinels", "2") && knows("num-slaves", "1")).then_some(())
        });
    }
    all
}

fn sentinel(primary: SocketAddr) -> Server {
    let port = free_port();
    let folder = TempDir::new().unwrap();
    let text = format!(
        "port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {} 2\n\
         sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 3000\n",
        primary.port()
    );
    std::fs::write(folder.path().join("s.conf"), text).unwrap();
    Server::start(port, folder, &["redis-sentinel", "s.conf"])
}

pub fn list(sentinels: &[Server]) -> String {
    sentinels.iter().map(|s| s.address.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn a_failover_is_followed_and_every_write_is_accounted_for() {
    let mut primary = Server::redis(&[]);
    let replica = Server::replica_of(&primary);
    let sentinels = sentinels(primary.address);
    let params = json!({"sentinel": "mymaster", "sentinels": list(&sentinels), "ledger": true});
    let probe = build("redis", &params, &[]);
    local(async {
        probe.prepare().await;
        let mut acknowledged = Vec::new();
        for number in 0..20 {
            let seen = slot(probe.as_ref(), number).await;
            assert_eq!(seen.peer.as_deref(), Some(primary.address.to_string().as_str()));
            assert_eq!((seen.answer, seen.write), (Ok(()), Some(WriteFate::Acknowledged)));
            acknowledged.push(number);
        }
        ask(primary.address, "WAIT 1 2000\r\n");
        primary.kill();
        let mut number = 20;
        let mut seen = slot(probe.as_ref(), number).await;
        assert!(seen.answer.is_err(), "{seen:?}");
        while seen.answer.is_err() {
            assert_ne!(seen.write, Some(WriteFate::Acknowledged));
            assert!(number < 2_000, "no new primary was found: {seen:?}");
            number += 1;
            seen = slot(probe.as_ref(), number).await;
        }
        assert_eq!(seen.peer.unwrap(), replica.address.to_string());
        acknowledged.push(number);
        let read = probe.read_ledger(1).unwrap().await;
        assert_eq!(read.source, replica.address.to_string());
        assert_eq!(read.found, acknowledged);
    });
}

#[test]
fn nobody_knows_a_primary_or_nobody_can_be_asked() {
    let redis = Server::redis(&[]);
    let lone = sentinel(redis.address);
    let ask = |name: &str, addresses: String| {
        look("redis", &json!({"sentinel": name, "sentinels": addresses, "ledger": true}), &[])
    };
    let stranger = ask("other", lone.address.to_string());
    assert_eq!(stranger.answer, Err(ErrorClass::NoPrimary));
    assert_eq!(stranger.write, Some(WriteFate::Failed));
    let nobody = ask("mymaster", format!("127.0.0.1:{}", free_port()));
    assert_eq!(nobody.answer, Err(ErrorClass::Refused));
    // The first refuses, the second is silent: the third is asked all the same, and soon.
    let silent = Hostile::start(Manner::Silent);
    let three = format!("127.0.0.1:{},{},{}", free_port(), silent.address, lone.address);
    assert_eq!(ask("mymaster", three).answer, Ok(()));
}

#[test]
fn a_sentinel_that_is_behind_is_not_believed() {
    let primary = Server::redis(&[]);
    let replica = Server::replica_of(&primary);
    let port = replica.address.port().to_string();
    let says = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
    let liar = Hostile::start(Manner::Says(Box::leak(says.into_boxed_str())));
    let params = json!({"sentinel": "m", "sentinels": liar.address.to_string(), "ledger": true});
    let seen = look("redis", &params, &[]);
    assert_eq!((seen.answer, seen.write), (Err(ErrorClass::ReadOnly), Some(WriteFate::Failed)));
    assert!(!ask(replica.address, "INFO commandstats\r\n").contains("cmdstat_rpush"));
}

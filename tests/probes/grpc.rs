//! `grpc` against etcd, against a health service whose word we decide, and against strangers.

use serde_json::{Value, json};
use squall::host::linux::clock::monotonic_ns;
use squall::model::observation::ErrorClass;
use tempfile::TempDir;
use tonic_health::ServingStatus;

use crate::http::papers;
use crate::support::health::Health;
use crate::support::hostile::{Hostile, Manner};
use crate::support::look::{PATIENCE, build, local, look, slot};
use crate::support::server::{Server, free_port};
use crate::support::wait_for;

/// A single etcd on loopback; `more` are further arguments.
fn etcd(port: u16, scheme: &str, folder: TempDir, more: &[&str]) -> Server {
    let peers = format!("http://127.0.0.1:{}", free_port());
    let clients = format!("{scheme}://127.0.0.1:{port}");
    let cluster = format!("default={peers}");
    let own = ["etcd", "--data-dir", "data", "--log-level", "error", "--listen-client-urls"];
    let urls = [&clients, "--advertise-client-urls", &clients, "--listen-peer-urls", &peers];
    let cluster = ["--initial-advertise-peer-urls", &peers, "--initial-cluster", &cluster];
    Server::start(port, folder, &[&own[..], &urls[..], &cluster[..], more].concat())
}

/// The same, once it has elected itself and answers in plain text.
fn ready_etcd(port: u16) -> Server {
    let server = etcd(port, "http", TempDir::new().unwrap(), &[]);
    let asked = params(server.address, &json!({}));
    wait_for("etcd to serve", 20, || look("grpc", &asked, &[]).answer.ok());
    server
}

fn params(address: impl ToString, more: &Value) -> Value {
    let mut params = json!({"address": address.to_string()});
    let more = more.as_object().unwrap().clone();
    params.as_object_mut().unwrap().extend(more);
    params
}

#[test]
fn etcd_serves_and_knows_no_other_name() {
    let port = free_port();
    let server = ready_etcd(port);
    let seen = look("grpc", &params(server.address, &json!({})), &[]);
    assert_eq!(seen.answer, Ok(()));
    let phases = seen.phases.unwrap();
    assert!(phases.connect > 0 && phases.first_byte > 0 && phases.tls == 0);
    let stranger = params(server.address, &json!({"service": "no.such.Service"}));
    assert_eq!(look("grpc", &stranger, &[]).answer, Err(ErrorClass::WrongAnswer));
}

#[test]
fn tls_is_negotiated_with_http2_and_the_server_is_checked() {
    let papers = papers();
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("server.pem"), &papers.server.0).unwrap();
    std::fs::write(folder.path().join("server.key"), &papers.server.1).unwrap();
    let port = free_port();
    let files = ["--cert-file", "server.pem", "--key-file", "server.key"];
    let server = etcd(port, "https", folder, &files);
    let stranger = self::papers().authority;
    let secrets = [("file:ca.pem", papers.authority.as_str()), ("file:no.pem", stranger.as_str())];
    let ask = |ca: &str| {
        let tls = json!({"tls": {"ca": {"file": ca}}});
        look("grpc", &params(server.address, &tls), &secrets)
    };
    let seen = wait_for("etcd to serve", 20, || Some(ask("ca.pem")).filter(|s| s.answer.is_ok()));
    assert_eq!(seen.answer, Ok(()));
    assert!(seen.phases.unwrap().tls > 0);
    assert_eq!(ask("no.pem").answer, Err(ErrorClass::Tls));
    assert!(look("grpc", &params(server.address, &json!({})), &[]).answer.is_err());
}

#[test]
fn the_word_of_the_server_decides_and_is_told_from_an_unknown_name() {
    let health = Health::start();
    let ask = |service: &str| {
        look("grpc", &params(health.address, &json!({"service": service})), &[]).answer
    };
    assert_eq!(ask(""), Ok(()));
    health.say("shop.Cart", ServingStatus::Serving);
    assert_eq!(ask("shop.Cart"), Ok(()));
    health.say("shop.Cart", ServingStatus::NotServing);
    assert_eq!(ask("shop.Cart"), Err(ErrorClass::NotServing));
    assert_eq!(ask(""), Ok(()));
    health.say("shop.Cart", ServingStatus::Unknown);
    assert_eq!(ask("shop.Cart"), Err(ErrorClass::WrongAnswer));
    assert_eq!(ask("shop.Basket"), Err(ErrorClass::WrongAnswer));
}

#[test]
fn connections_are_new_for_each_slot_or_one_for_all_of_them() {
    for (manner, connections) in [("new", 5), ("kept", 1)] {
        let health = Health::start();
        let probe = build("grpc", &params(health.address, &json!({"connection": manner})), &[]);
        local(async {
            probe.prepare().await;
            for number in 0..3 {
                assert_eq!(slot(probe.as_ref(), number).await.answer, Ok(()));
            }
            let both = futures::join!(slot(probe.as_ref(), 3), slot(probe.as_ref(), 4));
            assert_eq!((both.0.answer, both.1.answer), (Ok(()), Ok(())));
        });
        assert_eq!(health.counted(), (connections, 5), "{manner}");
    }
}

#[test]
fn the_word_that_it_does_not_serve_costs_no_kept_connection() {
    let health = Health::start();
    health.say("", ServingStatus::NotServing);
    let probe = build("grpc", &params(health.address, &json!({"connection": "kept"})), &[]);
    local(async {
        assert_eq!(slot(probe.as_ref(), 0).await.answer, Err(ErrorClass::NotServing));
        assert_eq!(slot(probe.as_ref(), 1).await.answer, Err(ErrorClass::NotServing));
    });
    assert_eq!(health.counted(), (1, 2));
}

#[test]
fn a_server_that_dies_and_comes_back_is_seen_by_both_manners_without_a_second_try() {
    let port = free_port();
    let mut server = ready_etcd(port);
    let address = server.address;
    let fresh = build("grpc", &params(address, &json!({})), &[]);
    let kept = build("grpc", &params(address, &json!({"connection": "kept"})), &[]);
    local(async {
        assert_eq!(slot(fresh.as_ref(), 0).await.answer, Ok(()));
        assert_eq!(slot(kept.as_ref(), 0).await.answer, Ok(()));
        server.kill();
        assert_eq!(slot(fresh.as_ref(), 1).await.answer, Err(ErrorClass::Refused));
        let first = slot(kept.as_ref(), 1).await.answer;
        assert!(matches!(first, Err(ErrorClass::Reset | ErrorClass::Refused)), "{first:?}");
        assert_eq!(slot(kept.as_ref(), 2).await.answer, Err(ErrorClass::Refused));
        let again = Health::start_at(port);
        assert_eq!(slot(fresh.as_ref(), 3).await.answer, Ok(()));
        assert_eq!(slot(kept.as_ref(), 3).await.answer, Ok(()), "no back-off stands in between");
        drop(again);
    });
}

#[test]
fn a_call_that_was_given_up_leaves_its_connection_behind() {
    let silent = Hostile::start(Manner::Silent);
    let probe = build("grpc", &params(silent.address, &json!({"connection": "kept"})), &[]);
    let began = monotonic_ns();
    local(async {
        let both = futures::join!(slot(probe.as_ref(), 0), slot(probe.as_ref(), 1));
        assert_eq!(both.0.answer, Err(ErrorClass::Timeout));
        assert_eq!(both.1.answer, Err(ErrorClass::Timeout));
        let took = u128::from(monotonic_ns() - began);
        assert!((PATIENCE.as_nanos()..PATIENCE.as_nanos() + 300_000_000).contains(&took), "{took}");
        let before = silent.connections();
        assert_eq!(slot(probe.as_ref(), 2).await.answer, Err(ErrorClass::Timeout));
        assert_eq!(silent.connections(), before + 1);
    });
}

#[test]
fn strangers_are_told_apart() {
    let ask = |address: String| look("grpc", &params(address, &json!({})), &[]).answer;
    let says = |manner| {
        let server = Hostile::start(manner);
        ask(server.address.to_string())
    };
    assert_eq!(says(Manner::Resets), Err(ErrorClass::Reset));
    assert_eq!(says(Manner::Says("")), Err(ErrorClass::Reset));
    let http1 = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    // It closes with our question half read, so its reset may come first.
    let spoke = says(Manner::Says(http1));
    assert!(matches!(spoke, Err(ErrorClass::WrongAnswer | ErrorClass::Reset)), "{spoke:?}");
    assert_eq!(ask(format!("127.0.0.1:{}", free_port())), Err(ErrorClass::Refused));
    assert_eq!(ask("no-such-host.invalid:1".to_owned()), Err(ErrorClass::Unreachable));
    let folder = TempDir::new().unwrap();
    let web = Server::nginx(folder, "server { listen 127.0.0.1:PORT http2; return 503; }");
    assert_eq!(ask(web.address.to_string()), Err(ErrorClass::Unavailable));
}

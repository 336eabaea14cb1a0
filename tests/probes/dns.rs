//! `dns` against dnsmasq, and against servers that answer late, wrongly or not at all.

use std::net::{SocketAddr, UdpSocket};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use squall::model::observation::{ErrorClass, Grade};
use tempfile::TempDir;

use crate::support::let_pass;
use crate::support::look::{build, local, look, slot};
use crate::support::part::{Part, hello, spec};
use crate::support::server::{Server, free_port};

/// dnsmasq that knows `test.` by heart, asks one server for `elsewhere.`, and refuses the rest.
fn dnsmasq(port: u16, elsewhere: u16) -> Server {
    let text = format!(
        "port={port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\n\
         local=/test/\nhost-record=shop.test,10.66.0.11,fd66::11\nhost-record=two.test,10.66.0.12\n\
         host-record=two.test,10.66.0.13\ncname=alias.test,shop.test\n\
         srv-host=_redis._tcp.test,shop.test,6379,7,3\ntxt-record=note.test,\"canary text\"\n\
         server=/elsewhere/127.0.0.1#{elsewhere}\n"
    );
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("dns.conf"), text).unwrap();
    let command = ["/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=dns.conf"];
    Server::start(port, folder, &[&command[..], &["--pid-file="]].concat())
}

fn params(server: SocketAddr, name: &str, more: &Value) -> Value {
    let mut params = json!({"server": server.to_string(), "name": name});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

#[test]
fn records_of_every_kind_are_found_over_both_transports() {
    let server = dnsmasq(free_port(), free_port());
    for transport in ["udp", "tcp"] {
        let ask = |name: &str, kind: &str, expect: &str| {
            let more = json!({"type": kind, "expect": expect, "transport": transport});
            let seen = look("dns", &params(server.address, name, &more), &[]);
            let phases = seen.phases.unwrap();
            assert!(phases.first_byte > 0);
            assert_eq!(phases.connect > 0, transport == "tcp");
            seen.answer
        };
        assert_eq!(ask("shop.test", "A", r"^10\.66\.0\.11$"), Ok(()));
        assert_eq!(ask("shop.test.", "A", r"^10\.66\.0\.11$"), Ok(()));
        assert_eq!(ask("shop.test", "AAAA", "^fd66::11$"), Ok(()));
        assert_eq!(ask("alias.test", "A", r"^10\.66\.0\.11$"), Ok(()));
        assert_eq!(ask("alias.test", "CNAME", r"^shop\.test\.$"), Ok(()));
        assert_eq!(ask("_redis._tcp.test", "SRV", r"^7 3 6379 shop\.test\.$"), Ok(()));
        assert_eq!(ask("note.test", "TXT", "canary text"), Ok(()));
        assert_eq!(ask("shop.test", "A", r"^10\.66\.0\.12$"), Err(ErrorClass::WrongAnswer));
        assert_eq!(ask("note.test", "A", ""), Err(ErrorClass::WrongAnswer));
    }
}

#[test]
fn enough_answers_are_asked_for_and_no_search_list_helps() {
    let server = dnsmasq(free_port(), free_port());
    let ask =
        |name: &str, more: Value| look("dns", &params(server.address, name, &more), &[]).answer;
    assert_eq!(ask("two.test", json!({"atLeast": 2})), Ok(()));
    assert_eq!(ask("two.test", json!({"atLeast": 3})), Err(ErrorClass::WrongAnswer));
    assert_eq!(ask("no.test", json!({})), Err(ErrorClass::NoSuchName));
    // Whatever `search` says in this machine's resolv.conf: the name is asked for as it is.
    assert_eq!(ask("shop", json!({})), Err(ErrorClass::Denied));
}

#[test]
fn each_way_to_fail_has_its_class() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = dnsmasq(free_port(), silent.local_addr().unwrap().port());
    let ask =
        |to: SocketAddr, name: &str, more: Value| look("dns", &params(to, name, &more), &[]).answer;
    // dnsmasq waits for the server behind it: so do we, and no second question helps.
    assert_eq!(ask(server.address, "x.elsewhere", json!({})), Err(ErrorClass::Timeout));
    assert_eq!(ask(server.address, "x.example", json!({})), Err(ErrorClass::Denied));
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    assert_eq!(ask(nobody, "shop.test", json!({})), Err(ErrorClass::Refused));
    let tcp = json!({"transport": "tcp"});
    assert_eq!(ask(nobody, "shop.test", tcp.clone()), Err(ErrorClass::Refused));
    let mute = silent.local_addr().unwrap();
    assert_eq!(ask(mute, "shop.test", json!({})), Err(ErrorClass::Timeout));
    server.signal(Signal::SIGSTOP);
    assert_eq!(ask(server.address, "shop.test", tcp), Err(ErrorClass::Timeout));
}

#[test]
fn a_slot_is_one_question_and_answers_to_others_are_not_taken() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let answers = std::thread::spawn(move || {
        let mut question = [0; 512];
        let (length, from) = server.recv_from(&mut question).unwrap();
        let mut answer = question[..length].to_vec();
        // A response with no error and no record, first under another number.
        answer[2] |= 0x80;
        answer[0] ^= 0xff;
        server.send_to(&answer, from).unwrap();
        let_pass(50);
        answer[0] ^= 0xff;
        answer[3] |= 2; // SERVFAIL
        server.send_to(&answer, from).unwrap();
        server.set_read_timeout(Some(std::time::Duration::from_millis(900))).unwrap();
        server.recv_from(&mut question).is_err()
    });
    let seen = look("dns", &params(address, "shop.test", &json!({})), &[]);
    assert_eq!(seen.answer, Err(ErrorClass::Unavailable));
    assert!(seen.phases.unwrap().first_byte >= 50_000_000);
    assert!(answers.join().unwrap(), "it asked a second time");
}

#[test]
fn every_slot_asks_anew() {
    let port = free_port();
    let server = dnsmasq(port, free_port());
    let probe = build("dns", &params(server.address, "shop.test", &json!({})), &[]);
    local(async {
        assert_eq!(slot(probe.as_ref(), 0).await.answer, Ok(()));
        drop(server);
        // The record lives for a while, in caches that we do not have.
        assert_eq!(slot(probe.as_ref(), 1).await.answer, Err(ErrorClass::Refused));
    });
}

#[test]
fn an_outage_of_the_name_server_is_seen_and_its_end_too() {
    let port = free_port();
    let mut server = dnsmasq(port, free_port());
    let asked = params(server.address, "shop.test", &json!({"expect": "^10"}));
    let mut prober = Part::ready(hello(&[("names", spec("dns", &asked, "100/s"))]));
    prober.start();
    let_pass(400);
    server.kill();
    let_pass(400);
    let again = dnsmasq(port, free_port());
    let_pass(400);
    let slots = prober.finish("names");
    drop(again);
    let bad: Vec<_> = slots.iter().filter(|slot| slot.grade == Grade::Bad).collect();
    assert!(bad.len() >= 30, "{}", bad.len());
    // What was in its queue as it died is never answered, and nobody says so.
    let refused = bad.iter().filter(|slot| slot.error == Some(ErrorClass::Refused)).count();
    assert!(refused + 3 >= bad.len(), "{bad:?}");
    let good = |slot: &&squall::model::observation::Observation| slot.grade == Grade::Good;
    let before = slots.iter().filter(good).filter(|slot| slot.slot < bad[0].slot).count();
    let after = slots.iter().filter(good).filter(|s| s.slot > bad[bad.len() - 1].slot).count();
    assert!(before >= 25 && after >= 25, "{before} {after}");
    let outage = bad[0].slot..=bad[bad.len() - 1].slot;
    assert_eq!(slots.iter().filter(good).filter(|s| outage.contains(&s.slot)).count(), 0);
}

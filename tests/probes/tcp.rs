//! `tcp` against servers of every manner.

use serde_json::json;
use squall::model::observation::ErrorClass;

use crate::support::hostile::{Hostile, Manner};
use crate::support::look::{PATIENCE, build, local, look, slot};
use crate::support::server::{Server, free_port};

fn ask(manner: Manner) -> (Result<(), ErrorClass>, u64) {
    let server = Hostile::start(manner);
    let began = squall::host::linux::clock::monotonic_ns();
    let params =
        json!({"address": server.address.to_string(), "send": "PING\r\n", "expect": "PONG"});
    let seen = look("tcp", &params, &[]);
    (seen.answer, seen.done_ns - began)
}

#[test]
fn a_right_answer_is_matched_wherever_it_is_cut() {
    let redis = Server::redis(&[]);
    let address = redis.address.to_string();
    let seen = look("tcp", &json!({"address": address, "send": "PING\r\n", "expect": "PONG"}), &[]);
    assert_eq!(seen.answer, Ok(()));
    let phases = seen.phases.unwrap();
    assert!(phases.connect > 0 && phases.first_byte > 0);
    assert_eq!(ask(Manner::Says("+PO")).0, Err(ErrorClass::WrongAnswer));
    assert_eq!(ask(Manner::Says("-ERR")).0, Err(ErrorClass::WrongAnswer));
}

#[test]
fn without_an_expectation_a_connection_is_enough() {
    let server = Hostile::start(Manner::Silent);
    assert_eq!(look("tcp", &json!({"address": server.address.to_string()}), &[]).answer, Ok(()));
}

#[test]
fn each_way_to_fail_has_its_class() {
    assert_eq!(ask(Manner::Resets).0, Err(ErrorClass::Reset));
    assert_eq!(ask(Manner::Says("")).0, Err(ErrorClass::Reset));
    let nobody = json!({"address": format!("127.0.0.1:{}", free_port())});
    assert_eq!(look("tcp", &nobody, &[]).answer, Err(ErrorClass::Refused));
    let unknown = json!({"address": "no-such-host.invalid:1"});
    assert_eq!(look("tcp", &unknown, &[]).answer, Err(ErrorClass::Unreachable));
}

#[test]
fn silence_is_waited_for_beyond_the_deadline_and_then_given_up() {
    let (answer, took) = ask(Manner::Silent);
    let patience = u64::try_from(PATIENCE.as_nanos()).unwrap();
    assert_eq!(answer, Err(ErrorClass::Timeout));
    assert!((patience..patience + 300_000_000).contains(&took), "{took}");
    let (answer, took) = ask(Manner::SaysLate(300, "+PONG"));
    assert_eq!(answer, Ok(()));
    assert!(took >= 300_000_000, "a late answer is known to be late: {took}");
}

#[test]
fn a_thousand_slots_leave_no_port_behind() {
    let server = Server::redis(&[]);
    let params =
        json!({"address": server.address.to_string(), "send": "PING\r\n", "expect": "PONG"});
    let probe = build("tcp", &params, &[]);
    local(async {
        for number in 0..1_000 {
            assert_eq!(slot(probe.as_ref(), number).await.answer, Ok(()));
        }
    });
    // A few are left by the waiting for the server to start.
    assert!(waiting(server.address.port()) < 10);
}

/// Connections with that port in `TIME_WAIT`.
fn waiting(port: u16) -> usize {
    let port = format!(":{port:04X} ");
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().filter(|line| line.contains(&port) && line.contains(" 06 ")).count()
}

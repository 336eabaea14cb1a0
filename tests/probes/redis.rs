//! `redis` at a fixed address: what each ending says about the write.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use squall::model::observation::{ErrorClass, WriteFate};
use squall::probe::{Probe, Seen};

use crate::http::papers;
use crate::support::hostile::{Hostile, Manner};
use crate::support::let_pass;
use crate::support::look::{build, local, look, slot};
use crate::support::server::{Server, ask, free_port};

fn ledger(server: &Server) -> Box<dyn Probe> {
    build("redis", &json!({"address": server.address.to_string(), "ledger": true}), &[])
}

fn fate(seen: &Seen) -> (Result<(), ErrorClass>, WriteFate) {
    (seen.answer, seen.write.unwrap())
}

#[test]
fn what_was_acknowledged_is_read_back_twice() {
    let redis = Server::redis(&[]);
    let probe = ledger(&redis);
    local(async {
        for number in 0..50 {
            let seen = slot(probe.as_ref(), number).await;
            assert_eq!(fate(&seen), (Ok(()), WriteFate::Acknowledged));
            assert_eq!(seen.peer.unwrap(), redis.address.to_string());
        }
        // What somebody else put there, and what was applied twice, are found as such.
        ask(redis.address, "RPUSH squall:ledger:s1 7 strange\r\n");
        for round in [1, 2] {
            let read = probe.read_ledger(round).unwrap().await;
            let expected: Vec<u64> = (0..50).chain([7]).collect();
            assert_eq!((read.round, read.error, read.foreign), (round, None, 1));
            assert_eq!(read.found, expected);
            assert_eq!(read.source, redis.address.to_string());
            // Only the last reading lets go of it.
            let left = ask(redis.address, "TTL squall:ledger:s1\r\n");
            assert_eq!(left.trim(), if round == 1 { ":-1" } else { ":3600" });
        }
    });
}

#[test]
fn a_ledger_longer_than_a_page_is_read_whole() {
    let redis = Server::redis(&[]);
    let script = "for n = 0, 19999 do redis.call('RPUSH', KEYS[1], n) end return 'all'";
    let answer = ask(redis.address, &format!("EVAL \"{script}\" 1 squall:ledger:s1\r\n"));
    assert!(answer.contains("all"), "{answer}");
    let read = local(async { ledger(&redis).read_ledger(1).unwrap().await });
    assert_eq!(read.found, (0..20_000).collect::<Vec<_>>());
}

#[test]
fn killed_without_persistence_everything_is_lost() {
    let mut redis = Server::redis(&[]);
    let (address, port) = (redis.address, redis.address.port());
    let probe = ledger(&redis);
    local(async {
        assert_eq!(fate(&slot(probe.as_ref(), 0).await), (Ok(()), WriteFate::Acknowledged));
        redis.kill();
        let seen = slot(probe.as_ref(), 1).await;
        assert!(matches!(seen.answer, Err(ErrorClass::Refused | ErrorClass::Reset)), "{seen:?}");
        assert_eq!(
            fate(&slot(probe.as_ref(), 2).await),
            (Err(ErrorClass::Refused), WriteFate::Failed)
        );
        let again = Server::redis_at(port, &[]);
        assert_eq!(again.address, address);
        // The attempt that runs meanwhile may still be refused; the one after it is not.
        let _ = slot(probe.as_ref(), 3).await;
        assert_eq!(fate(&slot(probe.as_ref(), 4).await), (Ok(()), WriteFate::Acknowledged));
        let read = probe.read_ledger(1).unwrap().await;
        assert!(!read.found.contains(&0) && read.found.contains(&4), "{read:?}");
    });
}

#[test]
fn a_reading_waits_for_a_server_that_comes_back_and_says_so_when_it_does_not() {
    let mut redis = Server::redis(&[]);
    let port = redis.address.port();
    let probe = ledger(&redis);
    redis.kill();
    let back = std::thread::spawn(move || {
        let_pass(700);
        Server::redis_at(port, &[])
    });
    local(async {
        let read = probe.read_ledger(1).unwrap().await;
        assert_eq!((read.error, read.found), (None, Vec::new()));
        back.join().unwrap().kill();
        let read = probe.read_ledger(2).unwrap().await;
        let why = read.error.unwrap();
        assert!(why.contains("refused"), "{why}");
    });
}

#[test]
fn a_stopped_server_leaves_the_write_open_and_a_late_answer_closes_it() {
    let redis = Server::redis(&[]);
    let probe = ledger(&redis);
    local(async {
        assert_eq!(slot(probe.as_ref(), 0).await.answer, Ok(()));
        redis.signal(Signal::SIGSTOP);
        let seen = slot(probe.as_ref(), 1).await;
        let open = (Err(ErrorClass::Timeout), WriteFate::Indeterminate);
        assert_eq!(fate(&seen), open);
        // The kernel takes the next connection in its place, and the write on it is open too.
        assert_eq!(fate(&slot(probe.as_ref(), 2).await), open);
        redis.signal(Signal::SIGCONT);
        let _ = slot(probe.as_ref(), 3).await;
        assert_eq!(slot(probe.as_ref(), 4).await.answer, Ok(()));
        // Resumed beyond the deadline and within patience: late, and known to be written.
        redis.signal(Signal::SIGSTOP);
        let resume = async {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            redis.signal(Signal::SIGCONT);
        };
        let (late, ()) = futures::join!(slot(probe.as_ref(), 5), resume);
        assert_eq!(fate(&late), (Ok(()), WriteFate::Acknowledged));
        let found = probe.read_ledger(1).unwrap().await.found;
        assert!(found.contains(&1), "open writes may have been made: {found:?}");
        assert!(found.contains(&2) && found.contains(&5), "{found:?}");
    });
}

#[test]
fn a_missed_deadline_sends_later_slots_over_a_new_connection() {
    let silent = Hostile::start(Manner::Silent);
    let params = json!({"address": silent.address.to_string(), "ledger": true});
    let probe = build("redis", &params, &[]);
    local(async {
        let at = |ms, number| {
            let probe = &probe;
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                slot(probe.as_ref(), number).await
            }
        };
        // The deadline is 150 ms: the first two share a connection, the third finds another,
        // long before the first gives up.
        let counted_at = |ms| {
            let silent = &silent;
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
                silent.connections()
            }
        };
        let (first, second, early, third, later) =
            futures::join!(at(0, 0), at(50, 1), counted_at(100), at(220, 2), counted_at(400));
        assert_eq!(early, 1);
        assert!(later > 1);
        for seen in [first, second, third] {
            assert_eq!(fate(&seen), (Err(ErrorClass::Timeout), WriteFate::Indeterminate));
        }
    });
}

#[test]
fn a_connection_reset_after_the_send_leaves_the_write_open() {
    // Says nothing wrong while the client greets it, and resets on the first command.
    let server = Hostile::start(Manner::Resets);
    let params = json!({"address": server.address.to_string(), "ledger": true});
    let seen = look("redis", &params, &[]);
    assert_eq!(fate(&seen), (Err(ErrorClass::Reset), WriteFate::Indeterminate));
    assert!(server.heard().contains("RPUSH"), "{}", server.heard());
}

#[test]
fn a_server_that_says_no_has_written_nothing() {
    let primary = Server::redis(&[]);
    let replica = Server::replica_of(&primary);
    local(async {
        let seen = slot(ledger(&replica).as_ref(), 0).await;
        assert_eq!(fate(&seen), (Err(ErrorClass::ReadOnly), WriteFate::Failed));
        ask(primary.address, "CONFIG SET min-replicas-to-write 5\r\n");
        let seen = slot(ledger(&primary).as_ref(), 0).await;
        assert_eq!(fate(&seen), (Err(ErrorClass::Unavailable), WriteFate::Failed));
        let nobody = json!({"address": format!("127.0.0.1:{}", free_port()), "ledger": true});
        let seen = slot(build("redis", &nobody, &[]).as_ref(), 0).await;
        assert_eq!(fate(&seen), (Err(ErrorClass::Refused), WriteFate::Failed));
    });
}

#[test]
fn without_a_ledger_a_value_is_written_and_read_or_only_read() {
    let primary = Server::redis(&[]);
    let replica = Server::replica_of(&primary);
    let at =
        |server: &Server, read: bool| json!({"address": server.address.to_string(), "read": read});
    let seen = look("redis", &at(&primary, false), &[]);
    assert_eq!((seen.answer, seen.write), (Ok(()), None));
    let left = ask(primary.address, "TTL squall:probe:s1:0\r\n");
    assert!([":60", ":59"].contains(&left.trim()), "{left}");
    assert_eq!(look("redis", &at(&replica, false), &[]).answer, Err(ErrorClass::ReadOnly));
    assert_eq!(look("redis", &at(&replica, true), &[]).answer, Ok(()));
    assert!(build("redis", &at(&primary, false), &[]).read_ledger(1).is_none());
}

#[test]
fn a_login_is_used_and_never_shown() {
    let redis = Server::redis(&[
        "--requirepass",
        "canary-33aa",
        "--user",
        "app",
        "on",
        ">pw",
        "~squall:*",
        "+@all",
    ]);
    let address = redis.address.to_string();
    let secret = [("env:PW", "canary-33aa"), ("env:WRONG", "canary-wrong"), ("env:APP", "pw")];
    let ask = |more: Value| {
        let mut params = json!({"address": address, "ledger": true});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let seen = look("redis", &params, &secret);
        assert!(!format!("{seen:?}").contains("canary"));
        fate(&seen)
    };
    assert_eq!(ask(json!({"password": {"env": "PW"}})), (Ok(()), WriteFate::Acknowledged));
    let user = json!({"username": "app", "password": {"env": "APP"}});
    assert_eq!(ask(user), (Ok(()), WriteFate::Acknowledged));
    let denied = (Err(ErrorClass::Denied), WriteFate::Failed);
    assert_eq!(ask(json!({"password": {"env": "WRONG"}})), denied);
    assert_eq!(ask(json!({})), denied);
}

#[test]
fn tls_is_spoken_where_asked_for() {
    let papers = papers();
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("s.pem"), &papers.server.0).unwrap();
    std::fs::write(path("s.key"), &papers.server.1).unwrap();
    std::fs::write(path("ca.pem"), &papers.authority).unwrap();
    let (port, text) = (free_port(), |p: u16| p.to_string());
    let redis = Server::redis(&[
        "--tls-port",
        &text(port),
        "--tls-cert-file",
        &path("s.pem"),
        "--tls-key-file",
        &path("s.key"),
        "--tls-ca-cert-file",
        &path("ca.pem"),
    ]);
    let secrets = [
        ("file:ca", papers.authority.as_str()),
        ("file:me", papers.client.0.as_str()),
        ("file:key", papers.client.1.as_str()),
    ];
    let ask = |tls: Value| {
        let params = json!({"address": format!("127.0.0.1:{port}"), "ledger": true, "tls": tls});
        look("redis", &params, &secrets).answer
    };
    let whole =
        json!({"ca": {"file": "ca"}, "certificate": {"file": "me"}, "key": {"file": "key"}});
    assert_eq!(ask(whole), Ok(()));
    // Redis asks for a client's certificate; without one it ends the conversation.
    let refused = ask(json!({"ca": {"file": "ca"}})).unwrap_err();
    assert!(matches!(refused, ErrorClass::Tls | ErrorClass::Reset), "{refused:?}");
    assert_eq!(ask(json!({})), Err(ErrorClass::Tls));
    drop(redis);
}

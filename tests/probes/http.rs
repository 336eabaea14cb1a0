//! `http` against nginx and against servers of every manner.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use squall::model::observation::ErrorClass;
use squall::probe::Seen;
use tempfile::TempDir;

use crate::support::hostile::{Hostile, Manner};
use crate::support::look::{build, local, look, slot};
use crate::support::server::{Server, free_port};

const PAGES: &str = r#"server { listen 127.0.0.1:PORT; keepalive_requests 3;
    location / { return 200 "request $connection_requests of $request_method\n"; }
    location /down { return 503; }
    location /login { return 401; }
    location /away { return 302 /; }
    location /token { return 200 "$http_authorization"; }
    location /none { return 204; } }"#;

fn nginx() -> Server {
    Server::nginx(TempDir::new().unwrap(), PAGES)
}

fn get(server: &Server, path: &str, more: &Value) -> Result<(), ErrorClass> {
    look("http", &params(server, path, more), &[]).answer
}

fn params(server: &Server, path: &str, more: &Value) -> Value {
    let mut params = json!({"url": format!("http://{}{path}", server.address)});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

#[test]
fn status_and_body_decide_and_nothing_is_followed() {
    let web = nginx();
    assert_eq!(get(&web, "/", &json!({"expect": "request 1 of GET"})), Ok(()));
    assert_eq!(get(&web, "/", &json!({"method": "POST", "body": "x", "expect": "POST"})), Ok(()));
    assert_eq!(get(&web, "/", &json!({"expect": "other"})), Err(ErrorClass::WrongAnswer));
    assert_eq!(get(&web, "/down", &json!({})), Err(ErrorClass::Unavailable));
    assert_eq!(get(&web, "/down", &json!({"status": [200, 503]})), Ok(()));
    assert_eq!(get(&web, "/login", &json!({})), Err(ErrorClass::Denied));
    assert_eq!(get(&web, "/away", &json!({})), Err(ErrorClass::WrongAnswer));
    assert_eq!(get(&web, "/none", &json!({"status": 204})), Ok(()));
    assert_eq!(get(&web, "/none", &json!({})), Err(ErrorClass::WrongAnswer));
}

#[test]
fn a_new_connection_is_new_each_time_and_a_kept_one_is_used_again() {
    let web = nginx();
    let fresh = build("http", &params(&web, "/", &json!({"expect": "request 1 of"})), &[]);
    let kept = params(&web, "/", &json!({"connection": "kept", "expect": "request 2 of"}));
    let kept = build("http", &kept, &[]);
    local(async {
        for number in 0..3 {
            let seen = slot(fresh.as_ref(), number).await;
            assert_eq!(seen.answer, Ok(()));
            assert!(seen.phases.unwrap().connect > 0);
        }
        kept.prepare().await;
        let first = slot(kept.as_ref(), 0).await;
        assert_eq!(first.answer, Err(ErrorClass::WrongAnswer));
        assert_eq!(first.phases.unwrap().connect, 0, "prepared ahead");
        assert_eq!(slot(kept.as_ref(), 1).await.answer, Ok(()));
        // nginx closes it after the third request: that is no error, and the next one is new.
        assert_eq!(slot(kept.as_ref(), 2).await.answer, Err(ErrorClass::WrongAnswer));
        let next = slot(kept.as_ref(), 3).await;
        assert_eq!(next.answer, Err(ErrorClass::WrongAnswer));
        assert!(next.phases.unwrap().connect > 0);
        assert_eq!(slot(kept.as_ref(), 4).await.answer, Ok(()));
    });
}

#[test]
fn slots_that_overlap_do_not_wait_for_each_other_on_a_kept_connection() {
    let slow = Hostile::start(Manner::Silent);
    let params = json!({"url": format!("http://{}/", slow.address), "connection": "kept"});
    let probe = build("http", &params, &[]);
    let began = squall::host::linux::clock::monotonic_ns();
    let seen = local(async {
        futures::join!(slot(probe.as_ref(), 0), slot(probe.as_ref(), 1), slot(probe.as_ref(), 2))
    });
    for Seen { answer, done_ns, .. } in [seen.0, seen.1, seen.2] {
        assert_eq!(answer, Err(ErrorClass::Timeout));
        assert!(done_ns - began < 900_000_000, "one after the other");
    }
}

#[test]
fn each_way_to_fail_has_its_class() {
    let ask = |manner| {
        let server = Hostile::start(manner);
        look("http", &json!({"url": format!("http://{}/", server.address)}), &[]).answer
    };
    assert_eq!(ask(Manner::Resets), Err(ErrorClass::Reset));
    assert_eq!(ask(Manner::Says("")), Err(ErrorClass::Reset));
    assert_eq!(ask(Manner::Says("HTTP/1.1 200 OK\r\nContent-")), Err(ErrorClass::Reset));
    let half = Manner::Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    assert_eq!(ask(half), Err(ErrorClass::Reset));
    assert_eq!(ask(Manner::Says("SSH-2.0-x\r\n\r\n")), Err(ErrorClass::WrongAnswer));
    assert_eq!(ask(Manner::Silent), Err(ErrorClass::Timeout));
    let late = Manner::SaysLate(200, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(ask(late), Ok(()));
    let nobody = json!({"url": format!("http://127.0.0.1:{}/", free_port())});
    assert_eq!(look("http", &nobody, &[]).answer, Err(ErrorClass::Refused));
}

#[test]
fn a_secret_header_reaches_the_server_and_no_one_else() {
    let web = nginx();
    let secret = [("env:TOKEN", "Bearer canary-91b2")];
    let more = json!({"secretHeaders": {"Authorization": {"env": "TOKEN"}},
                      "expect": "^Bearer canary-91b2$"});
    let seen = look("http", &params(&web, "/token", &more), &secret);
    assert_eq!(seen.answer, Ok(()));
    assert!(!format!("{seen:?}").contains("canary"));
    let broken = [("env:TOKEN", "canary\n91b2")];
    let built = squall::probe::find("http")
        .unwrap()
        .build(&params(&web, "/token", &more), crate::support::look::setting(&broken));
    let why = built.err().unwrap();
    assert!(why.contains("Authorization") && !why.contains("canary"), "{why}");
}

/// An authority, a server's certificate for 127.0.0.1 and a client's, all in PEM.
pub struct Papers {
    pub authority: String,
    pub server: (String, String),
    pub client: (String, String),
}

pub fn papers() -> Papers {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
    };
    Papers { authority: issuer.pem(), server: issue("127.0.0.1"), client: issue("client.test") }
}

#[test]
fn tls_checks_the_server_and_shows_our_own_certificate() {
    let papers = papers();
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("server.pem", &papers.server.0);
    write("server.key", &papers.server.1);
    write("ca.pem", &papers.authority);
    let http = r#"server { listen 127.0.0.1:PORT ssl; ssl_certificate server.pem;
        ssl_certificate_key server.key; ssl_client_certificate ca.pem; ssl_verify_client optional;
        location / { return 200 "$ssl_client_verify"; } }"#;
    let web = Server::nginx(folder, http);
    let stranger = self::papers().authority;
    let secrets = [
        ("file:ca.pem", papers.authority.as_str()),
        ("file:stranger.pem", stranger.as_str()),
        ("file:me.pem", papers.client.0.as_str()),
        ("env:KEY", papers.client.1.as_str()),
    ];
    let ask = |tls: Value, expect: &str| {
        let url = format!("https://{}/", web.address);
        look("http", &json!({"url": url, "tls": tls, "expect": expect}), &secrets)
    };
    let anonymous = ask(json!({"ca": {"file": "ca.pem"}}), "^NONE$");
    assert_eq!(anonymous.answer, Ok(()));
    assert!(anonymous.phases.unwrap().tls > 0);
    let ours = json!({"ca": {"file": "ca.pem"}, "certificate": {"file": "me.pem"},
                      "key": {"env": "KEY"}});
    assert_eq!(ask(ours, "^SUCCESS$").answer, Ok(()));
    let stranger = json!({"ca": {"file": "stranger.pem"}});
    assert_eq!(ask(stranger, "").answer, Err(ErrorClass::Tls));
    let name = json!({"ca": {"file": "ca.pem"}, "serverName": "other.test"});
    assert_eq!(ask(name, "").answer, Err(ErrorClass::Tls));
    let plain = json!({"url": format!("http://{}/", web.address)});
    assert_eq!(look("http", &plain, &[]).answer, Err(ErrorClass::WrongAnswer));
}

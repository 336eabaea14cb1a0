//! `prometheus` against Prometheus, which scrapes itself and an nginx once a second.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use squall::host::linux::clock::monotonic_ns;
use squall::model::message::FromProber;
use squall::model::observation::{ErrorClass, Grade, Observation};
use squall::probe::Seen;
use tempfile::TempDir;

use crate::support::hostile::{Hostile, Manner};
use crate::support::look::{build, local, look};
use crate::support::part::{Part, hello, spec};
use crate::support::server::{Server, free_port};
use crate::support::{MS, let_pass, wait_for};

/// Between two scrapes.
const SCRAPE: u64 = 1_000 * MS;

const NOTHING: Result<(), ErrorClass> = Err(ErrorClass::NoData);

/// A page of metrics: a canary that is scraped anew each time, and one that is a minute old.
fn web(port: u16) -> Server {
    let old_ms = jiff::Timestamp::now().as_millisecond() - 60_000;
    let page = format!("canary 7\\nno_number NaN\\nold_canary 7 {old_ms}\\n");
    let http = format!(
        "server {{ listen 127.0.0.1:PORT; default_type text/plain; return 200 \"{page}\"; }}"
    );
    let http = http.replace("\\n", "\n");
    Server::nginx_at(port, TempDir::new().unwrap(), &http)
}

/// Prometheus that scrapes that port; it has done so once.
fn prometheus(target: u16) -> Server {
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n\
         - {{job_name: web, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}\n"
    );
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    let port = free_port();
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let own = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"];
    let command = [&own[..], &[&listen, "--log.level=error"]].concat();
    let server = Server::start(port, folder, &command);
    let params = params(&server, "up", &json!({"expect": {"atLeast": 1}}));
    wait_for("the first scrape", 20, || (ask(&params).answer != NOTHING).then_some(()));
    server
}

fn params(server: &Server, query: &str, more: &Value) -> Value {
    let mut params = json!({"url": format!("http://{}", server.address), "query": query,
                            "expect": {"atLeast": 1}, "freshWithin": "2s"});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn ask(params: &Value) -> Seen {
    look("prometheus", params, &[])
}

#[test]
fn figures_are_compared_and_are_as_old_as_their_samples() {
    let port = free_port();
    let web = web(port);
    let server = prometheus(port);
    let query = |query: &str, more: Value| ask(&params(&server, query, &more));
    let seen = query("canary", json!({"expect": {"atLeast": 7, "atMost": 7}}));
    assert_eq!(seen.answer, Ok(()));
    assert!(seen.age_ns.unwrap() < SCRAPE + SCRAPE / 2, "{seen:?}");
    assert!(seen.phases.unwrap().first_byte > 0);
    let much = query("canary # a comment", json!({"expect": {"atMost": 6.5}, "freshBy": "canary"}));
    assert_eq!(much.answer, Err(ErrorClass::WrongAnswer));
    assert!(much.age_ns.is_some());
    let sum = query("sum({job='web'}) by (job)", json!({"freshBy": "canary"}));
    assert_eq!(sum.answer, NOTHING, "no number comes of a sum with one that is none");
    let averaged = query("avg_over_time(canary[1m])", json!({"freshBy": "canary"}));
    assert_eq!(averaged.answer, Ok(()));
    assert!(averaged.age_ns.unwrap() >= 60 * SCRAPE, "{averaged:?}");
    drop(web);
}

#[test]
fn a_target_that_is_down_is_bad_and_what_only_it_told_is_no_data() {
    let port = free_port();
    let web = web(port);
    let server = prometheus(port);
    let up = params(&server, "up{job=\"web\"}", &json!({}));
    let canary = params(&server, "canary", &json!({}));
    assert_eq!(ask(&canary).answer, Ok(()));
    // Its workers go with it, which they would not if it were killed.
    drop(web);
    wait_for("a scrape that fails", 5, || {
        (ask(&up).answer == Err(ErrorClass::WrongAnswer)).then_some(())
    });
    assert!(ask(&up).age_ns.unwrap() < SCRAPE + SCRAPE / 2);
    let gone = ask(&canary);
    assert_eq!((gone.answer, gone.age_ns), (NOTHING, None));
}

#[test]
fn what_is_old_empty_or_no_number_is_no_data() {
    let port = free_port();
    let web = web(port);
    let server = prometheus(port);
    let query = |query: &str, more: Value| ask(&params(&server, query, &more));
    assert_eq!(query("no_such_metric", json!({})).answer, NOTHING);
    assert_eq!(query("canary == 8", json!({"freshBy": "canary"})).answer, NOTHING);
    assert_eq!(query("no_number", json!({})).answer, NOTHING);
    assert_eq!(query("old_canary", json!({})).answer, NOTHING, "Prometheus itself would take it");
    let by_old = json!({"freshBy": "old_canary"});
    assert_eq!(query("canary", by_old).answer, NOTHING, "the age is of what it is told to be");
    let patient = query("old_canary", json!({"freshWithin": "4m"}));
    assert_eq!(patient.answer, Ok(()));
    assert!(patient.age_ns.unwrap() > 55 * SCRAPE, "{patient:?}");
    drop(web);
}

#[test]
fn a_question_that_is_not_understood_is_said_before_the_first_slot() {
    let port = free_port();
    let server = prometheus(port);
    let broken = params(&server, "sum(up", &json!({"freshBy": "up"}));
    let fit = params(&server, "up", &json!({}));
    let two =
        [("bad", spec("prometheus", &broken, "5/s")), ("fit", spec("prometheus", &fit, "5/s"))];
    let mut prober = Part::spawn(hello(&two));
    prober.keep_beating();
    let (probe, why) = prober.wait("Unfit", 5, |message| match message {
        FromProber::Unfit { probe, why } => Some((probe.clone(), why.clone())),
        FromProber::Ready { .. } => panic!("it must not be ready"),
        _ => None,
    });
    assert_eq!(probe, "bad");
    assert!(why.contains("does not understand") && why.contains("1:7: parse error"), "{why}");
    let check = |params: &Value| {
        let probe = build("prometheus", params, &[]);
        local(async { probe.check().await })
    };
    assert_eq!(check(&fit), Ok(()));
    let scalar = params(&server, "scalar(up)", &json!({"freshBy": "up"}));
    assert!(check(&scalar).unwrap_err().contains("instant vector"), "it is no vector");
    let elsewhere = json!({"url": format!("http://{}/api", server.address)});
    assert!(check(&params(&server, "up", &elsewhere)).unwrap_err().contains("no Prometheus"));
    let nobody = json!({"url": format!("http://127.0.0.1:{}", free_port())});
    assert_eq!(check(&params(&server, "up", &nobody)), Ok(()), "that is what slots are for");
}

#[test]
fn a_witness_that_is_dead_hangs_or_lies_is_never_held_against_the_system() {
    let port = free_port();
    let mut server = prometheus(port);
    let up = params(&server, "up", &json!({"expect": {"atMost": 1}}));
    let mut prober = Part::ready(hello(&[("p", spec("prometheus", &up, "50/s"))]));
    prober.start();
    let_pass(400);
    server.signal(Signal::SIGSTOP);
    let_pass(600);
    server.signal(Signal::SIGCONT);
    let_pass(400);
    server.kill();
    let_pass(300);
    let slots = prober.finish("p");
    let graded = |grade| slots.iter().filter(move |slot| slot.grade == grade);
    assert!(graded(Grade::Good).count() > 20);
    assert_eq!(graded(Grade::Bad).count() + graded(Grade::Late).count(), 0, "{slots:?}");
    assert!(graded(Grade::Invalid).count() > 30);
    assert!(graded(Grade::Invalid).all(|slot| slot.error == Some(ErrorClass::NoData)));
    assert!(graded(Grade::Good).all(|slot| slot.age_ns.is_some()));
    let liar = Hostile::start(Manner::Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
    let lied = json!({"url": format!("http://{}", liar.address)});
    assert_eq!(ask(&params(&server, "up", &lied)).answer, NOTHING);
}

#[test]
fn a_token_reaches_prometheus_and_no_one_else() {
    let server = Hostile::start(Manner::Says("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"));
    let params = json!({"url": format!("http://{}/prefix/", server.address), "query": "up",
                        "expect": {"atLeast": 1}, "bearer": {"env": "TOKEN"}});
    let probe = build("prometheus", &params, &[("env:TOKEN", "canary-3c7d")]);
    let why = local(async { probe.check().await }).unwrap_err();
    assert!(why.contains("bearer") && !why.contains("canary"), "{why}");
    let heard = server.heard();
    assert!(heard.starts_with("POST /prefix/api/v1/query "), "{heard}");
    assert!(heard.contains("authorization: Bearer canary-3c7d\r\n"), "{heard}");
}

#[test]
fn an_outage_is_seen_to_within_the_age_of_the_samples_at_its_edges() {
    let port = free_port();
    let target = web(port);
    let server = prometheus(port);
    let up = params(&server, "up", &json!({}));
    let mut prober = Part::ready(hello(&[("p", spec("prometheus", &up, "20/s"))]));
    prober.start();
    let_pass(1_500);
    drop(target);
    let killed = monotonic_ns();
    let_pass(2_500);
    let again = web(port);
    let up_again = monotonic_ns();
    let_pass(1_800);
    let slots = prober.finish("p");
    drop(again);
    let is_bad = |slot: &&Observation| slot.grade == Grade::Bad;
    let first = slots.iter().position(|slot| is_bad(&slot)).expect("it saw the outage");
    let last = slots.iter().rposition(|slot| is_bad(&slot)).unwrap();
    let slack = 150 * MS;
    let before = &slots[first - 1];
    assert_eq!((before.grade, slots[last + 1].grade), (Grade::Good, Grade::Good));
    // Between the age of the last good one and the first bad one lies the kill.
    assert!(before.done_ns - before.age_ns.unwrap() <= killed + slack);
    assert!(slots[first].done_ns + slack >= killed, "{first}");
    assert!(before.age_ns.unwrap() + slack >= SCRAPE, "{before:?}");
    let end = &slots[last];
    assert!(end.done_ns - end.age_ns.unwrap() <= up_again + slack);
    assert!(slots[last + 1].done_ns + slack >= up_again);
}

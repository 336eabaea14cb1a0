//! Probes of one drill that look from different hosts: a fault on one of those is in its way alone.

use serde_json::Value;

use super::stand::Stand;

const DRILL: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Experiment
metadata: {name: places}
spec:
  title: who looks from a host that is cut off sees it
  lab: lab.yaml
  targets: {victim: {lab: {service: other}}}
  probes:
    cut: {tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: PONG}, from: r2, rate: 50/s, deadline: 250ms}
    third: {tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: PONG}, from: r3, rate: 50/s, deadline: 250ms}
    client: {tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: PONG}, rate: 50/s, deadline: 250ms}
  steadyState: {for: 300ms, within: 8s}
  method: [{at: 0s, hold: 1500ms, inject: {networkPartition: {isolate: victim}}}]
  hypothesis:
    - downtime: {probe: cut, atMost: 4s}
    - notAffected: {probe: third}
    - notAffected: {probe: client}
  recoveryWatch: 5s
"#;

/// The one redis, and one more on each of two other hosts.
fn three_hosts() -> Stand {
    let stand = Stand::new();
    let lab = stand.read("lab.yaml");
    let (_, redis) = lab.split_once("  services:\n").unwrap();
    let beside = |name: &str, host: &str| {
        let service = redis.replace("redis:\n", &format!("{name}:\n"));
        service.replace("[r1]", &format!("[{host}]")).replace("/t-", &format!("/{name}-"))
    };
    let text = format!("{lab}{}{}", beside("other", "r2"), beside("third", "r3"));
    std::fs::write(stand.path("lab.yaml"), text).unwrap();
    std::fs::write(stand.path("drill.yaml"), DRILL).unwrap();
    stand
}

#[test]
fn only_who_looks_from_the_host_that_is_cut_off_sees_the_outage() {
    let stand = three_hosts();
    let plan = stand.run(&["plan", "drill.yaml"]);
    assert!(plan.out.contains("client from the client, cut from r2, third from r3"), "{plan:?}");
    let ran = stand.run_drill(&[]);
    let report = stand.report();
    let outages = |probe: &str| -> Vec<Value> {
        report["probes"][probe]["outages"].as_array().unwrap().clone()
    };
    let cut = outages("cut");
    assert_eq!(cut.len(), 1, "{ran:?}");
    let length = cut[0]["lengthSeconds"].as_f64().unwrap();
    assert!((1.2..3.0).contains(&length), "{cut:?}");
    assert_eq!((outages("third").len(), outages("client").len()), (0, 0), "{ran:?}");
    for probe in ["cut", "third", "client"] {
        assert!(report["probes"][probe]["slots"].as_u64().unwrap() > 50, "{probe}: {ran:?}");
    }
    stand.assert_nothing_left();
}

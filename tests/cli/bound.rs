//! A target that is bound at the start stays the same instance, whoever has its role later.

use super::contest::two_redis;
use super::stand::Drill;

/// As soon as the primary does not answer, the other one takes its role for good.
const MOVES: &str = "redis-cli -h {{host.ipv4}} REPLICAOF 10.66.0.12 6379;
                while timeout 1 redis-cli -h 10.66.0.12 PING; do sleep 0.1; done;
                redis-cli -h {{host.ipv4}} REPLICAOF NO ONE;
                redis-cli -h 10.66.0.12 REPLICAOF {{host.ipv4}} 6379";

#[test]
fn a_second_step_hits_the_instance_that_was_bound_at_the_start() {
    let stand = two_redis(MOVES);
    stand.drill(&Drill {
        target: "lab: {service: redis, role: primary}, bind: start",
        probe: r#"{tcp: {address: "{{lab.redis@r2}}", send: "PING\r\n", expect: PONG}, rate: 100/s, deadline: 50ms}"#,
        steady: "{for: 100ms, within: 10s}",
        hold: "3s",
        ..Drill::default()
    });
    let again = "}}, {at: 7s, hold: 100ms, inject: {processPause: {target: redis}}}]";
    let drill = stand.read("drill.yaml").replacen("}}]\n", &format!("{again}\n"), 1);
    std::fs::write(stand.path("drill.yaml"), drill).unwrap();
    let ran = stand.run_drill(&[]);
    assert!(matches!(ran.code, Some(0 | 5)), "{ran:?}");
    let report = stand.report();
    let injections = report["injections"].as_array().unwrap();
    assert_eq!(injections.len(), 2, "{report}");
    assert_eq!(injections[0]["instance"], injections[1]["instance"], "{report}");
    let history = stand.read("out/history.jsonl");
    assert_eq!(history.matches("{\"bound\":").count(), 1, "bound once, and said once");
    stand.assert_nothing_left();
}

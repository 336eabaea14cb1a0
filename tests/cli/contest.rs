//! Two instances claim a role that is for one: nobody can tell which of them is meant.

use super::stand::{Drill, Ran, Stand};

/// Two redis that are primaries, and one who makes the second a replica after so many seconds.
fn two_primaries(seconds: &str) -> Stand {
    mended(&format!("sleep {seconds}; {BOW}"))
}

const BOW: &str = "redis-cli -h {{host.ipv4}} REPLICAOF 10.66.0.12 6379";
const CLAIM: &str = "redis-cli -h {{host.ipv4}} REPLICAOF NO ONE";

/// Two redis, and somebody beside them who does that.
pub fn two_redis(mend: &str) -> Stand {
    let stand = Stand::new();
    let lab = LAB.replace("MARK", &stand.mark).replace("MEND", mend);
    std::fs::write(stand.path("lab.yaml"), lab).unwrap();
    stand
}

fn mended(mend: &str) -> Stand {
    let stand = two_redis(mend);
    stand.drill(&Drill {
        target: "lab: {service: redis, role: primary}",
        hypothesis: "roleMoved: {target: redis, within: 1s}",
        probe: r#"{tcp: {address: "{{lab.redis@r1}}", send: "PING\r\n", expect: PONG}, rate: 100/s, deadline: 50ms}"#,
        steady: "{for: 100ms, within: 3s}",
        ..Drill::default()
    });
    stand
}

const LAB: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Lab
metadata: {name: t-MARK}
spec:
  title: two redis and a mender
  services:
    redis:
      hosts: [r1, r2]
      command: [redis-server, --port, "6379", --bind, "{{host.ipv4}}", --save, "", --protected-mode, "no",
                --set-proc-title, "no", --pidfile, "/t-MARK"]
      package: redis-server
      port: 6379
      ready: [{tcp: {send: "PING\r\n", expect: PONG}}]
      role:
        ask: {tcp: {send: "INFO replication\r\n", expect: "role:[a-z]+"}}
        every: 20ms
        roles:
          - {role: primary, matches: "role:master"}
          - {role: replica, matches: "role:slave"}
    mender:
      hosts: [r2]
      command: [sh, -c, "MEND; exec sleep 600"]
      package: redis-tools
      after: [redis]
"#;

fn flat(ran: &Ran) -> String {
    ran.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_role_that_two_claim_is_no_steady_state_and_nothing_is_injected() {
    let stand = two_primaries("600");
    let ran = stand.run_drill(&[]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    let said = flat(&ran);
    let why = "the steady state was not reached, so nothing was injected: \
               two instances say primary: redis@r1, redis@r2";
    assert!(said.contains(why), "{said}");
    assert!(!said.contains("in force:") && !said.contains("deviated"), "{said}");
    stand.assert_nothing_left();
}

#[test]
fn a_drill_waits_until_one_of_them_gives_way() {
    let stand = two_primaries("1");
    let ran = stand.run_drill(&[]);
    let said = flat(&ran);
    assert!(said.contains("redis is redis@r1"), "{ran:?}");
    assert!(said.contains("processPause redis@r1 in force"), "{ran:?}");
    assert!(!said.contains("the steady state was not"), "{ran:?}");
}

/// The steady state is long over when its step is due, and yet nothing was broken.
#[test]
fn a_role_that_is_claimed_after_the_steady_state_is_bound_by_nobody() {
    let stand = mended(&format!("{BOW}; sleep 1.5; {CLAIM}"));
    let drill = stand.read("drill.yaml").replace("at: 0s", "at: 4s");
    std::fs::write(stand.path("drill.yaml"), drill).unwrap();
    let ran = stand.run_drill(&[]);
    let said = flat(&ran);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(said.contains("two instances say primary: redis@r1, redis@r2"), "{said}");
    assert!(said.contains("so nothing was injected") && !said.contains("in force:"), "{said}");
    stand.assert_nothing_left();
}

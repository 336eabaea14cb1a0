//! What is run, and what must come out: file, what is changed of it, of its lab, exit code, and the
//! claims that must deviate, no more and no fewer.

use super::run::{Drill, comes_out};

/// Replacements in a text: each must be found there.
pub type Changes = &'static [(&'static str, &'static str)];

const NONE: Changes = &[];
const ONE_WEB: Changes = &[("hosts: [w1, w2, w3]", "hosts: [w1]")];
const ONE_ETCD: Changes = &[("hosts: [e1, e2, e3]", "hosts: [e1]")];
/// Checks that take a slow server for a good one: it keeps its share of the requests.
const PATIENT_CHECKS: Changes = &[
    ("timeout check 200ms", "timeout check 2s"),
    ("inter 100ms fastinter 100ms", "inter 1s fastinter 1s"),
];

macro_rules! drills {
    ($(
        $name:ident: $file:literal $lab:literal, $changes:expr, $lab_changes:expr
            => $code:literal [$($deviated:literal),*];
    )*) => {
        pub const ALL: &[Drill] = &[$(Drill {
            file: $file,
            lab: $lab,
            changes: $changes,
            lab_changes: $lab_changes,
            code: $code,
            deviated: &[$($deviated),*],
        }),*];

        $(#[test]
        fn $name() {
            comes_out(ALL.iter().find(|drill| drill.is($file, $code)).unwrap());
        })*
    };
}

drills! {
    redis_primary_loss: "redis-primary-loss" "redis-sentinel", NONE, NONE => 0 [];
    redis_primary_loss_with_nothing_to_promote: "redis-primary-loss" "redis-alone", NONE, NONE
        => 4 ["downtime proxy", "longestOutage writes", "outage writes", "recovery writes", "roleMoved"];
    redis_primary_pause: "redis-primary-pause" "redis-sentinel", NONE, NONE => 0 [];
    redis_primary_pause_with_nothing_to_promote: "redis-primary-pause" "redis-alone", NONE, NONE
        => 4 ["longestOutage proxy", "longestOutage writes", "roleMoved"];
    redis_primary_isolated: "redis-primary-isolated" "redis-sentinel", NONE, NONE => 0 [];
    redis_primary_isolated_with_no_loss_allowed: "redis-primary-isolated" "redis-sentinel",
        &[("atMost: 2100, window: 21s", "atMost: 0")], NONE => 4 ["dataLoss writes"];
    redis_primary_latency: "redis-primary-latency" "redis-sentinel", NONE, NONE => 0 [];
    redis_primary_latency_beyond_the_limit: "redis-primary-latency" "redis-sentinel",
        &[("delay: 50ms", "delay: 170ms")], NONE => 4 ["latency writes", "longestOutage proxy"];
    redis_replica_loss: "redis-replica-loss" "redis-sentinel", NONE, NONE => 0 [];
    redis_replica_loss_that_hits_the_primary: "redis-replica-loss" "redis-sentinel",
        &[("role: replica}, pick: one", "role: primary}, pick: one")], NONE
        => 4 ["notAffected proxy", "notAffected writes"];

    web_backend_kill: "web-backend-kill" "web", NONE, NONE => 0 [];
    web_backend_kill_of_the_only_one: "web-backend-kill" "web", NONE, ONE_WEB
        => 4 ["availability site", "longestOutage site", "outage site", "recovery site"];
    web_backend_pause: "web-backend-pause" "web", NONE, NONE => 0 [];
    web_backend_pause_of_the_only_one: "web-backend-pause" "web", NONE, ONE_WEB
        => 4 ["availability site", "longestOutage site", "recovery site"];
    web_backend_one_way_cut: "web-backend-one-way-cut" "web", NONE, NONE => 0 [];
    web_backend_one_way_cut_of_the_only_one: "web-backend-one-way-cut" "web", NONE, ONE_WEB
        => 4 ["availability site", "longestOutage site", "recovery site"];
    web_backend_slow: "web-backend-slow" "web", NONE, NONE => 0 [];
    web_backend_slow_and_no_check_that_would_mind: "web-backend-slow" "web",
        &[("delay: 60ms", "delay: 150ms")], PATIENT_CHECKS
        => 4 ["latency site"];

    etcd_leader_kill: "etcd-leader-kill" "etcd", NONE, NONE => 0 [];
    etcd_leader_kill_with_nobody_to_elect: "etcd-leader-kill" "etcd", NONE, ONE_ETCD
        => 4 ["longestOutage writes", "outage writes", "recovery writes", "roleMoved"];
    etcd_leader_isolated: "etcd-leader-isolated" "etcd", NONE, NONE => 0 [];
    etcd_leader_isolated_with_nobody_to_elect: "etcd-leader-isolated" "etcd", NONE, ONE_ETCD
        => 4 ["roleMoved"];
    etcd_quorum_lost: "etcd-quorum-lost" "etcd", NONE, NONE => 4 ["longestOutage writes"];
    etcd_quorum_kept: "etcd-quorum-lost" "etcd", &[("pick: majority", "pick: minority")], NONE
        => 0 [];
}

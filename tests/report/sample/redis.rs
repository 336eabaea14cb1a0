//! Redis with Sentinel and `HAProxy`: it holds, it never recovers, and nothing is done to it.

use squall::model::outcome::{ClaimVerdict, Outcome};
use squall::model::verdict::{ErrorBudget, LedgerReport, Report};

use super::build::{Figure, claim, kill, probe, quiet, ribbon, role, seconds, stage};

/// The primary is killed; 2.3 s later writes go to another, three are lost.
pub fn held() -> Report {
    let mut report = quiet("redis-primary-loss", Outcome::Held);
    let writes = [("good", 0.008), ("bad", 2.302), ("good", 17.0)];
    let proxy = [("good", 0.011), ("bad", 2.318), ("late", 2.41), ("good", 17.0)];
    let mut by_sentinel = probe("redis", 200.0, ribbon(200.0, &writes, -3.0), &report.window);
    by_sentinel.ledger = Some(ledger());
    let mut by_proxy = probe("redis", 100.0, ribbon(100.0, &proxy, -3.0), &report.window);
    by_proxy.slo = Some(ErrorBudget {
        slo: 99.95,
        days: 30.0,
        budget_seconds: 1296.0,
        spent_seconds: 2.307,
        spent_percent: 0.178,
        affordable: 561.7,
    });
    report.probes = [("writes".to_owned(), by_sentinel), ("proxy".to_owned(), by_proxy)].into();
    report.claims = held_claims();
    report.stages = vec![
        stage("fault effective", 0.0, 0.0004, "the injector, by pidfd"),
        stage("first bad", 0.013, 0.005, "writes, every 5ms"),
        stage("role moved", 1.932, 0.02, "redis@r2 asked every 20ms"),
        stage("first good", 2.302, 0.01, "writes, every 5ms"),
        stage("stable", 2.41, 0.02, "proxy, every 10ms"),
    ];
    report.injections = vec![kill(1, "redis@r1")];
    report.injections[0].by = "redis@r2 became primary after 1.932 s".to_owned();
    report.roles = vec![
        role("redis@r1", "primary", -3.0, 0.0),
        role("redis@r1", "unknown", 0.0, 17.0),
        role("redis@r2", "replica", -3.0, 1.932),
        role("redis@r2", "primary", 1.932, 17.0),
        role("redis@r3", "replica", -3.0, 17.0),
    ];
    report
}

fn held_claims() -> Vec<squall::model::verdict::ClaimReport> {
    use ClaimVerdict::Held;
    let lost = Figure { measured: Some(3.0), error: Some(0.0), limit: 50.0, unit: "writes" };
    let share = Figure { measured: Some(85.58), error: Some(0.13), limit: 80.0, unit: "percent" };
    vec![
        claim(
            Held,
            "downtime of proxy at most 6s",
            "2.31 s ± 0.02 s in 1 outage",
            seconds(2.307, 0.02, 6.0),
        ),
        claim(
            Held,
            "longestOutage of writes at most 5s",
            "2.29 s ± 0.01 s, refusals",
            seconds(2.294, 0.01, 5.0),
        ),
        claim(Held, "dataLoss of writes at most 50 writes", "3 acknowledged writes lost", lost),
        claim(Held, "availability of proxy at least 80%", "85.58% by time", share),
        claim(
            Held,
            "roleMoved from redis@r1 within 5s",
            "redis@r2 is primary",
            seconds(1.932, 0.02, 5.0),
        ),
        claim(
            Held,
            "recovery of writes within 8s",
            "good for good after 2.30 s",
            seconds(2.302, 0.01, 8.0),
        ),
    ]
}

fn ledger() -> LedgerReport {
    LedgerReport {
        attempted: 3600,
        acknowledged: 3138,
        failed: 447,
        indeterminate: 15,
        lost: 3,
        indeterminate_absent: 12,
        recovered: 3,
        resurrected: 0,
        duplicate: 0,
        phantom: 0,
        lost_before_fault_seconds: Some(0.0142),
        loss_span_seconds: Some(0.0101),
        lost_entries: vec![598, 599, 600],
        reads: 2,
        read_error: None,
    }
}

/// Nothing to promote: the outage lasts until nobody looks any more.
pub fn never_recovered() -> Report {
    use ClaimVerdict::{Deviated, Inconclusive};
    let mut report = quiet("redis-primary-loss", Outcome::Deviated);
    let runs = [("good", 0.008), ("bad", 17.0)];
    let mut writes = probe("redis", 200.0, ribbon(200.0, &runs, -3.0), &report.window);
    writes.ledger = Some(LedgerReport {
        attempted: 3600,
        acknowledged: 602,
        failed: 2991,
        indeterminate: 7,
        read_error: Some("no primary: every address refused".to_owned()),
        ..LedgerReport::default()
    });
    report.probes = [("writes".to_owned(), writes)].into();
    let unknown = |limit, unit| Figure { measured: None, error: None, limit, unit };
    report.claims = vec![
        claim(
            Deviated,
            "downtime of writes at most 6s",
            "at least 15.99 s ± 0.01 s in 1 outage that had not ended",
            seconds(15.992, 0.01, 6.0),
        ),
        claim(
            Deviated,
            "roleMoved from redis@r1 within 5s",
            "no other instance became primary in 16.0 s",
            unknown(5.0, "seconds"),
        ),
        claim(
            Inconclusive,
            "dataLoss of writes at most 50 writes",
            "the ledger could not be read back: no primary",
            unknown(50.0, "writes"),
        ),
    ];
    let mut stop = claim(
        Deviated,
        "outage of writes longer than 15s",
        "tripped after 15.00 s",
        seconds(15.0, 0.01, 15.0),
    );
    stop.stop_condition = true;
    report.claims.push(stop);
    report.stages = vec![
        stage("fault effective", 0.0, 0.0004, "the injector, by pidfd"),
        stage("first bad", 0.013, 0.005, "writes, every 5ms"),
    ];
    report.injections = vec![kill(1, "redis@r1")];
    report.roles =
        vec![role("redis@r1", "primary", -3.0, 0.0), role("redis@r1", "unknown", 0.0, 17.0)];
    report.reason = "downtime of writes: 15.99 s, at most 6 s allowed".to_owned();
    report
}

/// All the machinery, no fault.
pub fn null() -> Report {
    let mut report = quiet("redis-primary-loss", Outcome::Held);
    report.null = true;
    let good = ribbon(200.0, &[("good", 17.0)], -3.0);
    report.probes = [("writes".to_owned(), probe("redis", 200.0, good, &report.window))].into();
    report.claims = vec![claim(
        ClaimVerdict::Held,
        "downtime of writes at most 6s",
        "no outage",
        seconds(0.0, 0.01, 6.0),
    )];
    report.stages = vec![stage("fault effective", 0.0, 0.0, "the plan: a null drill has no fault")];
    report
}

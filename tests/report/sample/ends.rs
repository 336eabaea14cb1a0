//! Drills that end otherwise than held or deviated.

use squall::model::outcome::{ClaimVerdict, Outcome};
use squall::model::verdict::Report;

use super::build::{Figure, claim, held, kill, probe, quiet, ribbon, seconds, stage};

/// The prober stood still for 300 ms: its slots say nothing.
pub fn prober_stalled() -> Report {
    let mut report = quiet("web-backend-pause", Outcome::Inconclusive);
    report.title = "HAProxy takes a frozen backend out of its pool".to_owned();
    let runs = [("good", 0.4), ("late", 0.9), ("invalid", 1.21), ("bad", 1.9), ("good", 17.0)];
    let front = probe("http", 100.0, ribbon(100.0, &runs, -3.0), &report.window);
    report.probes = [("front".to_owned(), front)].into();
    let unknown = Figure { measured: None, error: None, limit: 3.0, unit: "seconds" };
    report.claims = vec![claim(
        ClaimVerdict::Inconclusive,
        "downtime of front at most 3s",
        "31 of 2000 slots (1.6%) are invalid: the prober did not run",
        unknown,
    )];
    report.injections = vec![held(0.0, 8.002, "processPause", "nginx@w2")];
    report.stages = vec![stage("fault effective", 0.0, 0.001, "the injector, by /proc")];
    report.notes = vec!["the prober did not run for 310 ms at 0.90 s".to_owned()];
    report.lag.stalled = 310.0;
    report.reason = "1 % or more of the slots of front are invalid".to_owned();
    report
}

/// A rule could not be taken away.
pub fn stuck() -> Report {
    let mut report = quiet("redis-primary-isolated", Outcome::Stuck);
    let runs = [("good", 0.02), ("bad", 17.0)];
    let writes = probe("redis", 200.0, ribbon(200.0, &runs, -3.0), &report.window);
    report.probes = [("writes".to_owned(), writes)].into();
    report.claims = vec![claim(
        ClaimVerdict::Deviated,
        "downtime of writes at most 6s",
        "at least 15.98 s ± 0.01 s",
        seconds(15.98, 0.01, 6.0),
    )];
    let mut cut = held(0.0, 8.0, "networkPartition", "redis@r1");
    cut.gone_seconds = None;
    cut.ended = "stuck".to_owned();
    cut.evidence.push("deleting rule 14 was refused: EBUSY".to_owned());
    report.injections = vec![cut];
    report.stages = vec![stage("fault effective", 0.0, 0.002, "12 canaries")];
    report.residue = vec![
        "table inet squall_d4k2m9x0p7q in the network namespace of redis@r1".to_owned(),
        "1 rule tagged d4k2m9x0p7q.2 that drops from r2".to_owned(),
    ];
    report.notes = vec![
        "somebody else changed the ruleset of r1 at 6.20 s; figures after it are doubtful"
            .to_owned(),
    ];
    report.reason = "networkPartition on redis@r1 could not be undone".to_owned();
    report
}

/// Ctrl-C in mid-hold: undone, nothing judged.
pub fn aborted() -> Report {
    let mut report = quiet("redis-primary-loss", Outcome::Aborted);
    let runs = [("good", 0.008), ("bad", 1.2)];
    let writes = probe("redis", 200.0, ribbon(200.0, &runs, -3.0), &report.window);
    report.probes = [("writes".to_owned(), writes)].into();
    report.injections = vec![kill(1, "redis@r1")];
    report.injections[0].effective_seconds = None;
    report.injections[0].ended = "never in force".to_owned();
    report.injections[0].by = String::new();
    report.reason = "SIGINT from the operator".to_owned();
    report
}

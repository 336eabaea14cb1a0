//! The pieces that samples are made of.

use std::collections::BTreeMap;

use squall::model::history::Environment;
use squall::model::outcome::{ClaimVerdict, Outcome};
use squall::model::verdict::{
    ClaimReport, InjectionReport, LagReport, Latency, Outage, ProbeReport, Replay, Report,
    RibbonRun, RoleSpan, Stage, Window,
};

/// A report with a drill of 20 s and nothing that happened in it.
pub fn quiet(experiment: &str, verdict: Outcome) -> Report {
    Report {
        version: squall::model::verdict::REPORT_VERSION,
        experiment: experiment.to_owned(),
        title: "Redis keeps taking writes when its primary dies".to_owned(),
        drill: "d4k2m9x0p7q".to_owned(),
        squall: "0.1.0".to_owned(),
        started: "2026-03-14T09:26:53+01:00".to_owned(),
        verdict,
        reason: "every claim held".to_owned(),
        seed: 8_310_764_201,
        digest: "9f2c47d1b6e08a35c4f1d7e92b60a8135e7c9d04f6b1a28e3d5c7f908142b6ae".to_owned(),
        intent_digest: "1b7e5d20c9a4f6318e2d7c5b90f1a6e43d8c2b7f5a09e6d1c4b38f7a2e5d9c06"
            .to_owned(),
        null: false,
        window: Window {
            zero_ns: 84_213_000_000_000,
            from_seconds: 0.0,
            to_seconds: 16.0,
            seen_from_seconds: -3.0,
            seen_to_seconds: 17.0,
        },
        claims: Vec::new(),
        probes: BTreeMap::new(),
        stages: Vec::new(),
        injections: Vec::new(),
        roles: Vec::new(),
        residue: Vec::new(),
        read_back: true,
        notes: Vec::new(),
        lag: LagReport { slots: 6000, p50: 0.061, p99: 0.214, max: 1.12, stalled: 0.0 },
        environment: environment(),
        plan: PLAN.to_owned(),
        replay: Replay {
            experiment: format!("experiments/{experiment}.yaml"),
            lab: None,
            policies: vec!["default".to_owned()],
            policy_files: Vec::new(),
        },
    }
}

const PLAN: &str = "plan 9f2c47d1b6e0, seed 8310764201, lab redis-sentinel\n\
    \n\
    \x20 0s  processKill primary   hold 8s   deadline 11s\n\
    \x20     candidates  redis@r1, redis@r2, redis@r3 (the primary, bound at injection)\n\
    \x20     restore     cannot be undone; relies on: redis is never restarted, a replica must be promoted\n\
    \n\
    blast radius: 1 instance, 1 of 3 of redis, at most 8s\n";

fn environment() -> Environment {
    let carriers =
        [("queue", "NFQUEUE by the compat target"), ("tables", "owned, inet and netdev")];
    Environment {
        kernel: "6.12.9-amd64".to_owned(),
        cores: 8,
        load: 0.42,
        privilege: "user".to_owned(),
        prober_scheduling: "other".to_owned(),
        carriers: carriers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

/// Figure, error and limit in one unit.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    pub measured: Option<f64>,
    pub error: Option<f64>,
    pub limit: f64,
    pub unit: &'static str,
}

pub fn seconds(measured: f64, error: f64, limit: f64) -> Figure {
    Figure { measured: Some(measured), error: Some(error), limit, unit: "seconds" }
}

pub fn claim(verdict: ClaimVerdict, claim: &str, finding: &str, figure: Figure) -> ClaimReport {
    let mut words = claim.split(' ');
    let check = words.next().unwrap_or_default().to_owned();
    let probe = words.nth(1).unwrap_or_default().to_owned();
    ClaimReport {
        check,
        probe,
        verdict,
        measured: figure.measured,
        error: figure.error,
        limit: figure.limit,
        unit: figure.unit.to_owned(),
        claim: claim.to_owned(),
        finding: finding.to_owned(),
        stop_condition: false,
    }
}

pub fn stage(name: &str, at_seconds: f64, error_seconds: f64, seen_by: &str) -> Stage {
    Stage { name: name.to_owned(), at_seconds, error_seconds, seen_by: seen_by.to_owned() }
}

/// `good -3 0.011, bad 0.011 2.318`: runs in time order at a rate.
pub fn ribbon(rate: f64, runs: &[(&str, f64)], from: f64) -> Vec<RibbonRun> {
    let mut at = from;
    let mut ribbon = Vec::new();
    for (grade, to) in runs {
        let slots = whole((to - at) * rate).max(1);
        let (from_seconds, to_seconds) = (at, *to);
        ribbon.push(RibbonRun { from_seconds, to_seconds, grade: (*grade).to_owned(), slots });
        at = *to;
    }
    ribbon
}

/// The whole number nearest to it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "samples have a few thousand slots"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "samples have a few thousand slots")]
fn percent(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 * 100.0 / of as f64)
}

/// A probe whose figures follow from its ribbon, one outage per run that is not good.
pub fn probe(kind: &str, rate: f64, ribbon: Vec<RibbonRun>, window: &Window) -> ProbeReport {
    let inside = |run: &&RibbonRun| run.from_seconds >= window.from_seconds - 3.0;
    let slots = |grade: &str| {
        let runs = ribbon.iter().filter(inside).filter(|run| run.grade == grade);
        runs.map(|run| run.slots).sum::<u64>()
    };
    let (good, late, bad, invalid) = (slots("good"), slots("late"), slots("bad"), slots("invalid"));
    let all = good + late + bad + invalid;
    let outages: Vec<Outage> = ribbon
        .iter()
        .filter(|run| run.grade == "bad")
        .map(|run| outage(run, rate, window))
        .collect();
    let down: f64 = outages.iter().map(|outage| outage.length_seconds).sum();
    let length = window.to_seconds - window.from_seconds;
    ProbeReport {
        kind: kind.to_owned(),
        rate_per_second: rate,
        deadline_seconds: 0.25,
        slots: all,
        good,
        late,
        bad,
        invalid,
        availability_by_time: Some((100.0 - down * 100.0 / length).max(0.0)),
        availability_by_request: percent(good, all - invalid),
        downtime_seconds: down,
        hard_down_seconds: down,
        brown_out_seconds: 0.0,
        first_bad_seconds: outages.first().map(|o| o.from_seconds + 1.0 / rate),
        last_bad_seconds: outages.last().map(|o| o.to_seconds - 1.0 / rate),
        first_good_seconds: outages.first().filter(|o| o.ended).map(|o| o.to_seconds),
        stable_seconds: outages.last().filter(|o| o.ended).map(|o| o.to_seconds),
        errors: outages.iter().flat_map(|o| o.errors.clone()).collect(),
        outages,
        latency: latencies(),
        slo: None,
        ledger: None,
        ribbon,
    }
}

fn outage(run: &RibbonRun, rate: f64, window: &Window) -> Outage {
    Outage {
        from_seconds: run.from_seconds,
        to_seconds: run.to_seconds,
        length_seconds: run.to_seconds - run.from_seconds,
        error_seconds: 2.0 / rate,
        slots: run.slots,
        ended: run.to_seconds < window.to_seconds,
        hard: true,
        errors: [
            ("refused".to_owned(), run.slots - run.slots / 8),
            ("timeout".to_owned(), run.slots / 8),
        ]
        .into_iter()
        .collect(),
        character: "refusals".to_owned(),
    }
}

fn latencies() -> BTreeMap<String, Latency> {
    let latency =
        |count, p50, p99, p999, max| Latency { count, unanswered: 0, p50, p99, p999, max };
    [
        ("before".to_owned(), latency(600, 0.38, 1.21, 2.9, 3.4)),
        ("during".to_owned(), latency(1138, 0.44, 18.2, 201.0, 243.5)),
        ("after".to_owned(), latency(1800, 0.41, 1.35, 3.3, 6.1)),
    ]
    .into_iter()
    .collect()
}

pub fn role(instance: &str, role: &str, from_seconds: f64, to_seconds: f64) -> RoleSpan {
    RoleSpan { instance: instance.to_owned(), role: role.to_owned(), from_seconds, to_seconds }
}

pub fn kill(number: u16, instance: &str) -> InjectionReport {
    InjectionReport {
        id: format!("d4k2m9x0p7q.{number}"),
        kind: "processKill".to_owned(),
        instance: instance.to_owned(),
        summary: "SIGKILL to one process".to_owned(),
        effective_seconds: Some(0.0),
        error_seconds: Some(0.0004),
        gone_seconds: None,
        ended: "relied on the system".to_owned(),
        by: "nothing was seen to repair it".to_owned(),
        evidence: vec!["process 7 is gone (pidfd)".to_owned()],
    }
}

pub fn held(effective: f64, gone: f64, kind: &str, instance: &str) -> InjectionReport {
    InjectionReport {
        kind: kind.to_owned(),
        summary: format!("{kind} on {instance}"),
        effective_seconds: Some(effective),
        error_seconds: Some(0.002),
        gone_seconds: Some(gone),
        ended: "reverted".to_owned(),
        by: "injector".to_owned(),
        evidence: vec![
            "12 of 12 canaries from r2 lost".to_owned(),
            "12 of 12 canaries from r2 arrived".to_owned(),
        ],
        ..kill(2, instance)
    }
}

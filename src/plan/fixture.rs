//! A lab and an experiment for the tests of this folder and of `guard`.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::experiment::{
    Bind, Claim, Defence, Experiment, Footprint, LabSelector, Peers, Pick, Restore, Selector, Step,
    StepFacts, TargetSpec,
};
use crate::model::lab::LabSpec;
use crate::model::plan::{Plan, PlannedLab, Source};
use crate::model::units::Span;

use super::{PlanInput, plan};

/// Three redis on r1 to r3, three sentinels on s1 to s3, and two nginx that share r1 and r2.
pub fn lab() -> PlannedLab {
    let service = |hosts: &[&str], restart: serde_json::Value| json!({"hosts": hosts, "command": ["server"], "port": 6379, "restart": restart});
    let mut redis = service(&["r1", "r2", "r3"], json!("never"));
    redis["timers"] = json!({"downAfter": "1s"});
    let spec: LabSpec = serde_json::from_value(json!({
        "title": "three and three",
        "services": {
            "redis": redis,
            "sentinel": service(&["s1", "s2", "s3"], json!({"always": {"after": "1s"}})),
            "nginx": service(&["r1", "r2"], json!({"always": {"after": "2s"}})),
        },
    }))
    .unwrap();
    super::lab("trio", "labs/trio.yaml", "1ab", &spec).unwrap()
}

pub fn target(service: &str, role: Option<&str>, pick: Pick) -> TargetSpec {
    let selector = Selector::Lab(LabSelector {
        service: service.into(),
        role: role.map(Into::into),
        hosts: Vec::new(),
    });
    TargetSpec { selector, pick, bind: Bind::Inject }
}

/// A step of a kind that has these facts.
pub fn step(at: u64, hold: u64, target: &str, restore: Restore) -> Step {
    let defence = match restore {
        Restore::None => vec![Defence::ReadBack],
        Restore::Undo => vec![Defence::Guardian, Defence::Journal, Defence::ReadBack],
        Restore::Kernel => {
            vec![Defence::Kernel, Defence::Guardian, Defence::Journal, Defence::ReadBack]
        }
    };
    Step {
        at: Span::secs(at),
        hold: Span::secs(hold),
        kind: "someFault".into(),
        params: json!({"target": target}),
        facts: StepFacts {
            subjects: vec![target.into()],
            peers: Peers::None,
            restore,
            defence,
            footprint: Footprint::Process,
            summary: "harm to {target}".into(),
        },
    }
}

pub fn experiment(targets: &[(&str, TargetSpec)], method: Vec<Step>) -> Experiment {
    Experiment {
        name: "trial".into(),
        title: "It holds".into(),
        labels: BTreeMap::new(),
        owner: None,
        change: None,
        environment: None,
        lab: Some("labs/trio.yaml".into()),
        targets: targets.iter().map(|(name, spec)| ((*name).into(), spec.clone())).collect(),
        probes: BTreeMap::new(),
        steady_for: Span::secs(2),
        steady_within: Span::secs(30),
        method,
        hypothesis: vec![Claim {
            check: "downtime".into(),
            params: json!({"probe": "writes", "atMost": "6s"}),
            probe: Some("writes".into()),
            target: None,
            line: 9,
        }],
        stop_conditions: Vec::new(),
        recovery_watch: Span::secs(10),
    }
}

pub fn input(experiment: &Experiment) -> PlanInput<'_> {
    PlanInput {
        experiment,
        source: Source { path: "trial.yaml".into(), sha256: "e1".into() },
        lab: Some(lab()),
        clusters: Vec::new(),
        seed: 42,
        policies: BTreeMap::from([("default".into(), "d1".into())]),
        warnings: Vec::new(),
    }
}

pub fn planned(experiment: &Experiment) -> Plan {
    plan(input(experiment)).unwrap()
}

/// The primary of redis is killed.
pub fn primary_loss() -> Experiment {
    experiment(
        &[("primary", target("redis", Some("primary"), Pick::One))],
        vec![step(0, 8, "primary", Restore::None)],
    )
}

//! Histories with a scripted truth, for tests: what the service really did is written down, and the
//! slots that a probe would have seen follow from it. Times are milliseconds from fault effective.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::model::expectation::Impact;
use crate::model::experiment::{
    Bind, Claim, Experiment, Footprint, LabSelector, Peers, Pick, ProbeSpec, Restore, Selector,
    Step, StepFacts, TargetSpec,
};
use crate::model::history::{
    Effective, Entry, Environment, HISTORY_VERSION, Lag, Opened, Phase, Record, Reverted,
};
use crate::model::id::{DrillId, InjectionId};
use crate::model::inventory::{InstanceName, Role};
use crate::model::observation::{ErrorClass, Grade, LedgerRead, Observation, WriteFate};
use crate::model::plan::{BlastRadius, PLAN_VERSION, Plan, Source};
use crate::model::units::{Percent, Rate, Span};
use crate::model::verdict::{ClaimReport, Report};

/// Second 0 of every scripted drill.
pub const ZERO_NS: u64 = 1_000_000_000_000;

/// Nanoseconds of `CLOCK_MONOTONIC` at a millisecond of the script.
#[expect(clippy::cast_possible_truncation, reason = "scripts are short")]
pub fn at_ns(ms: f64) -> u64 {
    ZERO_NS.checked_add_signed((ms * 1e6).round() as i64).unwrap()
}

/// From, to.
pub type Stretch = (f64, f64);

/// What a service really did, and how it was looked at.
#[derive(Debug, Clone)]
pub struct Service {
    pub rate: f64,
    pub deadline_ms: f64,
    pub patience_ms: f64,
    pub latency_ms: f64,
    /// Moves all slots.
    pub phase_ms: f64,
    pub refused: Vec<Stretch>,
    /// Requests that come in here are answered at its end.
    pub stalled: Vec<Stretch>,
    /// Requests that come in here are never answered.
    pub dropped: Vec<Stretch>,
    /// Requests that come in here take so much longer.
    pub slow: Vec<(f64, f64, f64)>,
    pub invalid: Vec<Stretch>,
    pub missing: Vec<Stretch>,
    pub slo: Option<Percent>,
    pub writes: bool,
}

impl Default for Service {
    fn default() -> Service {
        Service {
            rate: 100.0,
            deadline_ms: 250.0,
            patience_ms: 2000.0,
            latency_ms: 1.0,
            phase_ms: 0.0,
            refused: Vec::new(),
            stalled: Vec::new(),
            dropped: Vec::new(),
            slow: Vec::new(),
            invalid: Vec::new(),
            missing: Vec::new(),
            slo: None,
            writes: false,
        }
    }
}

fn covers(stretches: &[Stretch], ms: f64) -> Option<Stretch> {
    stretches.iter().copied().find(|(from, to)| (*from..*to).contains(&ms))
}

impl Service {
    pub fn refusing(from_ms: f64, to_ms: f64) -> Service {
        Service { refused: vec![(from_ms, to_ms)], ..Service::default() }
    }

    pub fn stalling(from_ms: f64, to_ms: f64) -> Service {
        Service { stalled: vec![(from_ms, to_ms)], ..Service::default() }
    }

    /// One letter a slot from 0 on: g, l, b, x; good before and after.
    pub fn observe_letters(&self, letters: &str, to_ms: f64) -> Vec<Observation> {
        let mut slots = self.observe(-1000.0, to_ms);
        let first = slots.iter().position(|slot| slot.due_ns >= ZERO_NS).unwrap();
        for (slot, letter) in slots[first..].iter_mut().zip(letters.chars()) {
            (slot.grade, slot.error) = match letter {
                'g' => (Grade::Good, None),
                'l' => (Grade::Late, None),
                'b' => (Grade::Bad, Some(ErrorClass::Refused)),
                _ => (Grade::Invalid, None),
            };
        }
        slots
    }

    pub fn observe(&self, from_ms: f64, to_ms: f64) -> Vec<Observation> {
        let interval = 1000.0 / self.rate;
        let mut slots = Vec::new();
        for slot in 0_u32.. {
            let due = from_ms + self.phase_ms + f64::from(slot) * interval;
            if due > to_ms {
                return slots;
            }
            if covers(&self.missing, due).is_none() {
                slots.push(self.slot(u64::from(slot), due));
            }
        }
        slots
    }

    fn slot(&self, slot: u64, due: f64) -> Observation {
        let (done, mut grade, error) = self.answer(due);
        if covers(&self.invalid, due).is_some() {
            grade = Grade::Invalid;
        }
        let fate = match (grade, error) {
            (_, Some(ErrorClass::Refused)) => WriteFate::Failed,
            (Grade::Good | Grade::Late, _) => WriteFate::Acknowledged,
            _ => WriteFate::Indeterminate,
        };
        Observation {
            slot,
            due_ns: at_ns(due),
            started_ns: at_ns(due),
            done_ns: at_ns(done),
            grade,
            error: error.filter(|_| grade == Grade::Bad),
            phases: None,
            write: self.writes.then_some(fate),
            peer: None,
            age_ns: None,
        }
    }

    fn answer(&self, due: f64) -> (f64, Grade, Option<ErrorClass>) {
        if covers(&self.refused, due).is_some() {
            return (due + 0.05, Grade::Bad, Some(ErrorClass::Refused));
        }
        if covers(&self.dropped, due).is_some() {
            return (due + self.patience_ms, Grade::Bad, Some(ErrorClass::Timeout));
        }
        let free = covers(&self.stalled, due).map_or(due, |(_, to)| to);
        let slow = self.slow.iter().find(|(from, to, _)| (*from..*to).contains(&due));
        let done = free + self.latency_ms + slow.map_or(0.0, |(_, _, extra)| *extra);
        if done - due <= self.deadline_ms {
            (done, Grade::Good, None)
        } else if done - due <= self.patience_ms {
            (done, Grade::Late, None)
        } else {
            (due + self.patience_ms, Grade::Bad, Some(ErrorClass::Timeout))
        }
    }

    pub fn spec(&self) -> ProbeSpec {
        ProbeSpec {
            kind: "tcp".to_owned(),
            params: json!({}),
            rate: Rate(self.rate),
            deadline: Span(std::time::Duration::from_secs_f64(self.deadline_ms / 1e3)),
            steady: true,
            slo: self.slo,
            from: None,
        }
    }
}

/// A drill: one kill of the primary at 0, gone at `hold_ms`, watched to `watch_ms`.
#[derive(Debug, Clone)]
pub struct Drill {
    pub services: BTreeMap<String, Service>,
    /// Slots in place of what a service would give.
    pub slots: BTreeMap<String, Vec<Observation>>,
    pub hypothesis: Vec<Claim>,
    pub stops: Vec<Claim>,
    pub null: bool,
    pub effective: bool,
    pub reverted: bool,
    pub residue: Option<Vec<String>>,
    /// Are the end of the watch, and the end of the history, on record?
    pub complete: bool,
    pub closed: bool,
    pub hold_ms: f64,
    /// What the plan asks for, where that is not what was held.
    pub planned_ms: Option<f64>,
    pub watch_ms: f64,
    pub more: Vec<Record>,
}

impl Default for Drill {
    fn default() -> Drill {
        Drill {
            services: BTreeMap::new(),
            slots: BTreeMap::new(),
            hypothesis: Vec::new(),
            stops: Vec::new(),
            null: false,
            effective: true,
            reverted: true,
            residue: Some(Vec::new()),
            complete: true,
            closed: true,
            hold_ms: 3000.0,
            planned_ms: None,
            watch_ms: 10_000.0,
            more: Vec::new(),
        }
    }
}

pub fn injection(number: u16) -> InjectionId {
    InjectionId { drill: DrillId::from_bits(7), number }
}

fn claim(check: &str, params: Value) -> Claim {
    let name = |key: &str| params.get(key).and_then(Value::as_str).map(str::to_owned);
    Claim { check: check.to_owned(), probe: name("probe"), target: name("target"), params, line: 1 }
}

impl Drill {
    /// One probe, `p`.
    pub fn of(service: Service) -> Drill {
        Drill::default().probe("p", service)
    }

    pub fn probe(mut self, name: &str, service: Service) -> Drill {
        self.services.insert(name.to_owned(), service);
        self
    }

    pub fn claims(mut self, check: &str, params: Value) -> Drill {
        self.hypothesis.push(claim(check, params));
        self
    }

    pub fn stops(mut self, check: &str, params: Value) -> Drill {
        self.stops.push(claim(check, params));
        self
    }

    pub fn entry(mut self, ms: f64, entry: Entry) -> Drill {
        self.more.push(Record { at_ns: at_ns(ms), entry });
        self
    }

    pub fn role(self, ms: f64, instance: &str, role: Option<&str>) -> Drill {
        self.entry(
            ms,
            Entry::RoleSeen {
                instance: InstanceName(instance.to_owned()),
                role: role.map(|role| Role(role.to_owned())),
                asked_every_ns: 20_000_000,
            },
        )
    }

    /// Both final reads of `p`, found as given.
    pub fn reads(mut self, first: Vec<u64>, second: Vec<u64>) -> Drill {
        let at_ms = self.watch_ms + 10.0;
        for (round, found) in [(1, first), (2, second)] {
            let read = LedgerRead {
                round,
                at_ns: at_ns(at_ms),
                source: "here".to_owned(),
                found,
                foreign: 0,
                error: None,
            };
            self = self.entry(at_ms, Entry::Ledger { probe: "p".to_owned(), read });
        }
        self
    }

    pub fn report(&self) -> Report {
        crate::judge::judge(&self.records(), "the plan").unwrap()
    }

    /// The report's first claim.
    pub fn first(&self) -> ClaimReport {
        self.report().claims.remove(0)
    }

    pub fn records(&self) -> Vec<Record> {
        let at = |ms: f64, entry| Record { at_ns: at_ns(ms), entry };
        let mut records = vec![
            at(-2500.0, Entry::Phase(Phase::Steady)),
            at(-10.0, Entry::Phase(Phase::Method)),
            at(self.hold_ms, Entry::Phase(Phase::Revert)),
            at(self.hold_ms + 20.0, Entry::Phase(Phase::Recover)),
        ];
        if self.effective && !self.null {
            records.extend(self.fault());
        }
        for (name, service) in &self.services {
            let observed = || service.observe(-2000.0, self.watch_ms);
            let slots = self.slots.get(name).cloned().unwrap_or_else(observed);
            for batch in slots.chunks(50) {
                let at_ns = batch.iter().map(|slot| slot.done_ns).max().unwrap();
                let entry = Entry::Slots { probe: name.clone(), slots: batch.to_vec() };
                records.push(Record { at_ns, entry });
            }
        }
        records.push(at(self.watch_ms, Entry::Lag(Lag { slots: 1000, ..Lag::default() })));
        if self.complete {
            records.push(at(self.watch_ms, Entry::Phase(Phase::Settle)));
        }
        records.extend(self.more.iter().cloned());
        records.extend(self.residue.clone().map(|left| at(1e6, Entry::Residue(left))));
        records.sort_by_key(|record| record.at_ns);
        records.insert(0, at(-3000.0, Entry::Opened(Box::new(self.opened()))));
        if self.closed {
            records.push(at(1e6 + 1.0, Entry::Closed));
        }
        records
    }

    fn fault(&self) -> Vec<Record> {
        let instance = InstanceName("redis@r1".to_owned());
        let bound =
            Entry::Bound { target: "primary".to_owned(), instances: vec![instance.clone()] };
        let effective = Entry::Effective(Effective {
            injection: injection(0),
            step: 0,
            instance,
            kind: "processKill".to_owned(),
            began_ns: at_ns(-2.0),
            effective_ns: at_ns(0.0),
            evidence: "process 7 is gone".to_owned(),
        });
        let reverted = Entry::Reverted(Reverted {
            injection: injection(0),
            gone_ns: at_ns(self.hold_ms + 10.0),
            by: "injector".to_owned(),
            evidence: "process 7 is gone".to_owned(),
        });
        let mut entries = vec![(-3.0, bound), (0.0, effective)];
        if self.reverted {
            entries.push((self.hold_ms + 10.0, reverted));
        }
        entries.into_iter().map(|(ms, entry)| Record { at_ns: at_ns(ms), entry }).collect()
    }

    fn opened(&self) -> Opened {
        Opened {
            version: HISTORY_VERSION,
            drill: DrillId::from_bits(7),
            squall: "0.1.0".to_owned(),
            wall: "2026-01-02T03:04:05+00:00".to_owned(),
            plan: self.plan(),
            policy_files: Vec::new(),
            null: self.null,
            environment: Environment::default(),
        }
    }

    pub fn plan(&self) -> Plan {
        Plan {
            version: PLAN_VERSION,
            digest: "d".to_owned(),
            intent_digest: "i".to_owned(),
            seed: 7,
            source: Source { path: "x.yaml".to_owned(), sha256: "s".to_owned() },
            experiment: self.experiment(),
            lab: None,
            clusters: Vec::new(),
            targets: BTreeMap::new(),
            steps: Vec::new(),
            blast_radius: BlastRadius::default(),
            policies: BTreeMap::new(),
            warnings: Vec::new(),
            expectations: Vec::new(),
        }
    }

    fn experiment(&self) -> Experiment {
        let target = |role: Option<&str>| TargetSpec {
            selector: Selector::Lab(LabSelector {
                service: "redis".to_owned(),
                role: role.map(str::to_owned),
                hosts: Vec::new(),
            }),
            pick: Pick::One,
            bind: Bind::Inject,
            follow: false,
        };
        Experiment {
            name: "x".to_owned(),
            title: "X".to_owned(),
            labels: BTreeMap::new(),
            owner: None,
            change: None,
            environment: None,
            lab: None,
            targets: BTreeMap::from([
                ("primary".to_owned(), target(Some("primary"))),
                ("any".to_owned(), target(None)),
            ]),
            probes: self.services.iter().map(|(n, s)| (n.clone(), s.spec())).collect(),
            steady_for: Span::secs(2),
            steady_within: Span::secs(30),
            method: vec![self.step()],
            hypothesis: self.hypothesis.clone(),
            stop_conditions: self.stops.clone(),
            recovery_watch: Span::secs(7),
        }
    }

    fn step(&self) -> Step {
        Step {
            at: Span::ZERO,
            hold: Span(std::time::Duration::from_secs_f64(
                self.planned_ms.unwrap_or(self.hold_ms) / 1e3,
            )),
            kind: "processKill".to_owned(),
            params: json!({"target": "primary"}),
            facts: StepFacts {
                subjects: vec!["primary".to_owned()],
                peers: Peers::None,
                restore: Restore::None,
                defence: Vec::new(),
                footprint: Footprint::Process,
                summary: "SIGKILL to {target}".to_owned(),
            },
            impact: Impact::Uncounted,
        }
    }
}

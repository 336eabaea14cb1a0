//! What the conductor knows of a drill under way: who lives, what is in force, who wants an end.

use std::collections::{BTreeMap, BTreeSet};

use super::bind::Bound;
use super::event::Part;
use super::follow::Following;
use super::revert::CLUSTERS;
use super::roles::RolesSeen;
use super::silence::Silence;
use super::steps::Steps;
use super::watch::Watch;
use crate::judge::live::Live;
use crate::model::history::Entry;
use crate::model::id::InjectionId;
use crate::model::inventory::{InstanceName, Role};
use crate::model::plan::Plan;
use crate::model::units::Span;

/// How long a completed slot may take to be told to us: a batch of the prober and its transport.
const DELIVERY: Span = Span::millis(200);

/// Who is what now; None where it did not say.
pub type Roles = BTreeMap<InstanceName, Option<Role>>;

pub struct State {
    pub watch: Watch,
    pub steps: Steps,
    pub following: Following,
    /// Answered by the prober when asked.
    pub roles: Option<Roles>,
    /// The targets that were bound once, as the method began.
    pub bound: Bound,
    /// What instances say by themselves, all along.
    pub roles_seen: RolesSeen,
    pub residue: Option<Vec<String>>,
    /// What the history says was read back; once more it would say the same.
    pub residue_noted: Option<Vec<String>>,
    pub ledger_rounds: u8,
    /// Does any probe keep a ledger?
    pub ledgers: bool,
    pub finished: bool,
    /// We asked for the end of every fault: from here on a part may go.
    pub reverting: bool,
    pub all_reverted: bool,
    /// Whoever should undo was replaced by a recovery.
    pub recovering: bool,
    /// Goodbye is said: whoever goes now is not lost.
    pub leaving: bool,
    /// Was anything ever done to a target?
    pub struck: bool,
    /// The undo of an injection could not be made durable, and why.
    pub unwritten: Option<String>,
    /// What was said, with evidence, to be undone, void or never touched; that outweighs a journal
    /// that could not take its last line.
    pub ended: BTreeSet<InjectionId>,
    pub stuck: BTreeSet<InjectionId>,
    /// A stop condition ended the hold.
    pub stopped: bool,
    /// Nobody can tell who is meant by a target, and nothing was ordered yet.
    pub contested: bool,
    pub aborted: bool,
    /// How often the operator asked for an end: revert, skip the watch, out.
    pub signals: u32,
    pub quit: bool,
    pub lost: BTreeSet<Part>,
    pub injector_silence: Silence,
    pub guardian_silence: Silence,
    pub prober_silence: Silence,
    outages: Live,
    /// Up to when silence is the system's: the prober has said that it was awake.
    awake_ns: Option<u64>,
}

impl State {
    #[must_use]
    pub fn new(watch: Watch, plan: &Plan) -> State {
        let ledger = |spec: &crate::model::experiment::ProbeSpec| {
            crate::probe::find(&spec.kind)
                .is_some_and(|probe| probe.keeps_ledger(&spec.params).unwrap_or(false))
        };
        let probes = &plan.experiment.probes;
        State {
            watch,
            steps: Steps::default(),
            following: Following::default(),
            roles: None,
            bound: Bound::new(),
            roles_seen: RolesSeen::of(plan),
            residue: None,
            residue_noted: None,
            ledger_rounds: 0,
            ledgers: probes.values().any(ledger),
            finished: false,
            reverting: false,
            all_reverted: false,
            recovering: false,
            leaving: false,
            struck: false,
            unwritten: None,
            ended: BTreeSet::new(),
            stuck: BTreeSet::new(),
            stopped: false,
            contested: false,
            aborted: false,
            signals: 0,
            quit: false,
            lost: BTreeSet::new(),
            injector_silence: Silence::default(),
            guardian_silence: Silence::default(),
            prober_silence: Silence::default(),
            outages: Live::new(probes, DELIVERY),
            awake_ns: None,
        }
    }

    pub fn begin_method(&mut self, plan: &Plan, now: u64, null: bool) {
        let patience = if plan.clusters.is_empty() { Span::default() } else { CLUSTERS };
        self.steps = Steps::of(&plan.steps, now, null).patient(patience);
        self.roles_seen.keep_sole(now);
    }

    /// Is the hold to be ended now?
    #[must_use]
    pub fn ending(&self) -> bool {
        self.aborted || self.stopped || self.contested || self.quit
    }

    /// The operator asked twice: nothing more is waited for than the undo.
    #[must_use]
    pub fn impatient(&self) -> bool {
        self.signals >= 2 || self.quit
    }

    #[must_use]
    pub fn injector_lives(&self) -> bool {
        !self.lost.contains(&Part::Injector)
    }

    #[must_use]
    pub fn guardian_lives(&self) -> bool {
        !self.lost.contains(&Part::Guardian)
    }

    #[must_use]
    pub fn prober_lives(&self) -> bool {
        !self.lost.contains(&Part::Prober)
    }

    /// A recovery was started, and has ended.
    #[must_use]
    pub fn recovery_over(&self) -> bool {
        self.lost.contains(&Part::Recovery)
    }

    /// It is undone, or there was nothing to undo.
    pub fn ended(&mut self, injection: &InjectionId, now: u64) {
        self.steps.closed(injection, now);
        self.ended.insert(injection.clone());
    }

    pub fn saw(&mut self, at_ns: u64, entry: &Entry) {
        match entry {
            Entry::Slots { probe, slots } => {
                self.watch.take(probe, slots);
                for slot in slots {
                    self.outages.observe(probe, slot);
                }
            }
            Entry::RoleSeen { instance, role, .. } => {
                self.roles_seen.saw(at_ns, instance, role.as_ref());
            }
            _ => {}
        }
    }

    /// It had an eye on every slot up to then.
    pub fn prober_awake(&mut self, at_ns: u64) {
        self.awake_ns = self.awake_ns.max(Some(at_ns));
    }

    /// The first stop condition that is met as far as the prober has told us, and why. What the
    /// clock says does not count: where we stood still, or the prober did, nobody was silent.
    pub fn tripped(&mut self, plan: &Plan) -> Option<(usize, String)> {
        self.outages.tripped(&plan.experiment.stop_conditions, self.awake_ns.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;

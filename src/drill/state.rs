//! What the conductor knows of a drill under way: who lives, what is in force, who wants an end.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Part;
use super::run::LEASE;
use super::steps::Steps;
use super::watch::Watch;
use crate::judge::live::Live;
use crate::model::history::Entry;
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
    /// Answered by the prober when asked.
    pub roles: Option<Roles>,
    pub residue: Option<Vec<String>>,
    pub ledger_rounds: u8,
    /// Does any probe keep a ledger?
    pub ledgers: bool,
    pub finished: bool,
    /// We asked for the end of every fault: from here on a part may go.
    pub reverting: bool,
    pub all_reverted: bool,
    pub stuck: bool,
    /// A stop condition ended the hold.
    pub stopped: bool,
    pub aborted: bool,
    /// How often the operator asked for an end: revert, skip the watch, out.
    pub signals: u32,
    pub quit: bool,
    pub lost: BTreeSet<Part>,
    pub prober_heard_ns: u64,
    outages: Live,
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
            roles: None,
            residue: None,
            ledger_rounds: 0,
            ledgers: probes.values().any(ledger),
            finished: false,
            reverting: false,
            all_reverted: false,
            stuck: false,
            stopped: false,
            aborted: false,
            signals: 0,
            quit: false,
            lost: BTreeSet::new(),
            prober_heard_ns: 0,
            outages: Live::new(probes, DELIVERY),
        }
    }

    pub fn begin_method(&mut self, plan: &Plan, now: u64, null: bool) {
        self.steps = Steps::of(&plan.steps, now, null);
    }

    /// Is the hold to be ended now?
    #[must_use]
    pub fn ending(&self) -> bool {
        self.aborted || self.stopped || self.quit
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

    #[must_use]
    pub fn prober_silent(&self, now: u64) -> bool {
        self.prober_heard_ns > 0 && now.saturating_sub(self.prober_heard_ns) > LEASE.nanos()
    }

    pub fn saw(&mut self, entry: &Entry) {
        if let Entry::Slots { probe, slots } = entry {
            self.watch.take(probe, slots);
            for slot in slots {
                self.outages.observe(probe, slot);
            }
        }
    }

    /// The first stop condition that is met now, and why.
    pub fn tripped(&mut self, plan: &Plan, now: u64) -> Option<(usize, String)> {
        self.outages.tripped(&plan.experiment.stop_conditions, now)
    }
}

//! A history sorted by noun, once. Slots come in the order of their due times, each once.

use std::collections::BTreeMap;

use crate::judge::JudgeError;
use crate::model::cluster_seen::ClusterSeen;
use crate::model::history::{
    Effective, Entry, Finding, HISTORY_VERSION, Lag, Opened, Phase, Record, Reverted,
};
use crate::model::id::InjectionId;
use crate::model::inventory::{InstanceName, Role};
use crate::model::observation::{LedgerRead, Observation};
use crate::model::outcome::AbortCause;

/// What a history says, by noun. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Debug, Clone)]
pub struct Timeline<'a> {
    pub opened: &'a Opened,
    pub opened_ns: u64,
    /// Each phase with its beginning.
    pub phases: Vec<(Phase, u64)>,
    pub slots: BTreeMap<&'a str, Vec<&'a Observation>>,
    pub effective: Vec<&'a Effective>,
    pub reverted: Vec<&'a Reverted>,
    pub void: Vec<(&'a InjectionId, &'a str)>,
    pub stuck: Vec<(&'a InjectionId, &'a str)>,
    pub disturbed: Vec<(u64, Option<&'a InjectionId>, &'a str)>,
    /// What faults met on their way.
    pub findings: Vec<(u64, &'a InjectionId, &'a Finding)>,
    pub bound: Vec<(&'a str, &'a [InstanceName])>,
    pub roles: Vec<RoleSeen<'a>>,
    /// Processes that began or ended.
    pub processes: Vec<(u64, &'a InstanceName, bool)>,
    /// What watches of clusters told, in the order of its arrival.
    pub clusters: Vec<(u64, &'a ClusterSeen)>,
    pub reads: BTreeMap<&'a str, Vec<&'a LedgerRead>>,
    pub lag: Vec<(u64, Lag)>,
    pub lost_parts: Vec<(&'a str, &'a str)>,
    /// Why the steady state was not reached, and nothing was injected.
    pub unsteady: Option<&'a str>,
    pub aborted: Option<&'a AbortCause>,
    /// Stop conditions that ended the hold, by index.
    pub stopped: Vec<(usize, &'a str)>,
    /// The last reading back; None where the world was not read back.
    pub residue: Option<&'a [String]>,
    pub notes: Vec<&'a str>,
    pub closed: bool,
    /// The latest time that any record has.
    pub last_ns: u64,
}

/// What an instance said that it is.
#[derive(Debug, Clone, Copy)]
pub struct RoleSeen<'a> {
    pub at_ns: u64,
    pub instance: &'a InstanceName,
    pub role: Option<&'a Role>,
    pub asked_every_ns: u64,
}

impl<'a> Timeline<'a> {
    /// Errors: a history that does not begin with its opening, or is of a newer version.
    pub fn read(records: &'a [Record]) -> Result<Timeline<'a>, JudgeError> {
        let Some(Record { at_ns, entry: Entry::Opened(opened) }) = records.first() else {
            return Err(JudgeError::NoOpening);
        };
        if opened.version > HISTORY_VERSION {
            return Err(JudgeError::Newer { found: opened.version, known: HISTORY_VERSION });
        }
        let mut timeline = Timeline::new(opened, *at_ns);
        for record in &records[1..] {
            timeline.take(record)?;
        }
        for slots in timeline.slots.values_mut() {
            // Stable: of two records of one slot the first stands.
            slots.sort_by_key(|slot| (slot.due_ns, slot.slot));
            slots.dedup_by_key(|slot| slot.slot);
        }
        timeline.clusters.sort_by_key(|(at_ns, _)| *at_ns);
        Ok(timeline)
    }

    fn new(opened: &'a Opened, opened_ns: u64) -> Timeline<'a> {
        Timeline {
            opened,
            opened_ns,
            phases: Vec::new(),
            slots: BTreeMap::new(),
            effective: Vec::new(),
            reverted: Vec::new(),
            void: Vec::new(),
            stuck: Vec::new(),
            disturbed: Vec::new(),
            findings: Vec::new(),
            bound: Vec::new(),
            roles: Vec::new(),
            processes: Vec::new(),
            clusters: Vec::new(),
            reads: BTreeMap::new(),
            lag: Vec::new(),
            lost_parts: Vec::new(),
            unsteady: None,
            aborted: None,
            stopped: Vec::new(),
            residue: None,
            notes: Vec::new(),
            closed: false,
            last_ns: opened_ns,
        }
    }

    fn take(&mut self, record: &'a Record) -> Result<(), JudgeError> {
        let at_ns = record.at_ns;
        self.last_ns = self.last_ns.max(at_ns);
        match &record.entry {
            Entry::Opened(_) => return Err(JudgeError::TwoOpenings),
            Entry::Phase(phase) => self.phases.push((*phase, at_ns)),
            Entry::Slots { probe, slots } => self.slots.entry(probe).or_default().extend(slots),
            Entry::Unsteady { why } => self.unsteady = Some(why),
            Entry::Bound { target, instances } => self.bound.push((target, instances)),
            Entry::Effective(effective) => self.effective.push(effective),
            Entry::Reverted(reverted) => self.reverted.push(reverted),
            Entry::Void { injection, why } => self.void.push((injection, why)),
            Entry::Stuck { injection, why } => self.stuck.push((injection, why)),
            Entry::Disturbed { injection, why } => {
                self.disturbed.push((at_ns, injection.as_ref(), why));
            }
            Entry::Finding { injection, finding } => {
                self.findings.push((at_ns, injection, finding));
            }
            Entry::RoleSeen { instance, role, asked_every_ns } => self.roles.push(RoleSeen {
                at_ns,
                instance,
                role: role.as_ref(),
                asked_every_ns: *asked_every_ns,
            }),
            Entry::ProcessSeen { instance, running } => {
                self.processes.push((at_ns, instance, *running));
            }
            Entry::Cluster(seen) => self.clusters.push((at_ns, seen)),
            Entry::Ledger { probe, read } => self.reads.entry(probe).or_default().push(read),
            Entry::Lag(lag) => self.lag.push((at_ns, *lag)),
            Entry::PartLost { part, why } => self.lost_parts.push((part, why)),
            // The first cause ended the drill; what follows is its consequence.
            Entry::Aborted(cause) => self.aborted = self.aborted.or(Some(cause)),
            Entry::Stopped { condition, why } => self.stopped.push((*condition, why)),
            Entry::Residue(residue) => self.residue = Some(residue),
            Entry::Note(note) => self.notes.push(note),
            Entry::Closed => self.closed = true,
        }
        Ok(())
    }

    /// When that phase began.
    #[must_use]
    pub fn began(&self, phase: Phase) -> Option<u64> {
        self.phases.iter().find(|(p, _)| *p == phase).map(|(_, at_ns)| *at_ns)
    }

    /// When the phase after that one began.
    #[must_use]
    pub fn ended(&self, phase: Phase) -> Option<u64> {
        let at = self.phases.iter().position(|(p, _)| *p == phase)?;
        self.phases.get(at + 1).map(|(_, at_ns)| *at_ns)
    }

    /// Why the drill was cut short, unless it was the loss of the prober: that makes figures
    /// doubtful and is not an abort.
    #[must_use]
    pub fn cut_short(&self) -> Option<String> {
        let others = || self.lost_parts.iter().filter(|(part, _)| *part != PROBER);
        // A lab takes every part with it, in any order: it is the one to name.
        let lost = others().find(|(part, _)| *part == LAB).or_else(|| others().next());
        match self.aborted {
            Some(cause) if !matches!(cause, AbortCause::Part { .. }) => Some(cause.to_string()),
            Some(AbortCause::Part { part, why }) if part != PROBER && lost.is_none() => {
                Some(format!("the {part} was lost: {why}"))
            }
            _ => lost.map(|(part, why)| format!("the {part} was lost: {why}")),
        }
    }

    /// Why the prober was lost, if it was.
    #[must_use]
    pub fn prober_lost(&self) -> Option<&'a str> {
        let told = self.lost_parts.iter().find(|(part, _)| *part == PROBER).map(|(_, why)| *why);
        told.or(match self.aborted {
            Some(AbortCause::Part { part, why }) if part == PROBER => Some(why),
            _ => None,
        })
    }
}

/// The part whose loss makes figures doubtful instead of aborting.
const PROBER: &str = "prober";
const LAB: &str = "lab";

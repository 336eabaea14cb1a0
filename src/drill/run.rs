//! One drill from the first handshake to the last read-back. Every way out passes through `revert`.
//!
//! The column of phases is here, with what all of them share: a beat, a step, a note. The longer
//! phases have files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedReceiver;

use super::contest;
use super::event::Signal;
use super::history::{History, Observer};
use super::parts::{Parts, PartsError};
use super::state::State;
use super::watch::Watch;
use crate::backend::Backend;
use crate::guard::{Clearance, NotCleared};
use crate::host::HostError;
use crate::host::linux::clock::{boot, monotonic_ns};
use crate::injection::journal::{JOURNAL_VERSION, Journal, JournalError, Opened};
use crate::injection::recovery;
use crate::model::history::{Entry, Environment, Phase, Record};
use crate::model::id::DrillId;
use crate::model::message::{ToInjector, ToProber};
use crate::model::plan::Plan;
use crate::model::units::Span;

/// The time an injection may stay in force without a heartbeat.
pub const LEASE: Span = Span::secs(3);
/// From one heartbeat to the next.
pub const BEAT: Span = Span::millis(500);

/// How long we may wait for an answer without beating, or for one that holds up a step.
pub(super) const SHORT_OF_A_LEASE: Span = Span::secs(2);
/// Slots begin a little after they are ordered, so that the first is not late.
const SLOTS_BEGIN_AFTER: Span = Span::millis(50);

/// What a drill is started with. Only a clearance for this very plan starts one.
pub struct Request {
    pub plan: Plan,
    pub clearance: Clearance,
    pub drill: DrillId,
    /// Paths of the policies that the clearance rests on, as they were given.
    pub policy_files: Vec<String>,
    /// All the machinery, no fault.
    pub null: bool,
    /// The folder of journals, outside any lab.
    pub journals: PathBuf,
    pub environment: Environment,
    /// The wall clock, now.
    pub now: jiff::Timestamp,
    pub secrets: BTreeMap<String, String>,
    /// What it may touch in clusters, for those who are to keep away.
    pub places: BTreeSet<String>,
    /// Opened to append: where the words of the parts go that outlive us.
    pub log: Option<File>,
}

/// Why a drill could not begin. Nothing was injected.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    #[error(transparent)]
    NotCleared(#[from] NotCleared),
    #[error(transparent)]
    Parts(#[from] PartsError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("{0}")]
    Unfit(String),
    #[error("aborted by {0}")]
    Aborted(String),
    /// In words that say that nothing was injected.
    #[error("{0}")]
    Unwritten(String),
}

pub(super) struct Drill<'a, B> {
    pub(super) request: Request,
    pub(super) backend: &'a mut B,
    pub(super) journal: &'a Journal,
    pub(super) parts: Parts,
    pub(super) history: History<'a>,
    pub(super) state: State,
    pub(super) beat_due_ns: u64,
    pub(super) numbers: u16,
}

/// A drill that has ended.
struct Over {
    records: Vec<Record>,
    /// Is every injection undone?
    closed: bool,
    /// Nothing was injected, because its undo could not be made durable.
    unwritten: Option<String>,
}

/// Runs the plan and returns what was observed, whole.
///
/// Errors: it could not begin, or no undo is durable; nothing was injected. Whatever happens later
/// is in the history.
pub async fn run<B: Backend>(
    request: Request,
    backend: &mut B,
    signals: UnboundedReceiver<Signal>,
    observer: &mut Observer<'_>,
) -> Result<Vec<Record>, DrillError> {
    request.clearance.covers(&request.plan, request.now)?;
    let opened = Opened {
        version: JOURNAL_VERSION,
        drill: request.drill.clone(),
        boot: boot()?,
        lab: backend.lab(),
        namespaces: backend.hosts().into_iter().map(|(_, ns)| ns).collect(),
        clusters: backend.clusters(),
        places: request.places.clone(),
    };
    let journal = Journal::create(&request.journals, opened)?;
    let path = request.journals.join(request.drill.as_str());
    let started = begin(request, backend, &journal, signals, observer).await;
    let over = match started {
        Ok(drill) => drill.phases().await,
        Err(error) => {
            drop(journal);
            recovery::remove(&path)?;
            return Err(error);
        }
    };
    // What is stuck stays on record, and blocks the next drill on that target. The lock is still
    // ours, so nobody else is looking; a file that stays costs the next start one look.
    if over.closed
        && let Err(error) = recovery::remove(&path)
    {
        tracing::warn!(%error, "the closed journal stays");
    }
    drop(journal);
    match over.unwritten {
        Some(why) => Err(DrillError::Unwritten(why)),
        None => Ok(over.records),
    }
}

async fn begin<'a, B: Backend>(
    mut request: Request,
    backend: &'a mut B,
    journal: &'a Journal,
    signals: UnboundedReceiver<Signal>,
    observer: &'a mut Observer<'_>,
) -> Result<Drill<'a, B>, DrillError> {
    let parts = Parts::start(backend, journal, signals, request.log.take())?;
    let state = State::new(Watch::of(&request.plan.experiment.probes), &request.plan);
    let mut drill = Drill {
        request,
        backend,
        journal,
        parts,
        history: History::new(observer),
        state,
        beat_due_ns: 0,
        numbers: 0,
    };
    if let Err(error) = drill.prepare().await {
        drill.farewell().await;
        return Err(error);
    }
    Ok(drill)
}

impl<B: Backend> Drill<'_, B> {
    /// The column of phases.
    async fn phases(mut self) -> Over {
        let steady = self.steady().await;
        if steady {
            self.method().await;
        }
        self.revert().await;
        // Where nothing was broken there is no recovery to watch.
        if steady {
            self.recover().await;
        }
        self.settle().await;
        self.close().await
    }

    /// Waits until every probe has been good for long enough. False: it never was, or somebody
    /// wants an end.
    async fn steady(&mut self) -> bool {
        self.note(Entry::Phase(Phase::Steady));
        let start = monotonic_ns() + SLOTS_BEGIN_AFTER.nanos();
        self.parts.tell_prober(&ToProber::Start { at_ns: start }).await;
        let experiment = &self.request.plan.experiment;
        let (length, within) = (experiment.steady_for.nanos(), experiment.steady_within.nanos());
        let limit = start + within + length;
        let mut since = start;
        while !self.state.ending() {
            let now = monotonic_ns();
            let contested = contest::contested(&self.request.plan, &mut self.state.roles_seen, now);
            if contested.is_some() {
                // What the end of the contest does to clients begins with it.
                since = now;
            } else if self.state.watch.steady_for(length, since, now) {
                return true;
            }
            if now >= limit {
                self.note_unsteady(contested, start, now);
                return false;
            }
            self.step(limit).await;
        }
        false
    }

    fn note_unsteady(&mut self, contested: Option<String>, start: u64, now: u64) {
        let experiment = &self.request.plan.experiment;
        let (length, within) = (experiment.steady_for, experiment.steady_within);
        let unsteady = self.state.watch.unsteady(length.nanos(), start, now).join(", ");
        let unsteady = (!unsteady.is_empty() || contested.is_none()).then(|| {
            let all = Span(within.0 + length.0);
            format!("{unsteady} was not good for {length} within {all}")
        });
        let why: Vec<String> = unsteady.into_iter().chain(contested).collect();
        self.note(Entry::Unsteady { why: why.join("; ") });
    }

    /// Until steady again, or until the watch is over. Two that share a role of which there was one
    /// are not steady, however well they answer: the ledgers would be read before one of them
    /// throws its writes away.
    async fn recover(&mut self) {
        self.note(Entry::Phase(Phase::Recover));
        let mut since = monotonic_ns();
        let experiment = &self.request.plan.experiment;
        let (length, limit) =
            (experiment.steady_for.nanos(), since + experiment.recovery_watch.nanos());
        while !self.state.impatient() && self.state.prober_lives() {
            let now = monotonic_ns();
            let split = self.state.roles_seen.split();
            if now >= limit {
                if let Some(who) = split {
                    self.note(Entry::Note(format!("the watch is over, and {who}")));
                }
                break;
            }
            if split.is_some() {
                // What the end of the split does to clients begins with it.
                since = now;
            } else if self.state.watch.steady_for(length, since, now) {
                break;
            }
            self.step(limit).await;
        }
    }

    /// The parts end, and only then is it known what is undone.
    async fn close(mut self) -> Over {
        self.farewell().await;
        self.settle_accounts();
        self.note_residue();
        let residue = self.state.residue_noted.take().unwrap_or_default();
        if !residue.is_empty() {
            self.keep_on_record(&residue);
        }
        self.note(Entry::Closed);
        let state = self.state;
        let closed = state.stuck.is_empty() && residue.is_empty();
        let unwritten = state.unwritten.filter(|_| closed && !state.struck);
        Over { records: self.history.into_records(), closed, unwritten }
    }

    /// Waits for a condition, at most so long, and not at all for somebody who wants out.
    pub(super) async fn until(&mut self, within: Span, done: impl Fn(&State) -> bool) {
        let limit = monotonic_ns() + within.nanos();
        while !done(&self.state)
            && !self.state.impatient()
            && self.state.prober_lives()
            && monotonic_ns() < limit
        {
            self.step(limit).await;
        }
    }

    /// Tells the parts that we live, when that is due.
    pub(super) async fn beat(&mut self) -> bool {
        let now = monotonic_ns();
        if now < self.beat_due_ns {
            return false;
        }
        self.beat_due_ns = now + BEAT.nanos();
        self.parts.tell_injector(&ToInjector::Beat).await;
        self.parts.tell_prober(&ToProber::Beat).await;
        true
    }

    /// One event, or the next beat, whichever is first.
    pub(super) async fn step(&mut self, until_ns: u64) {
        if self.beat().await {
            self.lost_by_silence();
        }
        let event = self.parts.next(until_ns.min(self.beat_due_ns)).await;
        self.take(event);
    }

    pub(super) fn note(&mut self, entry: Entry) {
        self.history.add(monotonic_ns(), entry);
    }
}

//! One drill from the first handshake to the last read-back. Every way out passes through `revert`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::bind;
use super::event::{Event, Signal};
use super::history::{History, Observer};
use super::parts::{Parts, PartsError};
use super::state::State;
use super::watch::Watch;
use crate::backend::Backend;
use crate::guard::{Clearance, NotCleared};
use crate::host::HostError;
use crate::host::linux::clock::{boot, monotonic_ns};
use crate::injection::journal::{
    JOURNAL_VERSION, Journal, JournalError, JournalRecord, Opened as JournalOpened,
};
use crate::injection::recovery;
use crate::model::history::{Entry, Environment, HISTORY_VERSION, Opened, Phase, Record};
use crate::model::id::DrillId;
use crate::model::message::{
    FromInjector, FromProber, InjectorHello, ProberHello, ToInjector, ToProber,
};
use crate::model::outcome::AbortCause;
use crate::model::plan::Plan;
use crate::model::units::Span;

/// The time an injection may stay in force without a heartbeat.
pub const LEASE: Span = Span::secs(3);
/// From one heartbeat to the next.
pub const BEAT: Span = Span::millis(500);

/// How long the parts may take to be ready.
const READY_WITHIN: Span = Span::secs(15);
/// Beyond the lease, in which the guardian acts: how long a revert may take before it is `stuck`.
const REVERTED_WITHIN: Span = Span::secs(20);
/// Slots begin a little after they are ordered, so that the first is not late.
const SLOTS_BEGIN_AFTER: Span = Span::millis(50);
/// How long a ledger may take to be read back.
const READ_WITHIN: Span = Span::secs(60);
/// Between the two final reads: what comes back with a late rejoin shows in the second.
const BETWEEN_READS: Span = Span::secs(1);
/// How long slots under way may take to end.
const FINISHES_WITHIN: Span = Span::secs(10);
/// How long it may take to read every role.
const ROLES_WITHIN: Span = Span::secs(2);

/// What a drill is started with. Only a clearance for this very plan starts one.
pub struct Request {
    pub plan: Plan,
    pub clearance: Clearance,
    pub drill: DrillId,
    /// All the machinery, no fault.
    pub null: bool,
    /// The folder of journals, outside any lab.
    pub journals: PathBuf,
    pub environment: Environment,
    /// The wall clock, now.
    pub now: jiff::Timestamp,
    pub secrets: BTreeMap<String, String>,
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
}

pub(super) struct Drill<'a, B> {
    request: Request,
    backend: &'a mut B,
    journal: &'a Journal,
    parts: Parts,
    pub(super) history: History<'a>,
    pub(super) state: State,
    beat_due_ns: u64,
    numbers: u16,
}

/// Runs the plan and returns what was observed, whole.
///
/// Errors: it could not begin; nothing was injected. Whatever happens later is in the history.
pub async fn run<B: Backend>(
    request: Request,
    backend: &mut B,
    signals: UnboundedReceiver<Signal>,
    observer: &mut Observer<'_>,
) -> Result<Vec<Record>, DrillError> {
    request.clearance.covers(&request.plan, request.now)?;
    let opened = JournalOpened {
        version: JOURNAL_VERSION,
        drill: request.drill.clone(),
        boot: boot()?,
        lab: backend.lab(),
        namespaces: backend.hosts().into_iter().map(|(_, ns)| ns).collect(),
    };
    let journal = Journal::create(&request.journals, opened)?;
    let path = request.journals.join(request.drill.as_str());
    let started = begin(request, backend, &journal, signals, observer).await;
    let (records, closed) = match started {
        Ok(drill) => drill.phases().await,
        Err(error) => {
            drop(journal);
            recovery::remove(&path)?;
            return Err(error);
        }
    };
    // What is stuck stays on record, and blocks the next drill on that target. The lock is still
    // ours, so nobody else is looking; a file that stays costs the next start one look.
    if closed && let Err(error) = recovery::remove(&path) {
        tracing::warn!(%error, "the closed journal stays");
    }
    drop(journal);
    Ok(records)
}

async fn begin<'a, B: Backend>(
    request: Request,
    backend: &'a mut B,
    journal: &'a Journal,
    signals: UnboundedReceiver<Signal>,
    observer: &'a mut Observer<'_>,
) -> Result<Drill<'a, B>, DrillError> {
    let parts = Parts::start(backend, journal, signals)?;
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
        drill.parts.end().await;
        return Err(error);
    }
    Ok(drill)
}

impl<B: Backend> Drill<'_, B> {
    /// The column of phases. The second value: is every injection closed?
    async fn phases(mut self) -> (Vec<Record>, bool) {
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

    /// Handshakes; the first line of the history.
    async fn prepare(&mut self) -> Result<(), DrillError> {
        let hello = InjectorHello {
            drill: self.request.drill.clone(),
            lease: LEASE,
            beat: BEAT,
            lab: self.backend.lab(),
            namespaces: self.backend.hosts().into_iter().map(|(_, ns)| ns).collect(),
        };
        self.parts.tell_injector(&ToInjector::Hello(hello)).await;
        let hello = ProberHello {
            drill: self.request.drill.clone(),
            probes: self.request.plan.experiment.probes.clone(),
            watches: self.backend.watches(),
            netns: self.backend.client(),
            secrets: std::mem::take(&mut self.request.secrets),
            seed: self.request.plan.seed,
        };
        self.parts.tell_prober(&ToProber::Hello(hello)).await;
        let mut carriers = None;
        let mut scheduling = None;
        let mut unfit = Vec::new();
        // What was seen before the history is open: the first roles.
        let mut early = Vec::new();
        let limit = monotonic_ns() + READY_WITHIN.nanos();
        while carriers.is_none() || scheduling.is_none() {
            self.beat().await;
            match self.parts.next(limit.min(self.beat_due_ns)).await {
                Event::Tick if monotonic_ns() < limit => {}
                Event::Injector(FromInjector::Ready { carriers: found }) => carriers = Some(found),
                Event::Prober(message) => match *message {
                    FromProber::Ready { scheduling: found } => scheduling = Some(found),
                    FromProber::Unfit { probe, why } => unfit.push(format!("{probe}: {why}")),
                    FromProber::Saw { at_ns, entry } => early.push((at_ns, entry)),
                    _ => {}
                },
                Event::Closed(part) => {
                    unfit.push(format!("the {} ended before it began", part.name()));
                    break;
                }
                Event::Signal(signal) => return Err(DrillError::Aborted(signal.name)),
                Event::Tick => {
                    unfit.push(format!("the parts were not ready within {READY_WITHIN}"));
                    break;
                }
                Event::Injector(_) | Event::Guardian(_) | Event::Backend(_) => {}
            }
        }
        if !unfit.is_empty() {
            return Err(DrillError::Unfit(unfit.join("; ")));
        }
        self.request.environment.carriers = carriers.unwrap_or_default();
        self.request.environment.prober_scheduling = scheduling.unwrap_or_default();
        let opened = Opened {
            version: HISTORY_VERSION,
            drill: self.request.drill.clone(),
            squall: env!("CARGO_PKG_VERSION").to_owned(),
            wall: self.request.now.to_string(),
            plan: self.request.plan.clone(),
            null: self.request.null,
            environment: self.request.environment.clone(),
        };
        self.note(Entry::Opened(Box::new(opened)));
        self.note(Entry::Phase(Phase::Prepare));
        for (at_ns, entry) in early {
            self.history.add(at_ns, *entry);
        }
        Ok(())
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
        while !self.state.ending() {
            let now = monotonic_ns();
            if self.state.watch.steady_for(length, start, now) {
                return true;
            }
            if now >= limit {
                let unsteady = self.state.watch.unsteady(length, start, now).join(", ");
                self.note(Entry::Note(format!(
                    "no steady state: {unsteady} was not good for {} within {}; nothing was injected",
                    Span(Duration::from_nanos(length)),
                    Span(Duration::from_nanos(within + length)),
                )));
                return false;
            }
            self.step(limit).await;
        }
        false
    }

    async fn method(&mut self) {
        self.note(Entry::Phase(Phase::Method));
        self.state.begin_method(&self.request.plan, monotonic_ns(), self.request.null);
        while !self.state.ending() && !self.state.steps.done(monotonic_ns()) {
            let now = monotonic_ns();
            if let Some(step) = self.state.steps.due(now) {
                self.inject(step).await;
                continue;
            }
            for injection in self.state.steps.over(now) {
                self.parts.tell_injector(&ToInjector::Revert(injection)).await;
            }
            if let Some((condition, why)) = self.state.tripped(&self.request.plan, now) {
                self.note(Entry::Stopped { condition, why });
                self.state.stopped = true;
                break;
            }
            self.step(self.state.steps.next_ns()).await;
        }
    }

    /// Binds one step's targets and orders its injections.
    async fn inject(&mut self, step: usize) {
        match self.bind(step).await {
            Ok(orders) => {
                for order in orders {
                    let hold = self.request.plan.steps[step].hold.nanos();
                    self.state.steps.ordered(order.injection.clone(), hold);
                    self.parts.tell_injector(&ToInjector::Inject(Box::new(order))).await;
                }
            }
            Err(why) => self.abort(AbortCause::Injection(why)),
        }
    }

    async fn bind(&mut self, step: usize) -> Result<Vec<crate::model::binding::Order>, String> {
        let roles = self.roles().await?;
        let targets = self.backend.targets().await.map_err(|e| e.to_string())?;
        let hosts = self.backend.hosts();
        let known = bind::Known {
            plan: &self.request.plan,
            targets: &targets,
            roles: &roles,
            hosts: &hosts,
        };
        let bound = bind::subjects(&known, step)?;
        let (drill, mut numbers) = (self.request.drill.clone(), self.numbers);
        let orders = bind::orders(&known, step, &bound, || {
            numbers += 1;
            (drill.clone(), numbers)
        })?;
        self.numbers = numbers;
        for (target, instances) in bound {
            self.note(Entry::Bound { target, instances });
        }
        Ok(orders)
    }

    /// Asks every instance what it is, now.
    async fn roles(&mut self) -> Result<super::state::Roles, String> {
        self.parts.tell_prober(&ToProber::ReadRoles).await;
        self.state.roles = None;
        let limit = monotonic_ns() + ROLES_WITHIN.nanos();
        loop {
            if let Some(roles) = self.state.roles.take() {
                return Ok(roles);
            }
            if monotonic_ns() >= limit || self.state.ending() {
                return Err(format!("the roles could not be read within {ROLES_WITHIN}"));
            }
            self.step(limit).await;
        }
    }

    /// The single way out.
    async fn revert(&mut self) {
        self.note(Entry::Phase(Phase::Revert));
        self.state.reverting = true;
        let limit = monotonic_ns() + LEASE.nanos() + REVERTED_WITHIN.nanos();
        if self.state.injector_lives() {
            self.parts.tell_injector(&ToInjector::RevertAll).await;
        }
        let mut recovering = false;
        while !self.state.all_reverted && !self.state.quit && monotonic_ns() < limit {
            let alone = !self.state.injector_lives() && !self.state.guardian_lives();
            if alone && !recovering {
                recovering = true;
                match self.parts.start_recovery(self.backend, self.journal) {
                    Ok(()) => {}
                    Err(PartsError::Host(HostError::Gone(what))) => {
                        self.void(&format!("{what} is gone, and the targets with it"));
                        break;
                    }
                    Err(error) => {
                        self.note(Entry::Note(format!("recovery could not be started: {error}")));
                        break;
                    }
                }
            }
            self.step(limit).await;
        }
        for injection in self.state.steps.open() {
            let why = "nobody has said that it is gone; run `squall undo --all`".to_owned();
            self.note(Entry::Stuck { injection: injection.clone(), why });
            self.state.stuck = true;
        }
    }

    /// The place is gone with everything in it, and the journal has no other writer left. What
    /// cannot be written there stays open, and is said to be stuck.
    fn void(&mut self, why: &str) {
        let reopened = self.journal.share().and_then(Journal::inherit);
        let Ok((mut journal, contents)) = reopened else { return };
        for recipe in contents.open() {
            let (injection, why) = (recipe.injection.clone(), why.to_owned());
            let record = JournalRecord::Void { injection: injection.clone(), why: why.clone() };
            if journal.append(&record).is_ok() {
                self.state.steps.closed(&injection);
                self.note(Entry::Void { injection, why });
            }
        }
    }

    /// Until steady again, or until the watch is over.
    async fn recover(&mut self) {
        self.note(Entry::Phase(Phase::Recover));
        let since = monotonic_ns();
        let experiment = &self.request.plan.experiment;
        let (length, limit) =
            (experiment.steady_for.nanos(), since + experiment.recovery_watch.nanos());
        while !self.state.impatient() && self.state.prober_lives() {
            let now = monotonic_ns();
            if now >= limit || self.state.watch.steady_for(length, since, now) {
                break;
            }
            self.step(limit).await;
        }
    }

    /// No new slots; the ledgers, twice; what of ours is still in the world.
    async fn settle(&mut self) {
        self.note(Entry::Phase(Phase::Settle));
        self.parts.tell_prober(&ToProber::Stop).await;
        self.until(FINISHES_WITHIN, |state| state.finished).await;
        if self.state.ledgers {
            for round in [1, 2] {
                if round == 2 {
                    self.until(BETWEEN_READS, |_| false).await;
                }
                self.parts.tell_prober(&ToProber::ReadLedgers { round }).await;
                self.until(READ_WITHIN, |state| state.ledger_rounds >= round).await;
            }
        }
        if self.state.injector_lives() {
            self.parts.tell_injector(&ToInjector::ReadBack).await;
            // Not `until`: a prober that is dead has no part in this.
            let limit = monotonic_ns() + READ_WITHIN.nanos();
            while self.state.residue.is_none()
                && self.state.injector_lives()
                && !self.state.quit
                && monotonic_ns() < limit
            {
                self.step(limit).await;
            }
        }
        if let Some(residue) = self.state.residue.take() {
            self.note(Entry::Residue(residue));
        }
    }

    async fn close(mut self) -> (Vec<Record>, bool) {
        self.note(Entry::Closed);
        self.parts.end().await;
        (self.history.into_records(), !self.state.stuck)
    }

    /// Waits for a condition, at most so long, and not at all for somebody who wants out.
    async fn until(&mut self, within: Span, done: impl Fn(&State) -> bool) {
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
    async fn beat(&mut self) -> bool {
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
    async fn step(&mut self, until_ns: u64) {
        if self.beat().await {
            self.lost_by_silence(monotonic_ns());
        }
        let event = self.parts.next(until_ns.min(self.beat_due_ns)).await;
        self.take(event);
    }

    pub(super) fn note(&mut self, entry: Entry) {
        self.history.add(monotonic_ns(), entry);
    }
}

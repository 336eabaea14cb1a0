//! How a drill begins: handshakes with every part, and the first line of the history.

use super::event::Event;
use super::run::{BEAT, Drill, DrillError, LEASE};
use crate::backend::{Backend, Happened};
use crate::host::linux::clock::monotonic_ns;
use crate::model::history::{Entry, HISTORY_VERSION, Opened, Phase};
use crate::model::message::{
    FromInjector, FromProber, InjectorHello, ProberHello, ToInjector, ToProber,
};
use crate::model::units::Span;

/// How long the parts may take to be ready.
const READY_WITHIN: Span = Span::secs(15);
/// After the first word that something is unfit: how long the rest of it may take.
const UNFIT_WITHIN: Span = Span::millis(300);

impl<B: Backend> Drill<'_, B> {
    /// Tells every part what the drill is about, and waits until all are ready.
    ///
    /// Errors: one of them cannot do its work, or somebody wants an end.
    pub(super) async fn prepare(&mut self) -> Result<(), DrillError> {
        self.greet().await;
        let mut carriers = None;
        let mut scheduling = None;
        let mut unfit = Vec::new();
        // What was seen before the history is open: the first roles, and what is in clusters.
        let mut early = Vec::new();
        let mut limit = monotonic_ns() + READY_WITHIN.nanos();
        while carriers.is_none() || scheduling.is_none() {
            self.beat().await;
            match self.parts.next(limit.min(self.beat_due_ns)).await {
                Event::Tick if monotonic_ns() < limit => {}
                Event::Injector(FromInjector::Ready { carriers: found }) => carriers = Some(found),
                Event::Prober(message) => match *message {
                    FromProber::Ready { scheduling: found } => scheduling = Some(found),
                    FromProber::Unfit { probe, why } => {
                        unfit.push(format!("{probe}: {why}"));
                        limit = limit.min(monotonic_ns() + UNFIT_WITHIN.nanos());
                    }
                    FromProber::Saw { at_ns, entry } => early.push((at_ns, entry)),
                    _ => {}
                },
                Event::Closed(part) => {
                    unfit.push(format!("the {} ended before it began", part.name()));
                    break;
                }
                Event::Signal(signal) => return Err(DrillError::Aborted(signal.name)),
                Event::Tick => {
                    if unfit.is_empty() {
                        unfit.push(format!("the parts were not ready within {READY_WITHIN}"));
                    }
                    break;
                }
                Event::Backend(Happened::Seen { at_ns, entry })
                    if matches!(*entry, Entry::Cluster(_)) =>
                {
                    early.push((at_ns, entry));
                }
                Event::Injector(_) | Event::Guardian(_) | Event::Backend(_) | Event::Ended(_) => {}
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
            policy_files: self.request.policy_files.clone(),
            null: self.request.null,
            environment: self.request.environment.clone(),
        };
        self.note(Entry::Opened(Box::new(opened)));
        self.note(Entry::Phase(Phase::Prepare));
        for (at_ns, entry) in early {
            self.state.saw(at_ns, &entry);
            self.history.add(at_ns, *entry);
        }
        Ok(())
    }

    async fn greet(&mut self) {
        let hello = InjectorHello {
            drill: self.request.drill.clone(),
            lease: LEASE,
            beat: BEAT,
            lab: self.backend.lab(),
            namespaces: self.backend.hosts().into_iter().map(|(_, ns)| ns).collect(),
            clusters: self.backend.clusters(),
        };
        self.parts.tell_injector(&ToInjector::Hello(hello)).await;
        let probes = self.request.plan.experiment.probes.clone();
        let looked_from = |name: &String| probes.values().any(|p| p.from.as_ref() == Some(name));
        let hosts = self.backend.hosts().into_iter().map(|(host, ns)| (host.name, ns));
        let hosts = hosts.filter(|(name, _)| looked_from(name)).collect();
        let hello = ProberHello {
            drill: self.request.drill.clone(),
            probes,
            hosts,
            watches: self.backend.watches(),
            netns: self.backend.client(),
            secrets: std::mem::take(&mut self.request.secrets),
            clusters: self.backend.clusters(),
            seed: self.request.plan.seed,
        };
        self.parts.tell_prober(&ToProber::Hello(hello)).await;
    }
}

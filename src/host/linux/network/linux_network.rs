//! [`LinuxNetwork`]: the carriers of one drill, one for each namespace that has a fault in it.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::carrier::{Carrier, Opened, needs_engine};
use super::engine::Engine;
use super::probing::{Found, Probing, probe};
use super::{canary, listing};
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::netns;
use crate::host::network::{Canary, CanaryReport, Network, Survey, Took};
use crate::model::id::{DrillId, InjectionId};
use crate::model::identity::NetnsIdentity;
use crate::model::network::Impairment;

/// Holds every kernel object of one drill's network faults. Dropping it, or ending the process in
/// any way, ends them all.
#[derive(Debug)]
pub struct LinuxNetwork {
    drill: DrillId,
    /// By the cookie of the namespace.
    carriers: BTreeMap<u64, Carrier>,
    /// Started with the first impairment that needs it.
    engine: Option<Engine>,
    found: OnceLock<Found>,
    /// Somebody began to look before we were asked.
    probing: Mutex<Option<Probing>>,
    /// What was opened in a namespace, by its cookie, when somebody asked what is in the way there:
    /// an impairment most likely follows.
    opened: Mutex<Option<(u64, Opened)>>,
    /// While several are gathered: what is to end, by the cookie of the namespace.
    gathered: Option<BTreeMap<u64, Vec<u16>>>,
}

/// What this kernel offers: `owner: yes`, `queue: xt NFQUEUE target`, `egress: netdev`,
/// `engine: fifo`; `none (why)` for what is missing. Found by trying, in a throwaway namespace.
pub fn probe_carriers() -> Result<BTreeMap<String, String>, HostError> {
    Ok(probe()?.words())
}

impl LinuxNetwork {
    #[must_use]
    pub fn new(drill: DrillId) -> LinuxNetwork {
        LinuxNetwork::probed(drill, None)
    }

    /// As [`LinuxNetwork::new`], with a probe that was begun before.
    #[must_use]
    pub fn probed(drill: DrillId, probing: Option<Probing>) -> LinuxNetwork {
        LinuxNetwork {
            drill,
            carriers: BTreeMap::new(),
            engine: None,
            found: OnceLock::new(),
            probing: Mutex::new(probing),
            opened: Mutex::new(None),
            gathered: None,
        }
    }

    /// As [`probe_carriers`]; probes once, so that the first fault need not.
    pub fn carriers(&self) -> BTreeMap<String, String> {
        match self.found() {
            Ok(found) => found.words(),
            Err(error) => BTreeMap::from([("owner".to_owned(), format!("none ({error})"))]),
        }
    }

    fn found(&self) -> Result<&Found, HostError> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let begun = self.probing.lock().unwrap_or_else(PoisonError::into_inner).take();
        let found = begun.map_or_else(probe, Probing::end)?;
        Ok(self.found.get_or_init(|| found))
    }

    /// The carrier of that namespace, begun if there is none.
    fn carrier(&mut self, ns: &NetnsIdentity) -> Result<&mut Carrier, HostError> {
        if !self.carriers.contains_key(&ns.cookie) {
            let before = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
            let opened = match before.filter(|(cookie, _)| *cookie == ns.cookie) {
                Some((_, opened)) => opened,
                None => netns::inside(ns, Opened::here)?,
            };
            let carrier = Carrier::new(&self.drill, ns, self.found()?, opened)?;
            self.carriers.insert(ns.cookie, carrier);
        }
        self.carriers.get_mut(&ns.cookie).ok_or_else(|| HostError::Gone(ns.path.clone()))
    }

    /// A carrier without an impairment has no reason to be there.
    fn leave_if_idle(&mut self, cookie: u64) -> Result<(), HostError> {
        if self.carriers.get(&cookie).is_some_and(Carrier::is_idle)
            && let Some(carrier) = self.carriers.remove(&cookie)
        {
            return carrier.destroy(self.engine.as_ref());
        }
        Ok(())
    }
}

impl Network for LinuxNetwork {
    fn identify_netns(&self, path: &str) -> Result<NetnsIdentity, HostError> {
        netns::identify(path)
    }

    fn impair(
        &mut self,
        ns: &NetnsIdentity,
        impairment: &Impairment,
        deadline: Duration,
    ) -> Result<Took, HostError> {
        if impairment.id.drill != self.drill {
            return Err(HostError::Denied {
                what: format!("{} among the faults of {}", impairment.id, self.drill),
                remedy: "each drill has an injector of its own".to_owned(),
            });
        }
        if self.engine.is_none() && needs_engine(impairment) {
            self.engine = Some(Engine::start()?);
        }
        let began_ns = monotonic_ns();
        // The engine leaves the struct for a moment: it is lent beside a carrier of the same.
        let engine = self.engine.take();
        let carrier = self.carrier(ns);
        let added = carrier.and_then(|c| c.add(impairment, deadline, engine.as_ref()));
        self.engine = engine;
        match added {
            Ok(took) => Ok(Took { began_ns, ..took }),
            Err(error) => {
                self.leave_if_idle(ns.cookie)?;
                Err(error)
            }
        }
    }

    fn relieve(&mut self, ns: &NetnsIdentity, id: &InjectionId) -> Result<Took, HostError> {
        let began_ns = monotonic_ns();
        let took = match self.carriers.get_mut(&ns.cookie) {
            Some(carrier) if id.drill == self.drill => {
                if let Some(gathered) = &mut self.gathered {
                    gathered.entry(ns.cookie).or_default().push(id.number);
                    return Ok(Took { began_ns, effective_ns: began_ns });
                }
                carrier.remove(&[id.number], self.engine.as_ref())?
            }
            // Nothing of it is held here; who looks afterwards will see whether the place is.
            _ if self.gathered.is_some() => None,
            _ => {
                // Nothing here is ours; all that is left to say is whether the place still is.
                netns::inside(ns, || Ok(()))?;
                None
            }
        };
        self.leave_if_idle(ns.cookie)?;
        Ok(took.unwrap_or(Took { began_ns, effective_ns: monotonic_ns() }))
    }

    fn gather(&mut self) {
        self.gathered.get_or_insert_default();
    }

    fn relieve_gathered(&mut self) -> Result<(), HostError> {
        let mut result = Ok(());
        for (cookie, numbers) in self.gathered.take().unwrap_or_default() {
            let Some(carrier) = self.carriers.get_mut(&cookie) else { continue };
            let removed = if carrier.ends_with(&numbers) {
                Ok(())
            } else {
                carrier.remove(&numbers, self.engine.as_ref()).map(|_| ())
            };
            // One namespace that refuses keeps no other from being relieved.
            result = result.and(removed.and_then(|()| self.leave_if_idle(cookie)));
        }
        result
    }

    fn ours(&self, ns: &NetnsIdentity, drill: Option<&DrillId>) -> Result<Vec<String>, HostError> {
        netns::inside(ns, || listing::ours(drill))
    }

    fn in_the_way(&self, ns: &NetnsIdentity) -> Result<Vec<String>, HostError> {
        let (tables, listener, opened) = netns::inside(ns, || {
            Ok((listing::ours(None)?, listing::queue_listener(), Opened::here()?))
        })?;
        let mut before = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        *before = Some((ns.cookie, opened));
        let mine = self.carriers.get(&ns.cookie).map(|_| self.drill.table());
        let mut found: Vec<String> = tables
            .into_iter()
            .filter(|line| line.starts_with("table "))
            .filter(|line| mine.as_ref().is_none_or(|mine| !line.ends_with(mine.as_str())))
            .map(|line| format!("{line}: of another drill, or of another process of this one"))
            .collect();
        if mine.is_none() {
            found.extend(listener);
        }
        Ok(found)
    }

    fn disturbed(&mut self) -> Result<Vec<(NetnsIdentity, String)>, HostError> {
        let mut found = Vec::new();
        for carrier in self.carriers.values_mut() {
            let changes = carrier.foreign_changes()?;
            if changes > 0 {
                let what = format!("somebody else changed the nft rules ({changes} commits)");
                found.push((carrier.ns().clone(), what));
            }
        }
        Ok(found)
    }

    fn canary(&self, canary: &Canary) -> Result<CanaryReport, HostError> {
        canary::fly(canary)
    }

    fn canaries(&self, canaries: &[Canary]) -> Vec<Result<CanaryReport, HostError>> {
        std::thread::scope(|scope| canary::take_off(scope, canaries).land())
    }

    fn survey(&self, ns: &NetnsIdentity, canaries: &[Canary]) -> Survey {
        std::thread::scope(|scope| {
            let flying = canary::take_off(scope, canaries);
            Survey { in_the_way: self.in_the_way(ns), flown: flying.land() }
        })
    }
}

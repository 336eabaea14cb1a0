//! The injector: the only part that touches a target. It does one thing at a time, in the order
//! arm, journal, guard, inject, journal, verify; and whatever happens to anybody, it reverts.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::crash;
use super::journal::{Journal, JournalRecord};
use super::residue::{self, ReadBack};
use super::revert::{By, Ending, end, patient_until_ns, undo_first};
use crate::fault::{self, Expect, FaultError};
use crate::host::channel::Channel;
use crate::host::{Host, HostError};
use crate::model::binding::Order;
use crate::model::history::Effective;
use crate::model::id::InjectionId;
use crate::model::message::{
    FromGuardian, FromInjector, InjectorHello, Recipe, ToGuardian, ToInjector,
};

/// How long the guardian may take to say that it holds a recipe.
const GUARDED_WITHIN: Duration = Duration::from_secs(1);

/// What the injector was born with: descriptors, no names.
pub struct Born {
    pub conductor: OwnedFd,
    pub guardian: OwnedFd,
    pub journal: OwnedFd,
}

/// Why it leaves its loop. Everything is reverted in each case.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Leave {
    /// The conductor said goodbye.
    Goodbye,
    /// The conductor is gone or silent.
    Orphaned(&'static str),
    /// The guardian is gone or silent: the second line of defence no longer stands.
    Unguarded(&'static str),
    /// Something could not be undone from here. Our end takes every kernel object with it, so the
    /// guardian has a better chance.
    Stuck,
}

struct Injector<'a> {
    host: &'a mut dyn Host,
    conductor: Channel,
    guardian: Channel,
    journal: Journal,
    hello: InjectorHello,
    live: BTreeMap<InjectionId, Recipe>,
    /// Ended; their targets are looked at once more when all is over.
    ended: Vec<Recipe>,
    /// In force no more, or not as it was, before anybody undid it; said once.
    doubted: BTreeSet<InjectionId>,
    /// What was found, and about what; each is told once.
    found: BTreeSet<(InjectionId, String)>,
    /// Up to when undos in clusters are tried again; None while they succeed.
    patient_until_ns: Option<u64>,
    /// What could not be undone, as it will be said if the guardian cannot either.
    stuck: Vec<FromInjector>,
    conductor_heard_ns: u64,
    guardian_heard_ns: u64,
    beat_due_ns: u64,
}

/// Runs until the conductor says goodbye or is gone; returns the exit status of the part.
///
/// Errors: the handshake failed; nothing was injected.
pub fn run(
    born: Born,
    make_host: impl FnOnce(&InjectorHello) -> Result<Box<dyn Host>, HostError>,
) -> Result<(), HostError> {
    let mut conductor = Channel::from_fd(born.conductor);
    let Some(ToInjector::Hello(hello)) = conductor.receive()? else {
        return Err(protocol("the conductor's first word was no hello"));
    };
    let mut host = make_host(&hello)?;
    let (journal, _) =
        Journal::inherit(born.journal).map_err(|e| protocol(&format!("journal: {e}")))?;
    let mut guardian = Channel::from_fd(born.guardian);
    guardian.send(&ToGuardian::Hello {
        drill: hello.drill.clone(),
        lease: hello.lease,
        beat: hello.beat,
        lab: hello.lab.clone(),
        clusters: hello.clusters.clone(),
    })?;
    let Some(FromGuardian::Ready) = guardian.receive()? else {
        return Err(protocol("the guardian is not ready"));
    };
    conductor.send(&FromInjector::Ready { carriers: host.carriers() })?;
    let now = host.now_ns();
    let mut injector = Injector {
        host: host.as_mut(),
        conductor,
        guardian,
        journal,
        hello,
        live: BTreeMap::new(),
        ended: Vec::new(),
        doubted: BTreeSet::new(),
        found: BTreeSet::new(),
        patient_until_ns: None,
        stuck: Vec::new(),
        conductor_heard_ns: now,
        guardian_heard_ns: now,
        beat_due_ns: now,
    };
    let leave = injector.work();
    injector.leave(&leave);
    Ok(())
}

impl Injector<'_> {
    fn work(&mut self) -> Leave {
        loop {
            if let Some(leave) = self.keep_time() {
                return leave;
            }
            let (conductor, guardian) = self.wait();
            if conductor {
                match self.conductor.receive() {
                    Ok(Some(ToInjector::Goodbye)) => return Leave::Goodbye,
                    Ok(Some(order)) => {
                        self.conductor_heard_ns = self.host.now_ns();
                        if let Some(leave) = self.deaf(|injector| injector.obey(order)) {
                            return leave;
                        }
                    }
                    Ok(None) | Err(_) => return Leave::Orphaned("the conductor is gone"),
                }
            }
            if guardian {
                match self.guardian.receive() {
                    Ok(Some(
                        FromGuardian::Beat | FromGuardian::Ready | FromGuardian::Guarded(_),
                    )) => {
                        self.guardian_heard_ns = self.host.now_ns();
                    }
                    Ok(None) | Err(_) => return Leave::Unguarded("the guardian is gone"),
                }
            }
        }
    }

    /// Beats, leases, deadlines, and what others did to our carriers.
    fn keep_time(&mut self) -> Option<Leave> {
        let now = self.host.now_ns();
        let lease = self.hello.lease.nanos();
        if now.saturating_sub(self.conductor_heard_ns) > lease {
            return Some(Leave::Orphaned("the conductor is silent"));
        }
        if now.saturating_sub(self.guardian_heard_ns) > lease {
            return Some(Leave::Unguarded("the guardian is silent"));
        }
        if now >= self.beat_due_ns {
            self.beat_due_ns = now + self.hello.beat.nanos();
            if self.guardian.send(&ToGuardian::Beat).is_err() {
                return Some(Leave::Unguarded("the guardian is gone"));
            }
            self.tell(&FromInjector::Beat);
            self.report_disturbances();
            self.glance();
        }
        let overdue: Vec<InjectionId> = self
            .live
            .values()
            .filter(|recipe| now >= recipe.deadline_ns)
            .map(|recipe| recipe.injection.clone())
            .collect();
        for injection in overdue {
            self.deaf(|injector| injector.revert(&injection));
        }
        (!self.stuck.is_empty()).then_some(Leave::Stuck)
    }

    /// Runs a verb. Nobody can be heard meanwhile: that silence is ours, and counts for nobody.
    fn deaf<R>(&mut self, verb: impl FnOnce(&mut Self) -> R) -> R {
        let began = self.host.now_ns();
        let result = verb(self);
        let now = self.host.now_ns();
        for heard in [&mut self.conductor_heard_ns, &mut self.guardian_heard_ns] {
            *heard = (*heard + (now - began)).min(now);
        }
        result
    }

    /// Sleeps until somebody speaks, or a beat, a deadline or a silence is due.
    fn wait(&self) -> (bool, bool) {
        let now = self.host.now_ns();
        let deadline = self.live.values().map(|r| r.deadline_ns).min().unwrap_or(u64::MAX);
        let heard = self.conductor_heard_ns.min(self.guardian_heard_ns);
        let lease_ends = heard.saturating_add(self.hello.lease.nanos()).saturating_add(1);
        let next = self.beat_due_ns.min(deadline).min(lease_ends);
        let until = next.saturating_sub(now).div_ceil(1_000_000);
        let mut fds = [
            PollFd::new(self.conductor.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.guardian.as_fd(), PollFlags::POLLIN),
        ];
        let timeout = PollTimeout::try_from(until).unwrap_or(PollTimeout::ZERO);
        // An interrupted poll is an early look at the clock, nothing more.
        let _woken = poll(&mut fds, timeout);
        let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
        (ready(&fds[0]), ready(&fds[1]))
    }

    fn obey(&mut self, order: ToInjector) -> Option<Leave> {
        match order {
            ToInjector::Inject(order) => return self.inject(&order),
            ToInjector::Revert(injection) => {
                self.last_look(&injection);
                self.revert(&injection);
            }
            ToInjector::RevertAll => {
                self.revert_all();
                if self.stuck.is_empty() {
                    self.tell(&FromInjector::AllReverted);
                }
            }
            ToInjector::ReadBack => {
                let residue = self.read_back();
                self.tell(&FromInjector::Residue(residue));
            }
            ToInjector::Hello(_) | ToInjector::Beat | ToInjector::Goodbye => {}
        }
        None
    }

    fn inject(&mut self, order: &Order) -> Option<Leave> {
        crash::point("injector: ordered");
        let recipe = match self.arm(order) {
            Ok(recipe) => recipe,
            Err(why) => {
                let (injection, unwritten) = (order.injection.clone(), self.journal.poisoned());
                self.tell(&FromInjector::Failed { injection, why, unwritten });
                return None;
            }
        };
        self.live.insert(order.injection.clone(), recipe.clone());
        match self.apply(order, &recipe) {
            Ok(effective) => {
                self.tell(&FromInjector::Effective(effective));
                crash::point("injector: in force");
                None
            }
            // "Error" never means "nothing happened".
            Err(failure) => {
                self.revert(&order.injection);
                let (injection, why) = (order.injection.clone(), failure.why);
                self.tell(&FromInjector::Failed { injection, why, unwritten: false });
                failure.leave
            }
        }
    }

    /// Reads, and makes the recipe durable; the guardian takes it in while the disk writes. An
    /// error means that nothing was touched.
    fn arm(&mut self, order: &Order) -> Result<Recipe, String> {
        let fault = fault::find(&order.kind)
            .ok_or_else(|| format!("there is no fault `{}`", order.kind))?;
        let undo = fault.arm(self.host, order).map_err(|e| e.to_string())?;
        crash::point("injector: armed, not journalled");
        let recipe = Recipe {
            injection: order.injection.clone(),
            kind: order.kind.clone(),
            target: order.target.clone(),
            undo,
            deadline_ns: self.host.now_ns() + order.deadline.nanos(),
        };
        let armed = JournalRecord::Armed(Box::new(recipe.clone()));
        let guard = ToGuardian::Guard(Box::new(recipe.clone()));
        let guardian = &mut self.guardian;
        // A guardian that is gone does not hear, and so does not answer.
        let meanwhile = || drop(guardian.send(&guard));
        if let Err(error) = self.journal.append_and(&armed, meanwhile) {
            let _gone = self.guardian.send(&ToGuardian::Forget(recipe.injection));
            return Err(format!("nothing was injected, since its undo is not durable: {error}"));
        }
        crash::point("injector: journalled, not guarded");
        Ok(recipe)
    }

    fn apply(&mut self, order: &Order, recipe: &Recipe) -> Result<Effective, Failure> {
        self.guarded(recipe)?;
        crash::point("injector: guarded, not injected");
        beat(&mut self.guardian, &mut self.conductor);
        let fault = fault::find(&order.kind).ok_or_else(|| Failure::from("no such fault"))?;
        let took = fault.inject(self.host, order, &recipe.undo);
        let found = self.tell_found(&order.injection);
        let took = took?;
        crash::point("injector: injected, not journalled");
        let active =
            JournalRecord::Active { injection: order.injection.clone(), at_ns: took.effective_ns };
        self.journal.append(&active).map_err(|e| Failure::from(e.to_string().as_str()))?;
        crash::point("injector: journalled active, not verified");
        beat(&mut self.guardian, &mut self.conductor);
        let seen = fault.verify(self.host, &order.target, &recipe.undo, Expect::InForce)?;
        let evidence = std::iter::once(seen).chain(found).collect::<Vec<_>>().join("; ");
        Ok(Effective {
            injection: order.injection.clone(),
            step: order.step,
            instance: order.target.name.clone(),
            kind: order.kind.clone(),
            began_ns: took.began_ns,
            effective_ns: took.effective_ns,
            evidence,
        })
    }

    /// The guardian holds the recipe before anything is applied: its answer is waited for.
    fn guarded(&mut self, recipe: &Recipe) -> Result<(), Failure> {
        let lost = |why| Failure { why: format!("the {why}"), leave: Some(Leave::Unguarded(why)) };
        let limit = self.host.now_ns() + u64::try_from(GUARDED_WITHIN.as_nanos()).unwrap_or(0);
        loop {
            let left = limit.saturating_sub(self.host.now_ns()).div_ceil(1_000_000);
            let mut fds = [PollFd::new(self.guardian.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let _woken = poll(&mut fds, timeout);
            if !fds[0].any().unwrap_or(false) {
                if left == 0 {
                    return Err(lost("guardian does not answer"));
                }
                continue;
            }
            match self.guardian.receive() {
                Ok(Some(FromGuardian::Guarded(id))) if id == recipe.injection => return Ok(()),
                Ok(Some(_)) => self.guardian_heard_ns = self.host.now_ns(),
                Ok(None) | Err(_) => return Err(lost("guardian is gone")),
            }
        }
    }

    fn revert(&mut self, injection: &InjectionId) {
        let Some(recipe) = self.live.get(injection).cloned() else { return };
        crash::point("injector: revert ordered");
        // What others changed since the last beat is known as long as the carrier stands.
        self.report_disturbances();
        let Injector { host, journal, guardian, conductor, patient_until_ns: until, .. } = self;
        let patient_until_ns = *until.get_or_insert_with(|| patient_until_ns(*host));
        let beat = &mut || beat(guardian, conductor);
        let mut ending =
            Ending { by: By::Injector, journal: Some(journal), patient_until_ns, beat };
        let ended = end(*host, &recipe, &mut ending);
        crash::point("injector: journalled reverted, guardian not told");
        self.live.remove(injection);
        if matches!(ended, FromInjector::Stuck { .. }) {
            self.stuck.push(ended);
            return;
        }
        self.patient_until_ns = None;
        self.ended.push(recipe);
        let _gone = self.guardian.send(&ToGuardian::Forget(injection.clone()));
        self.tell(&ended);
    }

    fn revert_all(&mut self) {
        self.report_disturbances();
        let Injector { host, guardian, conductor, live, .. } = self;
        undo_first(*host, live.values().rev(), &mut || beat(guardian, conductor));
        let latest_first: Vec<InjectionId> = self.live.keys().rev().cloned().collect();
        for injection in latest_first {
            self.revert(&injection);
        }
    }

    fn read_back(&mut self) -> Vec<String> {
        let Injector { host, guardian, conductor, hello, ended, .. } = self;
        let beat = &mut || beat(guardian, conductor);
        let mut look = ReadBack { drill: &hello.drill, namespaces: &hello.namespaces, beat };
        residue::read(*host, ended.iter(), &mut look)
    }

    /// The planned end of a hold, and the only undo that waits for a look: did it last until now?
    fn last_look(&mut self, injection: &InjectionId) {
        let Some(recipe) = self.live.get(injection).cloned() else { return };
        let Some(fault) = fault::find(&recipe.kind) else { return };
        let seen = fault.lasted(self.host, &recipe.target, &recipe.undo);
        self.doubt(&recipe, seen.map(drop));
    }

    /// With each beat: is what is in force still there, as far as that is seen in passing?
    fn glance(&mut self) {
        let live: Vec<Recipe> = self.live.values().cloned().collect();
        for recipe in live {
            let Some(fault) = fault::find(&recipe.kind) else { continue };
            if recipe.target.object.is_some() {
                // It may ask a server that does not answer.
                beat(&mut self.guardian, &mut self.conductor);
            }
            let seen = fault.glance(self.host, &recipe.target, &recipe.undo);
            self.tell_found(&recipe.injection);
            self.doubt(&recipe, seen);
        }
    }

    fn doubt(&mut self, recipe: &Recipe, seen: Result<(), FaultError>) {
        let Err(error) = seen else { return };
        if self.doubted.insert(recipe.injection.clone()) {
            let injection = Some(recipe.injection.clone());
            let why = format!("{} on {} did not last: {error}", recipe.kind, recipe.target.name);
            self.tell(&FromInjector::Disturbed { injection, why });
        }
    }

    /// What the last verb of an injection has found, in words; the conductor hears of it once.
    fn tell_found(&mut self, injection: &InjectionId) -> Vec<String> {
        let mut words = Vec::new();
        for finding in self.host.found() {
            words.push(finding.to_string());
            if self.found.insert((injection.clone(), finding.about().to_owned())) {
                self.tell(&FromInjector::Found { injection: injection.clone(), finding });
            }
        }
        words
    }

    fn report_disturbances(&mut self) {
        let found = match self.host.disturbed() {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "cannot tell whether others changed the rules");
                return;
            }
        };
        for (ns, why) in found {
            let why = format!("{}: {why}", ns.path);
            self.tell(&FromInjector::Disturbed { injection: None, why });
        }
    }

    /// The conductor may be dead; that is found out by its silence, not here.
    fn tell(&mut self, message: &FromInjector) {
        if let Err(error) = self.conductor.send(message) {
            tracing::debug!(%error, "the conductor does not hear");
        }
    }

    fn leave(&mut self, leave: &Leave) {
        if let Leave::Unguarded(why) = leave {
            let (part, why) = ("guardian".to_owned(), (*why).to_owned());
            self.tell(&FromInjector::PartLost { part, why });
        }
        self.revert_all();
        let handed_over = !self.stuck.is_empty()
            && !matches!(leave, Leave::Unguarded(_))
            && self.guardian.send(&ToGuardian::TakeOver).is_ok();
        if handed_over {
            return;
        }
        for stuck in std::mem::take(&mut self.stuck) {
            self.tell(&stuck);
        }
        self.tell(&FromInjector::AllReverted);
        let residue = self.read_back();
        self.tell(&FromInjector::Residue(residue));
        let _gone = self.guardian.send(&ToGuardian::Goodbye);
    }
}

/// A sign of life between two verbs: each is shorter than a lease, a row of them may not be.
/// Whoever does not hear is found out elsewhere.
fn beat(guardian: &mut Channel, conductor: &mut Channel) {
    let _gone = guardian.send(&ToGuardian::Beat);
    let _deaf = conductor.send(&FromInjector::Beat);
}

/// Why a fault did not come into force, and whether that ends the injector's work.
struct Failure {
    why: String,
    leave: Option<Leave>,
}

impl From<&str> for Failure {
    fn from(why: &str) -> Failure {
        Failure { why: why.to_owned(), leave: None }
    }
}

impl From<FaultError> for Failure {
    fn from(error: FaultError) -> Failure {
        Failure { why: error.to_string(), leave: None }
    }
}

fn protocol(what: &str) -> HostError {
    HostError::io("begin", std::io::Error::other(what.to_owned()))
}

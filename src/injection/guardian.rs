//! The guardian: holds every recipe before its fault is applied, and acts when the injector dies
//! (descriptor and pipe), hangs (missed beats: it is killed first, which is always safe) or
//! overstays a deadline.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::crash;
use super::journal::Journal;
use super::revert::{By, CLUSTER_PATIENCE, Ending, end, patient_until_ns, undo_first};
use crate::host::channel::Channel;
use crate::host::{Host, HostError};
use crate::model::cluster::ClusterAccess;
use crate::model::id::{DrillId, InjectionId};
use crate::model::message::{FromGuardian, FromInjector, Recipe, ToGuardian};
use crate::model::units::Span;

/// How long a killed injector may take to be gone. One that waits for a disk that hangs never comes
/// back to our code, but only its end takes what it holds in the kernel.
const GONE_WITHIN_MS: u16 = 1000;

/// After an injection's own deadline, before the guardian steps in: the injector goes first.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the guardian was born with: descriptors, no names.
pub struct Born {
    pub conductor: OwnedFd,
    pub injector: OwnedFd,
    /// A pidfd of the injector: to see its death, and to kill it.
    pub injector_process: OwnedFd,
    pub journal: OwnedFd,
}

/// How late the injector may be with that one, nanoseconds. With the API server it is as patient as
/// we would be, and we ask the same server: as long as it beats, it is left at it.
fn patience(recipe: &Recipe) -> u64 {
    let more = recipe.target.object.as_ref().map_or(Duration::ZERO, |_| CLUSTER_PATIENCE);
    u64::try_from((PATIENCE + more).as_nanos()).unwrap_or(u64::MAX)
}

struct Guardian<'a> {
    host: &'a mut dyn Host,
    injector: Channel,
    injector_process: OwnedFd,
    recipes: BTreeMap<InjectionId, Recipe>,
    lease: Span,
    beat: Span,
    heard_ns: u64,
    beat_due_ns: u64,
}

/// Runs until the injector says goodbye, or has been replaced.
///
/// Errors: the handshake failed; there is nothing to undo yet.
pub fn run(
    born: Born,
    make_host: impl FnOnce(DrillId, Vec<ClusterAccess>) -> Result<Box<dyn Host>, HostError>,
) -> Result<(), HostError> {
    let mut injector = Channel::from_fd(born.injector);
    let Some(ToGuardian::Hello { drill, lease, beat, clusters, .. }) = injector.receive()? else {
        return Ok(());
    };
    let mut host = make_host(drill, clusters)?;
    injector.send(&FromGuardian::Ready)?;
    let now = host.now_ns();
    let mut guardian = Guardian {
        host: host.as_mut(),
        injector,
        injector_process: born.injector_process,
        recipes: BTreeMap::new(),
        lease,
        beat,
        heard_ns: now,
        beat_due_ns: now,
    };
    if let Some(why) = guardian.watch() {
        guardian.take_over(why, Channel::from_fd(born.conductor), born.journal);
    }
    Ok(())
}

impl Guardian<'_> {
    /// None: the drill is over. Some: the injector must be replaced, and why.
    fn watch(&mut self) -> Option<&'static str> {
        loop {
            let now = self.host.now_ns();
            if now >= self.beat_due_ns {
                self.beat_due_ns = now + self.beat.nanos();
                // Its death shows on the descriptor, not on this send.
                let _gone = self.injector.send(&FromGuardian::Beat);
            }
            let (spoke, died) = self.wait(now);
            // What it said counts first, before it died and while we were stopped ourselves: a last
            // `Forget` spares an undo of what has long been undone.
            if spoke {
                match self.injector.receive() {
                    Ok(Some(ToGuardian::Goodbye)) => return None,
                    Ok(Some(ToGuardian::TakeOver)) => return Some("it could not undo everything"),
                    Ok(Some(message)) => self.hear(message),
                    Ok(None) | Err(_) => return Some("it is dead"),
                }
            } else if died {
                return Some("it is dead");
            } else if let Some(why) = self.overdue() {
                return Some(why);
            }
        }
    }

    /// Silent for too long, or late with an undo.
    fn overdue(&self) -> Option<&'static str> {
        let now = self.host.now_ns();
        if now.saturating_sub(self.heard_ns) > self.lease.nanos() {
            return Some("it missed its beats for a whole lease");
        }
        let late = |recipe: &Recipe| now > recipe.deadline_ns.saturating_add(patience(recipe));
        self.recipes.values().any(late).then_some("it overstayed a deadline")
    }

    fn wait(&self, now: u64) -> (bool, bool) {
        let lease_ends = self.heard_ns.saturating_add(self.lease.nanos());
        let deadline = self.recipes.values().map(|r| r.deadline_ns).min().unwrap_or(u64::MAX);
        let next = self.beat_due_ns.min(lease_ends).min(deadline).saturating_sub(now);
        let timeout = PollTimeout::try_from(next.div_ceil(1_000_000).clamp(1, 1000));
        let mut fds = [
            PollFd::new(self.injector.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.injector_process.as_fd(), PollFlags::POLLIN),
        ];
        let _woken = poll(&mut fds, timeout.unwrap_or(PollTimeout::ZERO));
        let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
        (ready(&fds[0]), ready(&fds[1]))
    }

    fn hear(&mut self, message: ToGuardian) {
        self.heard_ns = self.host.now_ns();
        match message {
            ToGuardian::Guard(recipe) => {
                let injection = recipe.injection.clone();
                self.recipes.insert(injection.clone(), *recipe);
                let _gone = self.injector.send(&FromGuardian::Guarded(injection));
            }
            ToGuardian::Forget(injection) => {
                self.recipes.remove(&injection);
            }
            ToGuardian::Hello { .. }
            | ToGuardian::Beat
            | ToGuardian::TakeOver
            | ToGuardian::Goodbye => {}
        }
    }

    /// The injector first: what it holds in the kernel goes with it, and two must not undo at once.
    fn take_over(&mut self, why: &str, mut conductor: Channel, journal: OwnedFd) {
        self.kill_injector();
        crash::point("guardian: took over");
        let mut tell = |message: &FromInjector| {
            // The conductor may be as dead as the injector; the journal will tell the next one.
            let _deaf = conductor.send(message);
        };
        tell(&FromInjector::PartLost { part: "injector".to_owned(), why: why.to_owned() });
        let mut journal = match Journal::inherit(journal) {
            Ok((journal, contents)) => {
                // What the journal has closed was undone and seen to be gone before that could be
                // said to us. Its target may be somebody else's by now: once is enough.
                self.recipes
                    .retain(|id, _| !contents.states.get(id).is_some_and(|s| s.is_closed()));
                // It may have died between the journal and us: its word to us is not the only one.
                for recipe in contents.open() {
                    self.recipes.entry(recipe.injection.clone()).or_insert(recipe);
                }
                Some(journal)
            }
            Err(error) => {
                tracing::error!(%error, "the guardian cannot read the journal; it undoes all the same");
                None
            }
        };
        undo_first(self.host, self.recipes.values().rev(), &mut || tell(&FromInjector::Beat));
        let patient_until_ns = patient_until_ns(self.host);
        for recipe in self.recipes.values().rev() {
            let beat = &mut || tell(&FromInjector::Beat);
            let journal = journal.as_mut();
            let mut ending = Ending { by: By::Guardian, journal, patient_until_ns, beat };
            let ended = end(self.host, recipe, &mut ending);
            tell(&ended);
        }
        tell(&FromInjector::AllReverted);
    }

    fn kill_injector(&self) {
        let _gone = crate::host::linux::pidfd::kill(self.injector_process.as_fd());
        let mut fds = [PollFd::new(self.injector_process.as_fd(), PollFlags::POLLIN)];
        while poll(&mut fds, PollTimeout::from(GONE_WITHIN_MS)).is_err() {}
    }
}

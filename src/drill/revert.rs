//! The single way out of a drill: everything in force is undone, by whoever still can.
//!
//! The injector undoes what it is told to; when it is dead or silent the guardian does; when the
//! guardian is dead too, or does nothing, both are ended for good and a recovery does it from the
//! journal. What is stuck in the end is decided by the journal, not by who failed to say something.

use super::event::Part;
use super::parts::PartsError;
use super::run::{Drill, LEASE};
use crate::backend::Backend;
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::injection::journal::store::{self, Contents};
use crate::injection::journal::{Journal, JournalError, JournalRecord, State};
use crate::injection::revert::CLUSTER_PATIENCE;
use crate::model::history::{Entry, Phase, Reverted};
use crate::model::id::InjectionId;
use crate::model::message::ToInjector;
use crate::model::units::Span;

/// Beyond the lease, in which the guardian acts: how long a revert may take before it is `stuck`.
const REVERTED_WITHIN: Span = Span::secs(20);
/// How long each of those that undo is patient with an API server.
pub(super) const CLUSTERS: Span = Span(CLUSTER_PATIENCE);
/// How long the guardian may say nothing when it is its turn: the lease, in which it finds out that
/// the injector hangs, and the time that one undo takes at most.
const GUARDIAN_ACTS_WITHIN: Span = Span::secs(LEASE_SECONDS + 5);
const LEASE_SECONDS: u64 = LEASE.0.as_secs();
/// How long a killed part may take to be gone. One that waits for a disk that hangs is not, and
/// never comes back to our code either.
const GONE_WITHIN: Span = Span::secs(1);

impl<B: Backend> Drill<'_, B> {
    pub(super) async fn revert(&mut self) {
        self.note(Entry::Phase(Phase::Revert));
        self.state.reverting = true;
        let mut limit = monotonic_ns() + LEASE.nanos() + self.reverted_within().nanos();
        if self.state.injector_lives() {
            self.parts.tell_injector(&ToInjector::RevertAll).await;
        }
        while !self.state.all_reverted
            && !self.state.quit
            && !self.state.recovery_over()
            && monotonic_ns() < limit
        {
            if self.nobody_undoes() {
                if !self.replace().await {
                    break;
                }
                limit = monotonic_ns() + self.reverted_within().nanos();
            }
            self.step(limit).await;
        }
    }

    /// Injector and guardian may each be patient for a while with what is in clusters.
    pub(super) fn reverted_within(&self) -> Span {
        let patient = if self.request.plan.clusters.is_empty() { 0 } else { 2 };
        Span(REVERTED_WITHIN.0 + CLUSTERS.0 * patient)
    }

    /// Is it a recovery's turn? A guardian that lets its own turn pass counts as dead.
    pub(super) fn nobody_undoes(&mut self) -> bool {
        if self.state.recovering || self.state.injector_lives() {
            return false;
        }
        if self.state.guardian_silence.longer_than(GUARDIAN_ACTS_WITHIN) {
            self.part_lost(
                Part::Guardian,
                "it has not acted in the injector's place; it is killed",
            );
        }
        !self.state.guardian_lives()
    }

    /// Ends injector and guardian for good, since two must not undo at once, and starts a recovery.
    /// False: there is nobody to wait for.
    pub(super) async fn replace(&mut self) -> bool {
        self.state.recovering = true;
        self.end_both().await;
        let Err(error) = self.parts.start_recovery(self.backend, self.journal) else { return true };
        self.state.lost.insert(Part::Recovery);
        if let PartsError::Host(HostError::Gone(what)) = error {
            self.void(&format!("{what} is gone, and the targets with it"));
        } else {
            self.note(Entry::Note(format!("recovery could not be started: {error}")));
        }
        false
    }

    async fn end_both(&mut self) {
        let both = [Part::Injector, Part::Guardian];
        for part in both {
            self.parts.kill(part);
        }
        let limit = monotonic_ns() + GONE_WITHIN.nanos();
        while both.iter().any(|part| self.parts.lives(*part)) && monotonic_ns() < limit {
            self.step(limit).await;
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
                self.state.ended(&injection, monotonic_ns());
                self.note(Entry::Void { injection, why });
            }
        }
    }

    /// The journal as it is now. Read by its name: the parts share one open file, and its position.
    fn peek(&self) -> Result<Contents, JournalError> {
        store::peek(&self.request.journals.join(self.request.drill.as_str()))
    }

    /// What the journal has open and nobody has said to be undone.
    pub(super) fn open(&self) -> Vec<InjectionId> {
        match self.peek() {
            Ok(contents) => self.open_in(&contents),
            Err(_) => self.state.steps.open(),
        }
    }

    fn open_in(&self, contents: &Contents) -> Vec<InjectionId> {
        let open = contents.open().into_iter().map(|recipe| recipe.injection);
        open.filter(|injection| !self.state.ended.contains(injection)).collect()
    }

    /// The last word on every injection, after the parts have ended.
    pub(super) fn settle_accounts(&mut self) {
        let contents = match self.peek() {
            Ok(contents) => contents,
            Err(error) => {
                for injection in self.state.steps.open() {
                    let why = format!("nobody has said that it is gone, and {error}");
                    self.stuck(injection, why);
                }
                return;
            }
        };
        let held = self.holders();
        for injection in self.open_in(&contents) {
            let told = contents.stuck.get(&injection).cloned();
            let why = told.unwrap_or_else(|| format!("the journal has it open{held}"));
            self.stuck(injection, format!("{why}; run `squall undo --all`"));
        }
        for injection in self.state.steps.open() {
            self.unheard(injection, &contents);
        }
    }

    /// It was ordered, and nobody has said its end: whoever knew it died, or we did not wait.
    fn unheard(&mut self, injection: InjectionId, contents: &Contents) {
        match contents.states.get(&injection) {
            None => {
                let why = format!("{injection} was ordered and never armed: it touched nothing");
                self.note(Entry::Note(why));
            }
            Some(State::Reverted) => {
                let reverted = Reverted {
                    injection,
                    gone_ns: monotonic_ns(),
                    by: "a part that is dead".to_owned(),
                    evidence: "the journal says that it was seen to be gone".to_owned(),
                };
                self.note(Entry::Reverted(reverted));
            }
            Some(State::Void) => {
                let why = "the journal says that its target is gone".to_owned();
                self.note(Entry::Void { injection, why });
            }
            // Said to be stuck above.
            Some(State::Armed | State::Active | State::Reverting | State::Stuck) => {}
        }
    }

    /// What was seen to be gone and shows again in the end goes on record once more: the next start
    /// undoes it, or refuses. Called after the parts have ended, when there is no other writer.
    pub(super) fn keep_on_record(&mut self, residue: &[String]) {
        let why = format!("still in the world in the end: {}", residue.join("; "));
        let reopened = self.journal.share().and_then(Journal::inherit);
        let kept = reopened.and_then(|(mut journal, contents)| {
            let ended = contents.states.iter().filter(|(_, state)| **state == State::Reverted);
            for (injection, _) in ended {
                let (injection, why) = (injection.clone(), why.clone());
                journal.append(&JournalRecord::Stuck { injection, why })?;
            }
            Ok(())
        });
        if let Err(error) = kept {
            self.note(Entry::Note(format!("the next drill will not know of it: {error}")));
        }
    }

    /// Who is left to undo, in words.
    pub(super) fn undoing(&self) -> Vec<String> {
        let undoing = self.parts.living().into_iter().filter(|(part, _)| part.undoes());
        undoing.map(|(part, pid)| format!("{} (process {pid})", part.name())).collect()
    }

    fn holders(&self) -> String {
        let names = self.undoing();
        if names.is_empty() { String::new() } else { format!("; left to {}", names.join(", ")) }
    }
}

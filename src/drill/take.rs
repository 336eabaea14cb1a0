//! What each event means for a drill under way: into the history, and into what is known.

use super::event::{Event, Part};
use super::run::Drill;
use crate::backend::{Backend, Happened};
use crate::host::linux::clock::monotonic_ns;
use crate::model::history::Entry;
use crate::model::message::{FromInjector, FromProber};
use crate::model::outcome::AbortCause;

impl<B: Backend> Drill<'_, B> {
    pub(super) fn lost_by_silence(&mut self, now: u64) {
        if self.state.prober_silent(now) {
            self.part_lost(Part::Prober, "it missed its beats for a whole lease");
        }
    }

    pub(super) fn take(&mut self, event: Event) {
        match event {
            // What injector and guardian say means the same, whoever says it.
            Event::Injector(message) | Event::Guardian(message) => self.take_injector(message),
            Event::Prober(message) => self.take_prober(*message),
            Event::Backend(Happened::Seen { at_ns, entry }) => {
                self.history.add(at_ns, *entry);
            }
            Event::Backend(Happened::Lost { why }) => {
                self.note(Entry::PartLost { part: "lab".to_owned(), why: why.clone() });
                self.abort(AbortCause::Part { part: "lab".to_owned(), why });
            }
            Event::Closed(part) => self.part_lost(part, "it is dead"),
            Event::Signal(signal) => {
                self.state.signals += 1;
                self.state.quit = self.state.signals >= 3;
                if self.state.signals == 1 {
                    self.abort(AbortCause::Signal(signal.name));
                }
            }
            Event::Tick => {}
        }
    }

    fn take_injector(&mut self, message: FromInjector) {
        match message {
            FromInjector::Effective(effective) => {
                self.state.steps.effective(&effective.injection, effective.effective_ns);
                self.history.add(effective.effective_ns, Entry::Effective(effective));
            }
            FromInjector::Failed { injection, why } => {
                self.state.steps.closed(&injection);
                self.abort(AbortCause::Injection(why));
            }
            FromInjector::Reverted(reverted) => {
                self.state.steps.closed(&reverted.injection);
                self.history.add(reverted.gone_ns, Entry::Reverted(reverted));
            }
            FromInjector::Void { injection, why } => {
                self.state.steps.closed(&injection);
                self.note(Entry::Void { injection, why });
            }
            FromInjector::Stuck { injection, why } => {
                self.state.steps.closed(&injection);
                self.state.stuck = true;
                self.note(Entry::Stuck { injection, why });
            }
            FromInjector::Disturbed { injection, why } => {
                self.note(Entry::Disturbed { injection, why });
            }
            FromInjector::AllReverted => self.state.all_reverted = true,
            FromInjector::PartLost { part, why } => {
                self.note(Entry::PartLost { part: part.clone(), why: why.clone() });
                self.abort(AbortCause::Part { part, why });
            }
            FromInjector::Residue(residue) => self.state.residue = Some(residue),
            FromInjector::Ready { .. } | FromInjector::Beat => {}
        }
    }

    fn take_prober(&mut self, message: FromProber) {
        self.state.prober_heard_ns = monotonic_ns();
        match message {
            FromProber::Saw { at_ns, entry } => {
                self.state.saw(&entry);
                self.history.add(at_ns, *entry);
            }
            FromProber::Roles(roles) => self.state.roles = Some(roles),
            FromProber::LedgersRead { round } => self.state.ledger_rounds = round,
            FromProber::Finished => self.state.finished = true,
            FromProber::Ready { .. } | FromProber::Unfit { .. } | FromProber::Beat => {}
        }
    }

    /// A closed channel after goodbye is no loss; this is only called before.
    fn part_lost(&mut self, part: Part, why: &str) {
        if !self.state.lost.insert(part) {
            return;
        }
        // A part that has said that all is reverted may go.
        if part == Part::Recovery
            || (part != Part::Prober && self.state.all_reverted && self.state.reverting)
        {
            return;
        }
        let (name, why) = (part.name().to_owned(), why.to_owned());
        self.note(Entry::PartLost { part: name.clone(), why: why.clone() });
        self.abort(AbortCause::Part { part: name, why });
    }

    pub(super) fn abort(&mut self, cause: AbortCause) {
        if !self.state.aborted {
            self.state.aborted = true;
            self.note(Entry::Aborted(cause));
        }
    }
}

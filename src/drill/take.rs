//! What each event means for a drill under way: into the history, and into what is known.

use super::event::{Event, Part};
use super::run::{Drill, LEASE};
use crate::backend::{Backend, Happened};
use crate::host::linux::clock::monotonic_ns;
use crate::model::history::Entry;
use crate::model::id::InjectionId;
use crate::model::message::{FromInjector, FromProber};
use crate::model::outcome::AbortCause;
use crate::model::units::Span;

/// How long the injector may be silent to us. Its guardian replaces it after a lease, and says so:
/// it goes first.
const INJECTOR_SILENT: Span = Span::secs(4);
const SILENT: &str = "it missed its beats for a whole lease";

impl<B: Backend> Drill<'_, B> {
    /// Called with each beat of ours.
    pub(super) fn lost_by_silence(&mut self) {
        let state = &mut self.state;
        for silence in
            [&mut state.injector_silence, &mut state.guardian_silence, &mut state.prober_silence]
        {
            silence.beat();
        }
        if self.state.prober_silence.longer_than(LEASE) {
            self.part_lost(Part::Prober, SILENT);
        }
        if self.state.injector_silence.longer_than(INJECTOR_SILENT) {
            self.part_lost(Part::Injector, SILENT);
        }
    }

    pub(super) fn take(&mut self, event: Event) {
        match event {
            // What injector and guardian say means the same, whoever says it.
            Event::Injector(message) => {
                self.state.injector_silence.heard();
                self.take_injector(message);
            }
            Event::Guardian(message) => {
                self.state.guardian_silence.heard();
                self.take_injector(message);
            }
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
            Event::Ended(_) | Event::Tick => {}
        }
    }

    fn take_injector(&mut self, message: FromInjector) {
        let now = monotonic_ns();
        match message {
            FromInjector::Effective(effective) => {
                self.state.struck = true;
                self.state.steps.effective(&effective.injection, effective.effective_ns);
                self.history.add(effective.effective_ns, Entry::Effective(effective));
            }
            FromInjector::Failed { injection, why, unwritten } => {
                self.state.steps.closed(&injection, now);
                if unwritten {
                    self.state.ended.insert(injection);
                    self.state.unwritten.get_or_insert_with(|| why.clone());
                }
                self.abort(AbortCause::Injection(why));
            }
            FromInjector::Found { injection, finding } => {
                self.note(Entry::Finding { injection, finding });
            }
            FromInjector::Reverted(reverted) => {
                self.state.struck = true;
                self.state.ended(&reverted.injection, now);
                self.history.add(reverted.gone_ns, Entry::Reverted(reverted));
            }
            FromInjector::Void { injection, why } => {
                self.state.ended(&injection, now);
                self.note(Entry::Void { injection, why });
            }
            FromInjector::Stuck { injection, why } => {
                self.state.steps.closed(&injection, now);
                self.stuck(injection, why);
            }
            FromInjector::Disturbed { injection, why } => {
                self.note(Entry::Disturbed { injection, why });
            }
            FromInjector::AllReverted => self.state.all_reverted = true,
            FromInjector::PartLost { part, why } => {
                if let Some(known) = Part::named(&part) {
                    self.part_lost(known, &why);
                } else {
                    self.note(Entry::PartLost { part: part.clone(), why: why.clone() });
                    self.abort(AbortCause::Part { part, why });
                }
            }
            FromInjector::Residue(residue) => self.state.residue = Some(residue),
            FromInjector::Ready { .. } | FromInjector::Beat => {}
        }
    }

    fn take_prober(&mut self, message: FromProber) {
        self.state.prober_silence.heard();
        match message {
            FromProber::Saw { at_ns, entry } => {
                self.state.saw(at_ns, &entry);
                self.history.add(at_ns, *entry);
            }
            FromProber::Roles(roles) => self.state.roles = Some(roles),
            FromProber::LedgersRead { round } => self.state.ledger_rounds = round,
            FromProber::Finished => self.state.finished = true,
            FromProber::Awake { at_ns } => self.state.prober_awake(at_ns),
            FromProber::Ready { .. } | FromProber::Unfit { .. } | FromProber::Beat => {}
        }
    }

    /// Once for each part, whoever says it first.
    pub(super) fn part_lost(&mut self, part: Part, why: &str) {
        if !self.state.lost.insert(part) {
            return;
        }
        if part == Part::Injector {
            // From here on it is the guardian's turn.
            self.state.guardian_silence.heard();
        }
        // A part that has said that all is reverted may go, and everybody after goodbye.
        if part == Part::Recovery
            || self.state.leaving
            || (part != Part::Prober && self.state.all_reverted && self.state.reverting)
        {
            return;
        }
        let (name, why) = (part.name().to_owned(), why.to_owned());
        self.note(Entry::PartLost { part: name.clone(), why: why.clone() });
        self.abort(AbortCause::Part { part: name, why });
    }

    /// Once for each injection.
    pub(super) fn stuck(&mut self, injection: InjectionId, why: String) {
        if self.state.stuck.insert(injection.clone()) {
            self.note(Entry::Stuck { injection, why });
        }
    }

    pub(super) fn abort(&mut self, cause: AbortCause) {
        if !self.state.aborted {
            self.state.aborted = true;
            self.note(Entry::Aborted(cause));
        }
    }
}

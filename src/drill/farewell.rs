//! The end of the parts: goodbye is said, every last word is heard, and none of those that undo is
//! killed while there is something to undo.

use super::event::Part;
use super::run::{Drill, LEASE};
use crate::backend::Backend;
use crate::host::linux::clock::monotonic_ns;
use crate::model::history::Entry;
use crate::model::id::InjectionId;
use crate::model::units::Span;

/// How long a part that holds nothing may take to end by itself.
const ENDS_WITHIN: Span = Span::secs(3);
/// A wait that is shorter is not worth a word.
const TOLD_AFTER: Span = Span::secs(1);

impl<B: Backend> Drill<'_, B> {
    pub(super) async fn farewell(&mut self) {
        self.state.leaving = true;
        self.parts.goodbye().await;
        let began = monotonic_ns();
        let last = began + LEASE.nanos() + self.reverted_within().nanos();
        // Whoever asked to be out waits for the undo all the same, and not if they ask once more.
        let out_at = self.state.signals.max(2) + 1;
        let (mut open_ns, mut told, mut killed) = (began, false, false);
        while !self.parts.all_over() && self.state.signals < out_at {
            let (now, open) = (monotonic_ns(), self.open());
            if !open.is_empty() {
                open_ns = now;
                if !told && now >= began + TOLD_AFTER.nanos() {
                    told = true;
                    self.note(Entry::Note(self.waiting_for(&open)));
                }
                if self.nobody_undoes() {
                    self.replace().await;
                }
            }
            if now >= last {
                break;
            }
            if !killed && now >= open_ns + ENDS_WITHIN.nanos() {
                killed = true;
                self.kill_the_rest();
            }
            let idle = self.parts.living().iter().any(|(part, _)| !part.undoes());
            if idle && now >= began + ENDS_WITHIN.nanos() {
                self.parts.kill(Part::Prober);
            }
            self.step(last).await;
        }
        // It holds nothing, and ends with us in any case.
        self.parts.kill(Part::Prober);
    }

    /// Nothing is open: whoever still lives holds nothing any more.
    fn kill_the_rest(&self) {
        for (part, pid) in self.parts.living() {
            tracing::warn!(part = part.name(), pid, "it does not end by itself and is killed");
            self.parts.kill(part);
        }
    }

    fn waiting_for(&self, open: &[InjectionId]) -> String {
        let names = self.undoing();
        let open: Vec<String> = open.iter().map(ToString::to_string).collect();
        format!("waiting for {} to undo {}", names.join(" and "), open.join(", "))
    }
}

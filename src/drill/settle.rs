//! What is read when all is over: the ledgers, twice, and what of ours is still in the world.

use super::run::Drill;
use crate::backend::Backend;
use crate::host::linux::clock::monotonic_ns;
use crate::model::history::{Entry, Phase};
use crate::model::message::{ToInjector, ToProber};
use crate::model::units::Span;

/// How long a ledger, or the world, may take to be read back.
const READ_WITHIN: Span = Span::secs(60);
/// Between the two final reads: what comes back with a late rejoin shows in the second.
const BETWEEN_READS: Span = Span::secs(1);
/// How long slots under way may take to end.
const FINISHES_WITHIN: Span = Span::secs(10);

impl<B: Backend> Drill<'_, B> {
    /// No new slots; the ledgers, twice; what of ours is still in the world.
    pub(super) async fn settle(&mut self) {
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
        self.read_back().await;
        self.note_residue();
    }

    /// The injector reads the world back; where it is dead, whoever took its place, and a recovery
    /// that has nothing to undo where nobody did. Not `until`: a prober that is dead has no part in
    /// this.
    async fn read_back(&mut self) {
        let limit = monotonic_ns() + READ_WITHIN.nanos();
        if self.state.injector_lives() {
            self.parts.tell_injector(&ToInjector::ReadBack).await;
        }
        while self.state.residue.is_none() && !self.state.quit && monotonic_ns() < limit {
            if self.state.recovery_over() || (self.nobody_undoes() && !self.replace().await) {
                return;
            }
            self.step(limit).await;
        }
    }

    pub(super) fn note_residue(&mut self) {
        let Some(residue) = self.state.residue.take() else { return };
        if self.state.residue_noted.is_none() {
            self.state.residue_noted = Some(residue.clone());
            self.note(Entry::Residue(residue));
        }
    }
}

//! The single way to end an injection, whoever walks it: injector, guardian or recovery.
//!
//! Undo first, then look, then write: an abort never waits for a disk or a socket.

use std::time::Duration;

use super::crash;
use super::journal::{Journal, JournalRecord};
use crate::fault::{self, Expect, FaultError};
use crate::host::Host;
use crate::model::history::Reverted;
use crate::model::message::{FromInjector, Recipe};

/// Who ends it; the name stands in journal and report, and names the crash points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Injector,
    Guardian,
    Recovery,
}

/// How often an undo that failed is tried again before it is called stuck.
const TRIES: u32 = 3;

/// How long the undo of what is in a cluster is tried. An API server that is started anew, or whose
/// store elects, is back by then; an undo that is given up waits for a person.
pub const CLUSTER_PATIENCE: Duration = Duration::from_secs(30);

/// Between the tries of that time: nothing is gained by asking a dead server more often.
const CLUSTER_PAUSE: Duration = Duration::from_millis(300);

/// Between tries: long enough for a busy kernel object, short enough for a lease.
const PAUSE: Duration = Duration::from_millis(100);

impl By {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            By::Injector => "injector",
            By::Guardian => "guardian",
            By::Recovery => "recovery",
        }
    }

    fn stop(self, step: &str) {
        crash::point(&format!("{}: {step}", self.name()));
    }
}

/// What ending an injection takes beside the machine.
pub struct Ending<'a> {
    pub by: By,
    /// None: it cannot be read; the guardian undoes all the same.
    pub journal: Option<&'a mut Journal>,
    /// Up to when it is tried again and again, where the target is in a cluster. Those that are
    /// ended together share it: one server that is dead must not cost the time for each.
    pub patient_until_ns: u64,
    /// Called before each try. One try is shorter than a lease, all of them may not be.
    pub beat: &'a mut dyn FnMut(),
}

/// Ends one injection and says how that went. The journal gets its lines where it can still take
/// them; that it cannot stops nothing.
pub fn end(host: &mut dyn Host, recipe: &Recipe, ending: &mut Ending<'_>) -> FromInjector {
    let by = ending.by;
    let ended = end_unwritten(host, recipe, ending);
    let Some(journal) = ending.journal.as_deref_mut() else { return ended };
    let reverting =
        JournalRecord::Reverting { injection: recipe.injection.clone(), by: by.name().to_owned() };
    note(journal, &reverting);
    by.stop("journalled reverting");
    if let Some(record) = record_of(&ended) {
        note(journal, &record);
    }
    ended
}

/// Undoes several before any of them is looked at or written down: the sync of one line, or the
/// canary of one look, must not keep all the others in force. [`end`] follows for each: what was
/// undone here it finds gone, what failed here it tries again and tells.
/// `beat` is called before each.
pub fn undo_first<'r>(
    host: &mut dyn Host,
    recipes: impl ExactSizeIterator<Item = &'r Recipe>,
    beat: &mut dyn FnMut(),
) {
    if recipes.len() < 2 {
        return;
    }
    host.gather();
    for recipe in recipes {
        beat();
        let Some(fault) = fault::find(&recipe.kind) else { continue };
        if let Err(error) = fault.revert(host, &recipe.target, &recipe.undo) {
            tracing::debug!(%error, injection = %recipe.injection, "not undone at the first try");
        }
    }
    if let Err(error) = host.relieve_gathered() {
        tracing::debug!(%error, "not all undone at the first try");
    }
}

fn end_unwritten(host: &mut dyn Host, recipe: &Recipe, ending: &mut Ending<'_>) -> FromInjector {
    let injection = recipe.injection.clone();
    match undo(host, recipe, ending) {
        Ok(evidence) => {
            ending.by.stop("verified gone, not journalled");
            let (gone_ns, by) = (host.now_ns(), ending.by.name().to_owned());
            FromInjector::Reverted(Reverted { injection, gone_ns, by, evidence })
        }
        Err(FaultError::Void(why)) => FromInjector::Void { injection, why },
        Err(error) => FromInjector::Stuck { injection, why: stuck(recipe, &error) },
    }
}

/// Why it is stuck, and who can still undo it.
fn stuck(recipe: &Recipe, error: &FaultError) -> String {
    let Some(object) = &recipe.target.object else { return error.to_string() };
    format!(
        "{error}; once its API server answers, `squall undo --cluster {}` undoes it, from any \
         machine",
        object.cluster.context
    )
}

fn record_of(ended: &FromInjector) -> Option<JournalRecord> {
    match ended.clone() {
        FromInjector::Reverted(Reverted { injection, gone_ns, by, .. }) => {
            Some(JournalRecord::Reverted { injection, by, at_ns: gone_ns })
        }
        FromInjector::Void { injection, why } => Some(JournalRecord::Void { injection, why }),
        FromInjector::Stuck { injection, why } => Some(JournalRecord::Stuck { injection, why }),
        _ => None,
    }
}

/// Undoes until the world says that it is gone.
fn undo(
    host: &mut dyn Host,
    recipe: &Recipe,
    ending: &mut Ending<'_>,
) -> Result<String, FaultError> {
    let Some(fault) = fault::find(&recipe.kind) else {
        return Err(FaultError::Unexpected(format!(
            "this squall knows no fault `{}`; undo it with the version that made it",
            recipe.kind
        )));
    };
    let mut tried = 0;
    loop {
        (ending.beat)();
        let done = fault.revert(host, &recipe.target, &recipe.undo);
        ending.by.stop("undone, not verified");
        if done.is_ok() {
            (ending.beat)();
        }
        match done.and_then(|()| fault.verify(host, &recipe.target, &recipe.undo, Expect::Gone)) {
            Ok(evidence) => return Ok(evidence),
            Err(FaultError::Void(why)) => return Err(FaultError::Void(why)),
            Err(error) => {
                tried += 1;
                let patient =
                    recipe.target.object.is_some() && host.now_ns() < ending.patient_until_ns;
                if tried >= TRIES && !patient {
                    return Err(error);
                }
                host.pause(if tried < TRIES { PAUSE } else { CLUSTER_PAUSE });
            }
        }
    }
}

/// Up to when those that are ended from now on are tried again and again.
pub fn patient_until_ns(host: &dyn Host) -> u64 {
    let patience = u64::try_from(CLUSTER_PATIENCE.as_nanos()).unwrap_or(u64::MAX);
    host.now_ns().saturating_add(patience)
}

/// Writes a line after the deed. A journal that cannot be written must not stop an undo.
fn note(journal: &mut Journal, record: &JournalRecord) {
    if let Err(error) = journal.append(record) {
        tracing::error!(%error, "the journal misses a line; the undo goes on");
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::host::linux::LinuxHost;
    use crate::model::id::{DrillId, InjectionId};

    /// A cut in something that is no namespace: no try succeeds, and none says that it is gone.
    pub fn hopeless() -> Recipe {
        let netns = json!({"path": "/proc/self/stat", "cookie": 1, "boot": "b"});
        let host = json!({"name": "r1", "ipv4": "10.66.0.11", "ipv6": "fd66::11"});
        let injection = InjectionId { drill: DrillId::from_bits(7), number: 1 };
        let impairment = json!({
            "id": injection, "direction": "both", "effect": "drop",
            "filter": {"protocol": null, "ports": [], "peers": []},
        });
        let undo = json!({
            "injection": injection, "netns": netns, "impairment": impairment, "paths": [],
        });
        let target = json!({
            "name": "redis@r1", "service": "redis", "host": host, "netns": netns,
            "port": null, "process": null,
        });
        serde_json::from_value(json!({
            "injection": injection, "kind": "networkPartition", "target": target,
            "undo": undo, "deadlineNs": 5,
        }))
        .unwrap()
    }

    #[test]
    fn whoever_tries_again_shows_that_it_lives_before_each_try() {
        let mut host = LinuxHost::new(DrillId::from_bits(7)).unwrap();
        let mut beats = 0;
        let mut beat = || beats += 1;
        let mut ending =
            Ending { by: By::Recovery, journal: None, patient_until_ns: 0, beat: &mut beat };
        let ended = end(&mut host, &hopeless(), &mut ending);
        let FromInjector::Stuck { why, .. } = ended else { panic!("{ended:?}") };
        assert!(why.contains("/proc/self/stat"), "{why}");
        assert_eq!(beats, TRIES);
    }
}

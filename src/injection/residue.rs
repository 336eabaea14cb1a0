//! The read-back at the end: what of a drill the world still shows, whoever looks.

use crate::fault::{self, Expect, FaultError};
use crate::host::{Host, HostError};
use crate::model::id::DrillId;
use crate::model::identity::NetnsIdentity;
use crate::model::message::Recipe;

/// Where to look, and how to show meanwhile that one is at it.
pub struct ReadBack<'a> {
    pub drill: &'a DrillId,
    /// Every namespace that the drill could touch.
    pub namespaces: &'a [NetnsIdentity],
    /// Called before each look: one is shorter than a lease, all of them may not be.
    pub beat: &'a mut dyn FnMut(),
}

/// Everything of this drill that the world still shows: objects with its tag, and targets that look
/// as if the fault were still in force, whoever made them look so.
pub fn read<'r>(
    host: &mut dyn Host,
    ended: impl Iterator<Item = &'r Recipe>,
    look: &mut ReadBack<'_>,
) -> Vec<String> {
    let mut residue = Vec::new();
    for ns in look.namespaces {
        (look.beat)();
        match host.ours(ns, Some(look.drill)) {
            Ok(found) => residue.extend(found.iter().map(|what| format!("{}: {what}", ns.path))),
            // A namespace that is gone holds nothing.
            Err(HostError::Gone(_)) => {}
            Err(error) => residue.push(format!("{}: cannot be read: {error}", ns.path)),
        }
    }
    for recipe in ended {
        (look.beat)();
        let Some(fault) = fault::find(&recipe.kind) else { continue };
        match fault.verify(host, &recipe.target, &recipe.undo, Expect::Gone) {
            Ok(_) | Err(FaultError::Void(_)) => {}
            Err(error) => residue.push(format!("{}: {error}", recipe.target.name)),
        }
    }
    residue
}

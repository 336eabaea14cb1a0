//! `scale`: a workload is told to have another number of replicas.
//!
//! Undone to the former number, unless somebody else has set one meanwhile, an autoscaler or a
//! person: then theirs stays, and only our mark goes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::marked::{
    change, copies, is_ours, metadata, note, squall_owns, sweep, unmark, unmarked,
};
use super::object::{identity, present};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::mark::Mark;

const REPLICAS: &str = "/f:spec/f:replicas";

/// Gives a workload another number of replicas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target: a deployment, a statefulSet, or a replicaSet that nobody else scales.
    pub target: String,
    /// How many it is to have.
    pub replicas: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub mark: Mark,
    pub former: u64,
    pub wanted: u64,
}

pub struct Scale;

impl FaultKind for Scale {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "scale";
    const SUMMARY: &'static str = "gives a workload another number of replicas";
    const EXAMPLE: &'static str = "scale: {target: web, replicas: 0}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] =
        &[Resource::Deployment, Resource::StatefulSet, Resource::ReplicaSet];
    const ASKS: &'static [Access] = &[
        Access::of("get", Resource::Deployment).on(Resource::Deployment),
        Access::of("patch", Resource::Deployment).on(Resource::Deployment),
        // Its controller copies our note to them.
        Access::of("list", Resource::ReplicaSet).on(Resource::Deployment),
        Access::of("patch", Resource::ReplicaSet).on(Resource::Deployment),
        Access::of("get", Resource::StatefulSet).on(Resource::StatefulSet),
        Access::of("patch", Resource::StatefulSet).on(Resource::StatefulSet),
        Access::of("get", Resource::ReplicaSet).on(Resource::ReplicaSet),
        Access::of("patch", Resource::ReplicaSet).on(Resource::ReplicaSet),
    ];
    const RESTORE: Restore = Restore::Undo;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(
            &params.target,
            Footprint::Workload,
            format!("scale {{target}} to {}", params.replicas),
        )
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &Params) -> Result<Undo, FaultError> {
        let (object, found, mark) = unmarked(host, order)?;
        let (former, wanted) = (replicas(&found), u64::from(params.replicas));
        if former == wanted {
            let why = format!("{} has {former} replicas already: nothing changes", object.words());
            return Err(FaultError::Foreign(why));
        }
        if let Some(owner) = controller(&found) {
            let why = format!("{} is scaled by {owner}; scale that", object.words());
            return Err(FaultError::Foreign(why));
        }
        Ok(Undo { mark, former, wanted })
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let object = identity(&order.target)?;
        let note = note::<Self>(object, &undo.mark, undo)?;
        let began_ns = host.now_ns();
        let edit = |found: &Value| {
            // What it is scaled back to is what the journal has.
            let same = replicas(found) == undo.former;
            same.then(|| json!({"metadata": metadata(&note), "spec": {"replicas": undo.wanted}}))
        };
        change(host, object, &edit)?;
        Ok(Took { began_ns, effective_ns: host.now_ns() })
    }

    fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        let (object, began_ns) = (identity(target)?, host.now_ns());
        let edit = |found: &Value| {
            let mut patch = json!({"metadata": unmark()});
            if replicas(found) == undo.wanted && squall_owns(found, REPLICAS) {
                patch["spec"] = json!({"replicas": undo.former});
            }
            is_ours(found, &undo.mark).then_some(patch)
        };
        change(host, object, &edit)?;
        sweep(host, object, (&undo.mark, began_ns))
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let object = identity(target)?;
        let found = present(host, object)?;
        let (words, now) = (object.words(), replicas(&found));
        let (Undo { mark, former, wanted }, ours) = (undo, is_ours(&found, &undo.mark));
        match expect {
            Expect::InForce if ours && now == *wanted => {
                Ok(format!("{words} is to have {now} replicas, not {former}"))
            }
            Expect::InForce => Err(FaultError::Unexpected(format!(
                "{words} is to have {now} replicas: somebody else set that"
            ))),
            Expect::Gone if ours => {
                Err(FaultError::Unexpected(format!("{words} still bears our mark")))
            }
            Expect::Gone if !copies(host, object, mark)?.is_empty() => {
                Err(FaultError::Unexpected(format!("a replica set of {words} bears our note")))
            }
            Expect::Gone if now == *former => {
                Ok(format!("{words} is to have {now} replicas again"))
            }
            Expect::Gone => {
                Ok(format!("{words} is to have {now} replicas: somebody else set that, it stays"))
            }
        }
    }
}

fn replicas(found: &Value) -> u64 {
    // The server fills it in; 1 is what it would say.
    found.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1)
}

/// Who sets the number anyway: `Deployment web`.
fn controller(found: &Value) -> Option<String> {
    let owners = found.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    Some(format!("{} {}", owner["kind"].as_str()?, owner["name"].as_str()?))
}

//! `rolloutRestart`: every pod of a workload is replaced, one after the other, as
//! `kubectl rollout restart` does it; for what goes wrong *during* a rollout.
//!
//! Nothing is undone. What starts the rollout is an annotation of the pods' template, and taking it
//! out would start another. It stays, as it stays behind `kubectl rollout restart`; nothing else of
//! ours is ever on the object, not even a mark.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::marked::change;
use super::object::{identity, is_ending, present};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;

/// The annotation that `kubectl` uses for it.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Replaces every pod of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target: a deployment, a statefulSet or a daemonSet.
    pub target: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    /// What tells our restart from another.
    pub restarted_at: String,
}

pub struct RolloutRestart;

impl FaultKind for RolloutRestart {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "rolloutRestart";
    const SUMMARY: &'static str = "replaces every pod of a workload, in turn";
    const EXAMPLE: &'static str = "rolloutRestart: {target: web}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] =
        &[Resource::Deployment, Resource::StatefulSet, Resource::DaemonSet];
    const ASKS: &'static [Access] = &[
        Access::of("get", Resource::Deployment).on(Resource::Deployment),
        Access::of("patch", Resource::Deployment).on(Resource::Deployment),
        Access::of("get", Resource::StatefulSet).on(Resource::StatefulSet),
        Access::of("patch", Resource::StatefulSet).on(Resource::StatefulSet),
        Access::of("get", Resource::DaemonSet).on(Resource::DaemonSet),
        Access::of("patch", Resource::DaemonSet).on(Resource::DaemonSet),
    ];
    const RESTORE: Restore = Restore::None;
    const DEFENCE: &'static [Defence] = &[Defence::ReadBack];

    fn impact(_params: &Params) -> Impact {
        Impact::Rolls
    }

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(&params.target, Footprint::Workload, "restart {target}".to_owned())
    }

    fn arm(host: &mut dyn Host, order: &Order, _params: &Params) -> Result<Undo, FaultError> {
        let object = identity(&order.target)?;
        let found = present(host, object)?;
        if is_ending(&found) || found.pointer("/spec/paused") == Some(&Value::Bool(true)) {
            let why = format!("{} is paused or being deleted: nothing rolls", object.words());
            return Err(FaultError::Foreign(why));
        }
        Ok(Undo { restarted_at: host.wall().to_string() })
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        let began_ns = host.now_ns();
        let annotations = json!({RESTARTED: undo.restarted_at});
        let patch = json!({
            "metadata": {}, "spec": {"template": {"metadata": {"annotations": annotations}}},
        });
        change(host, identity(&order.target)?, &|_| Some(patch.clone()))?;
        Ok(Took { began_ns, effective_ns: host.now_ns() })
    }

    fn revert(_: &mut dyn Host, _: &Target, _: &Undo) -> Result<(), FaultError> {
        Ok(())
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let object = identity(target)?;
        let words = object.words();
        if expect == Expect::Gone {
            return Ok(format!("the rollout of {words} ends by itself; nothing of ours is on it"));
        }
        let found = present(host, object)?;
        let stamp = found.pointer("/spec/template/metadata/annotations").map(|a| &a[RESTARTED]);
        if stamp.is_some_and(|stamp| stamp == undo.restarted_at.as_str()) {
            return Ok(format!("{words} rolls: its pods are older than {}", undo.restarted_at));
        }
        Err(FaultError::Unexpected(format!("{words} was rolled out anew by somebody else")))
    }
}

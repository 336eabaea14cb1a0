//! `podEvict`: a pod is evicted, as a drain or an autoscaler would. The owner's
//! `PodDisruptionBudget` is asked, and its refusal is what there is to learn: it is told as a
//! finding, never asked again, and counts as in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::eviction::{evict, wrong_grace};
use super::object::{identity, is_ending, read, staying};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::units::Span;

/// Evicts a pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    /// How long its containers may take to stop, in whole seconds; the pod's own
    /// `terminationGracePeriodSeconds` unless told.
    #[serde(default)]
    pub grace: Option<Span>,
}

/// An eviction leaves nothing to undo: the target says which pod it was.
#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {}

pub struct PodEvict;

impl FaultKind for PodEvict {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "podEvict";
    const SUMMARY: &'static str = "evicts a pod, if its budget allows";
    const EXAMPLE: &'static str = "podEvict: {target: web}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] = &[Resource::Pod];
    const ASKS: &'static [Access] = &[
        Access::of("get", Resource::Pod),
        Access::of("create", Resource::Pod).subresource("eviction"),
    ];
    const RESTORE: Restore = Restore::None;
    const DEFENCE: &'static [Defence] = &[Defence::ReadBack];

    fn impact(params: &Params) -> Impact {
        Impact::Ends { grace: params.grace, forced: false }
    }

    fn facts(params: &Params) -> StepFacts {
        let how = params.grace.map(|grace| format!(", grace {grace}")).unwrap_or_default();
        Self::on_target(&params.target, Footprint::Pod, format!("evict pod {{target}}{how}"))
    }

    fn faults_of(params: &Params) -> Vec<String> {
        wrong_grace(params.grace)
    }

    fn arm(host: &mut dyn Host, order: &Order, _params: &Params) -> Result<Undo, FaultError> {
        staying(host, &order.target)?;
        Ok(Undo {})
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        params: &Params,
        _undo: &Undo,
    ) -> Result<Took, FaultError> {
        let began_ns = host.now_ns();
        evict(host, identity(&order.target)?, params.grace.map(|grace| grace.0.as_secs()))?;
        Ok(Took { began_ns, effective_ns: host.now_ns() })
    }

    fn revert(_: &mut dyn Host, _: &Target, _: &Undo) -> Result<(), FaultError> {
        Ok(())
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        _undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        let object = identity(target)?;
        if expect == Expect::Gone {
            return Ok(format!("nothing of ours is on {}", object.words()));
        }
        Ok(match read(host, object)? {
            None => format!("{} is gone", object.words()),
            Some(found) if is_ending(&found) => format!("{} is being evicted", object.words()),
            // What the server took in is never without a trace: it must have refused.
            Some(_) => format!("{} is where it was", object.words()),
        })
    }
}

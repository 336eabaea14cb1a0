//! `podDelete`: a pod is deleted through the API server. Squall cannot bring it back; the plan says
//! who is relied on to do so.
//!
//! In force from the moment at which the server has taken the deletion in: endpoints are dropped
//! and the container is told to stop from then on. How long the container may take is `grace`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::object::{delete_options, identity, is_ending, read, staying};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::HostError;
use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::units::Span;

/// Deletes a pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    /// How long its containers may take to stop, in whole seconds; the pod's own
    /// `terminationGracePeriodSeconds` unless told.
    #[serde(default)]
    pub grace: Option<Span>,
    /// Take it from the API server at once, whether or not its containers still run: as when its
    /// node is lost.
    #[serde(default)]
    pub force: bool,
}

/// A deletion leaves nothing to undo: the target says which pod it was.
#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {}

pub struct PodDelete;

impl FaultKind for PodDelete {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "podDelete";
    const SUMMARY: &'static str = "deletes a pod";
    const EXAMPLE: &'static str = "podDelete: {target: web, grace: 1s}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] = &[Resource::Pod];
    const ASKS: &'static [Access] =
        &[Access::of("get", Resource::Pod), Access::of("delete", Resource::Pod)];
    const RESTORE: Restore = Restore::None;
    const DEFENCE: &'static [Defence] = &[Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        let how = match (params.force, params.grace) {
            (true, _) => ", by force".to_owned(),
            (false, Some(grace)) => format!(", grace {grace}"),
            (false, None) => String::new(),
        };
        Self::on_target(&params.target, Footprint::Pod, format!("delete pod {{target}}{how}"))
    }

    fn impact(params: &Params) -> Impact {
        Impact::Ends { grace: params.grace, forced: params.force }
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let mut wrong = Vec::new();
        if params.grace.is_some_and(|grace| grace.0.subsec_nanos() != 0) {
            wrong.push("a grace is in whole seconds; write `1s`, or `force: true`".to_owned());
        }
        if params.force && params.grace.is_some() {
            wrong.push("`force` leaves no grace; take one of the two out".to_owned());
        }
        wrong
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
        let object = identity(&order.target)?;
        let grace = if params.force { Some(0) } else { params.grace.map(|g| g.0.as_secs()) };
        let began_ns = host.now_ns();
        let options = delete_options(object, grace);
        let request = ApiRequest::new(ApiVerb::Delete, object.path()).body(options);
        match host.ask(&object.cluster, &request) {
            // One that is gone by now is as deleted as it can be, though not by us.
            Err(HostError::Gone(_)) => Err(FaultError::Void(format!("{} is gone", object.words()))),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Took { began_ns, effective_ns: host.now_ns() }),
        }
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
        match read(host, object)? {
            None => Ok(format!("{} is gone", object.words())),
            Some(found) if is_ending(&found) => Ok(format!("{} is being deleted", object.words())),
            Some(_) => Err(FaultError::Unexpected(format!("{} is still there", object.words()))),
        }
    }
}

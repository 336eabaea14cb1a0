//! `nodeCordon`: a node takes no new pods. Those on it stay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cordon::{cordon, look, refuse_cordoned, uncordon};
use super::marked::{note, unmarked};
use super::object::identity;
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::mark::Mark;

/// Keeps new pods from a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Undo {
    pub mark: Mark,
}

pub struct NodeCordon;

impl FaultKind for NodeCordon {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "nodeCordon";
    const SUMMARY: &'static str = "keeps new pods from a node";
    const EXAMPLE: &'static str = "nodeCordon: {target: node}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] = &[Resource::Node];
    const ASKS: &'static [Access] =
        &[Access::of("get", Resource::Node), Access::of("patch", Resource::Node)];
    const RESTORE: Restore = Restore::Undo;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(&params.target, Footprint::Node, "cordon {target}".to_owned())
    }

    fn arm(host: &mut dyn Host, order: &Order, _params: &Params) -> Result<Undo, FaultError> {
        let (object, found, mark) = unmarked(host, order)?;
        refuse_cordoned(object, &found)?;
        Ok(Undo { mark })
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
        cordon(host, object, &note)?;
        Ok(Took { began_ns, effective_ns: host.now_ns() })
    }

    fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        uncordon(host, identity(target)?, &undo.mark)
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        look(host, identity(target)?, &undo.mark, expect)
    }
}

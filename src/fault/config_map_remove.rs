//! `configMapRemove`: a `ConfigMap` is taken away for as long as the hold lasts, and put back as it
//! was.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::removal::{self, CARRIER, Undo};
use super::{Access, Capability, Expect, FaultError, FaultKind};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;

/// Takes a `ConfigMap` away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
}

pub struct ConfigMapRemove;

impl FaultKind for ConfigMapRemove {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "configMapRemove";
    const SUMMARY: &'static str = "takes a ConfigMap away";
    const EXAMPLE: &'static str = "configMapRemove: {target: settings}";
    const NEEDS: &'static [Capability] = &[];
    const ON: &'static [Resource] = &[Resource::ConfigMap];
    const ASKS: &'static [Access] = &[
        Access::of("get", Resource::ConfigMap),
        Access::of("create", Resource::ConfigMap),
        Access::of("delete", Resource::ConfigMap),
        CARRIER[0],
        CARRIER[1],
        CARRIER[2],
    ];
    const RESTORE: Restore = Restore::Undo;
    const DEFENCE: &'static [Defence] = &[Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        Self::on_target(&params.target, Footprint::Object, "remove {target}".to_owned())
    }

    fn arm(host: &mut dyn Host, order: &Order, _params: &Params) -> Result<Undo, FaultError> {
        removal::arm(host, order)
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        removal::inject::<Self>(host, order, undo)
    }

    fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        removal::revert(host, target, undo)
    }

    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        removal::verify(host, target, undo, expect)
    }
}

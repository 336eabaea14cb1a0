//! A network fault by what sets it apart: which packets, what happens to them, and its words. The
//! verbs are the same for all of them. Not an entry of the catalogue.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::network_recipe::{self, Packets, Undo};
use super::{Capability, Expect, FaultError, FaultKind, network_witness};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::network::Effect;

/// What a network fault's own file says. It is a [`FaultKind`] by this alone.
pub trait NetworkKind: Sync {
    /// What a user writes under the kind's name.
    type Params: Serialize + DeserializeOwned + JsonSchema;

    const KIND: &'static str;
    const SUMMARY: &'static str;
    const EXAMPLE: &'static str;
    const NEEDS: &'static [Capability];

    /// Name of the target in whose namespace it is.
    fn subject(params: &Self::Params) -> Option<&String>;
    fn packets(params: &Self::Params) -> Packets<'_>;
    fn effect(params: &Self::Params, seed: u64) -> Effect;
    /// One line for the plan; `packets` are the packets in words, with a space in front.
    fn summary(params: &Self::Params, packets: &str) -> String;
    /// What is wrong with the parameters beyond their types, in words.
    fn faults_of(params: &Self::Params) -> Vec<String>;
}

impl<N: NetworkKind> FaultKind for N {
    type Params = N::Params;
    type Undo = Undo;

    const KIND: &'static str = N::KIND;
    const SUMMARY: &'static str = N::SUMMARY;
    const EXAMPLE: &'static str = N::EXAMPLE;
    const NEEDS: &'static [Capability] = N::NEEDS;
    const RESTORE: Restore = Restore::Kernel;
    const DEFENCE: &'static [Defence] =
        &[Defence::Kernel, Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &N::Params) -> StepFacts {
        let packets = N::packets(params);
        StepFacts {
            subjects: N::subject(params).cloned().into_iter().collect(),
            restore: Self::RESTORE,
            defence: Self::DEFENCE.to_vec(),
            footprint: Footprint::Host,
            summary: N::summary(params, &packets.in_words()),
            peers: packets.peers,
        }
    }

    fn impact(params: &N::Params) -> Impact {
        match N::effect(params, 0) {
            Effect::Drop => Impact::Silences,
            Effect::Delay { .. } | Effect::Lose { .. } => Impact::Uncounted,
        }
    }

    fn faults_of(params: &N::Params) -> Vec<String> {
        N::faults_of(params)
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &N::Params) -> Result<Undo, FaultError> {
        network_recipe::arm(host, order, &N::packets(params), N::effect(params, order.seed))
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &N::Params,
        undo: &Undo,
    ) -> Result<Took, FaultError> {
        network_recipe::inject(host, order, undo)
    }

    fn revert(host: &mut dyn Host, target: &Target, undo: &Undo) -> Result<(), FaultError> {
        network_recipe::revert(host, target, undo)
    }

    fn verify(
        host: &mut dyn Host,
        _target: &Target,
        undo: &Undo,
        expect: Expect,
    ) -> Result<String, FaultError> {
        network_witness::verify(host, undo, expect)
    }

    fn lasted(host: &mut dyn Host, _target: &Target, undo: &Undo) -> Result<String, FaultError> {
        network_witness::lasted(host, undo)
    }

    fn glance(host: &mut dyn Host, _target: &Target, undo: &Undo) -> Result<(), FaultError> {
        network_witness::glance(host, undo)
    }
}

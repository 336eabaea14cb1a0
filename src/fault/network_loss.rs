//! `networkLoss`: each packet that arrives at a target is lost with a probability, by itself.
//!
//! Super-packets that the sender's machine made of many segments are taken apart first, so a
//! percentage is one of segments, as on a real wire. That costs throughput while the fault lasts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::network_recipe::{self, Packets, Undo};
use super::{Capability, Expect, FaultError, FaultKind, network_witness};
use crate::host::Host;
use crate::host::network::Took;
use crate::model::binding::Order;
use crate::model::experiment::{Defence, Footprint, Restore, StepFacts};
use crate::model::inventory::Target;
use crate::model::network::{Direction, Effect, Protocol};
use crate::model::units::Percent;

/// Loses some of what arrives at a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    /// Whose packets: names of targets, addresses, blocks. Left out: everyone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    /// Of packets, each by itself.
    pub percent: Percent,
    /// Left out: every protocol over IP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Source or destination port is one of these. Needs `protocol`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

pub struct NetworkLoss;

impl FaultKind for NetworkLoss {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "networkLoss";
    const SUMMARY: &'static str = "loses a share of the packets that arrive at a target";
    const EXAMPLE: &'static str = "networkLoss: {target: primary, percent: 10%}";
    const NEEDS: &'static [Capability] = &[Capability::OwnedTable, Capability::Queue];
    const RESTORE: Restore = Restore::Kernel;
    const DEFENCE: &'static [Defence] =
        &[Defence::Kernel, Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        let peers = network_recipe::peers_of(params.from.as_deref());
        let packets = network_recipe::packets_in_words(&peers, params.protocol, &params.ports);
        StepFacts {
            subjects: vec![params.target.clone()],
            peers,
            restore: Self::RESTORE,
            defence: Self::DEFENCE.to_vec(),
            footprint: Footprint::Host,
            summary: format!("loses {} of what {{target}} gets{packets}", params.percent),
        }
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let from = params.from.as_deref();
        let mut faults = network_recipe::faults_of(from, params.protocol, &params.ports);
        if params.percent.fraction() <= 0.0 {
            faults.push("a loss of 0% does nothing".to_owned());
        }
        faults
    }

    fn arm(host: &mut dyn Host, order: &Order, params: &Params) -> Result<Undo, FaultError> {
        let peers = network_recipe::peers_of(params.from.as_deref());
        let packets = Packets {
            direction: Direction::In,
            protocol: params.protocol,
            ports: &params.ports,
            peers: &peers,
        };
        let effect = Effect::Lose { percent: params.percent, seed: order.seed };
        network_recipe::arm(host, order, packets, effect)
    }

    fn inject(
        host: &mut dyn Host,
        order: &Order,
        _params: &Params,
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultParams;

    #[test]
    fn what_makes_no_sense_is_said() {
        let faults = |yaml: &str| serde_saphyr::from_str::<FaultParams>(yaml).unwrap().faults_of();
        assert_eq!(faults(NetworkLoss::EXAMPLE), [""; 0]);
        assert_eq!(faults("networkLoss: {target: a, percent: 0%}").len(), 1);
        assert_eq!(faults("networkLoss: {target: a, percent: 100%}"), [""; 0]);
    }

    #[test]
    fn the_summary_says_what_it_does() {
        let params: FaultParams = serde_saphyr::from_str(
            "networkLoss: {target: a, from: [b], percent: 2.5%, protocol: udp}",
        )
        .unwrap();
        let summary = params.facts().summary;
        assert_eq!(summary, "loses 2.5% of what {target} gets from b, udp");
    }
}

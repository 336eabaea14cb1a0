//! `networkLoss`: each packet that arrives at a target is lost with a probability, by itself.
//!
//! Super-packets that the sender's machine made of many segments are taken apart first, so a
//! percentage is one of segments, as on a real wire. That costs throughput while the fault lasts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Capability;
use super::network_kind::NetworkKind;
use super::network_recipe::{self, Packets};
use crate::model::network::{Effect, Protocol};
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

impl NetworkKind for NetworkLoss {
    type Params = Params;

    const KIND: &'static str = "networkLoss";
    const SUMMARY: &'static str = "loses a share of the packets that arrive at a target";
    const EXAMPLE: &'static str = "networkLoss: {target: primary, percent: 10%}";
    const NEEDS: &'static [Capability] = &[Capability::OwnedTable, Capability::Queue];

    fn subject(params: &Params) -> Option<&String> {
        Some(&params.target)
    }

    fn packets(params: &Params) -> Packets<'_> {
        Packets::arriving(params.from.as_deref(), params.protocol, &params.ports)
    }

    fn effect(params: &Params, seed: u64) -> Effect {
        Effect::Lose { percent: params.percent, seed }
    }

    fn summary(params: &Params, packets: &str) -> String {
        format!("loses {} of what {{target}} gets{packets}", params.percent)
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let from = params.from.as_deref();
        let mut faults = network_recipe::faults_of(from, params.protocol, &params.ports);
        if params.percent.fraction() <= 0.0 {
            faults.push("a loss of 0% does nothing".to_owned());
        }
        faults
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

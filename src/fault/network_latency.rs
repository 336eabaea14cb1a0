//! `networkLatency`: packets that arrive at a target are held for a time, plus or minus a uniform
//! jitter, and never overtake each other. The mean of a jittered delay is therefore a little above
//! what was asked for, the more so the denser the packets.
//!
//! Only arrival is delayed, so a round trip is longer by `delay` once. Super-packets that the
//! sender's machine made of many segments are held as one.

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
use crate::model::units::Span;

/// Delays what arrives at a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target.
    pub target: String,
    /// Whose packets: names of targets, addresses, blocks. Left out: everyone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    pub delay: Span,
    /// Up to so much more or less, uniformly.
    #[serde(default)]
    pub jitter: Span,
    /// Left out: every protocol over IP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Source or destination port is one of these. Needs `protocol`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

pub struct NetworkLatency;

impl FaultKind for NetworkLatency {
    type Params = Params;
    type Undo = Undo;

    const KIND: &'static str = "networkLatency";
    const SUMMARY: &'static str = "delays packets that arrive at a target, in order";
    const EXAMPLE: &'static str = "networkLatency: {target: primary, delay: 50ms, jitter: 5ms}";
    const NEEDS: &'static [Capability] = &[Capability::OwnedTable, Capability::Queue];
    const RESTORE: Restore = Restore::Kernel;
    const DEFENCE: &'static [Defence] =
        &[Defence::Kernel, Defence::Guardian, Defence::Journal, Defence::ReadBack];

    fn facts(params: &Params) -> StepFacts {
        let peers = network_recipe::peers_of(params.from.as_deref());
        let packets = network_recipe::packets_in_words(&peers, params.protocol, &params.ports);
        let jitter = if params.jitter == Span::ZERO {
            String::new()
        } else {
            format!(" ± {}", params.jitter)
        };
        StepFacts {
            subjects: vec![params.target.clone()],
            peers,
            restore: Self::RESTORE,
            defence: Self::DEFENCE.to_vec(),
            footprint: Footprint::Host,
            summary: format!("delays what {{target}} gets{packets} by {}{jitter}", params.delay),
        }
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let from = params.from.as_deref();
        let mut faults = network_recipe::faults_of(from, params.protocol, &params.ports);
        if params.delay == Span::ZERO {
            faults.push("a delay of nothing does nothing".to_owned());
        }
        if params.jitter > params.delay {
            faults.push("`jitter` is more than `delay`: nothing arrives before it is sent".into());
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
        let effect = Effect::Delay { delay: params.delay, jitter: params.jitter, seed: order.seed };
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
        assert_eq!(faults(NetworkLatency::EXAMPLE), [""; 0]);
        assert_eq!(faults("networkLatency: {target: a, delay: 0s}").len(), 1);
        assert_eq!(faults("networkLatency: {target: a, delay: 5ms, jitter: 6ms}").len(), 1);
        assert_eq!(faults("networkLatency: {target: a, delay: 5ms, jitter: 5ms}"), [""; 0]);
    }

    #[test]
    fn the_summary_says_what_it_does() {
        let params: FaultParams = serde_saphyr::from_str(
            "networkLatency: {target: a, delay: 50ms, jitter: 5ms, protocol: tcp, ports: [80, 81]}",
        )
        .unwrap();
        let summary = params.facts().summary;
        let expected = "delays what {target} gets from everyone, tcp port 80, 81 by 50ms ± 5ms";
        assert_eq!(summary, expected);
    }
}

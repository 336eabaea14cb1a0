//! `networkLatency`: packets that arrive at a target are held for a time, plus or minus a uniform
//! jitter, and never overtake each other. The mean of a jittered delay is therefore a little above
//! what was asked for, the more so the denser the packets.
//!
//! Only arrival is delayed, so a round trip is longer by `delay` once. Super-packets that the
//! sender's machine made of many segments are held as one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Capability;
use super::network_kind::NetworkKind;
use super::network_recipe::{self, Packets};
use crate::model::network::{Effect, Protocol};
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

impl NetworkKind for NetworkLatency {
    type Params = Params;

    const KIND: &'static str = "networkLatency";
    const SUMMARY: &'static str = "delays packets that arrive at a target, in order";
    const EXAMPLE: &'static str = "networkLatency: {target: primary, delay: 50ms, jitter: 5ms}";
    const NEEDS: &'static [Capability] = &[Capability::OwnedTable, Capability::Queue];

    fn subject(params: &Params) -> Option<&String> {
        Some(&params.target)
    }

    fn packets(params: &Params) -> Packets<'_> {
        Packets::arriving(params.from.as_deref(), params.protocol, &params.ports)
    }

    fn effect(params: &Params, seed: u64) -> Effect {
        Effect::Delay { delay: params.delay, jitter: params.jitter, seed }
    }

    fn summary(params: &Params, packets: &str) -> String {
        let jitter = if params.jitter == Span::ZERO {
            String::new()
        } else {
            format!(" ± {}", params.jitter)
        };
        format!("delays what {{target}} gets{packets} by {}{jitter}", params.delay)
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

//! `networkPartition`: packets between a target and others are dropped without a word, established
//! connections too. One way or both, from everyone or from some, on every port or on some.
//!
//! Arriving packets are dropped before anything sees them, leaving ones after they left, so the
//! sender gets no error that a real network would not give. ARP and neighbour discovery pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Capability;
use super::network_kind::NetworkKind;
use super::network_recipe::{self, Packets};
use crate::model::experiment::Peers;
use crate::model::network::{Direction, Effect, Protocol};

/// Cuts a target off from others. Exactly one of `isolate` and `between`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// Name of the target that is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolate: Option<String>,
    /// Whom it is cut off from: names of targets, addresses, blocks. Left out: everyone, clients
    /// included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<String>>,
    /// Two names of targets: every instance of the first is cut off from all of the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Vec<String>>,
    /// Seen from the target.
    #[serde(default)]
    pub direction: Direction,
    /// Left out: every protocol over IP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Source or destination port is one of these. Needs `protocol`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

pub struct NetworkPartition;

impl Params {
    fn peers(&self) -> Peers {
        match self.between.as_deref() {
            Some([_, far]) => Peers::Some { targets: vec![far.clone()], blocks: Vec::new() },
            _ => network_recipe::peers_of(self.from.as_deref()),
        }
    }
}

impl NetworkKind for NetworkPartition {
    type Params = Params;

    const KIND: &'static str = "networkPartition";
    const SUMMARY: &'static str = "drops packets between a target and others, one way or both";
    const EXAMPLE: &'static str =
        "networkPartition: {isolate: primary, from: [replicas, sentinels], direction: both}";
    const NEEDS: &'static [Capability] = &[Capability::OwnedTable, Capability::EgressChain];

    fn subject(params: &Params) -> Option<&String> {
        let near = params.between.as_ref().and_then(|between| between.first());
        params.isolate.as_ref().or(near)
    }

    fn packets(params: &Params) -> Packets<'_> {
        Packets {
            peers: params.peers(),
            direction: params.direction,
            protocol: params.protocol,
            ports: &params.ports,
        }
    }

    fn effect(_params: &Params, _seed: u64) -> Effect {
        Effect::Drop
    }

    fn summary(params: &Params, packets: &str) -> String {
        let way = match params.direction {
            Direction::Both => "both ways",
            Direction::In => "arriving only",
            Direction::Out => "leaving only",
        };
        format!("cuts {{target}} off{packets}, {way}")
    }

    fn faults_of(params: &Params) -> Vec<String> {
        let from = params.from.as_deref();
        let mut faults = network_recipe::faults_of(from, params.protocol, &params.ports);
        match (&params.isolate, params.between.as_deref()) {
            (Some(_), None) => {}
            (None, Some([a, b])) if a == b => {
                faults.push(format!("`between` names `{a}` twice"));
            }
            (None, Some([_, _])) => {
                if from.is_some() {
                    faults.push("`from` belongs to `isolate`; `between` has both ends".to_owned());
                }
                if params.direction != Direction::Both {
                    faults.push("`between` is both ways; use `isolate` for one way".to_owned());
                }
            }
            (None, Some(_)) => faults.push("`between` takes exactly two targets".to_owned()),
            (None, None) => faults.push("say whom: `isolate: TARGET` or `between: [A, B]`".into()),
            (Some(_), Some(_)) => faults.push("`isolate` or `between`, not both".to_owned()),
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultParams;

    fn faults(yaml: &str) -> Vec<String> {
        let params: FaultParams = serde_saphyr::from_str(yaml).unwrap();
        params.faults_of()
    }

    #[test]
    fn isolate_and_between_become_subject_and_peers() {
        let isolate: FaultParams = serde_saphyr::from_str(
            "networkPartition: {isolate: p, from: [r, 10.0.0.0/8, fd66::1]}",
        )
        .unwrap();
        let facts = isolate.facts();
        assert_eq!(facts.subjects, ["p"]);
        let Peers::Some { targets, blocks } = facts.peers else { panic!() };
        assert_eq!((targets, blocks.len()), (vec!["r".to_owned()], 2));
        assert_eq!(facts.summary, "cuts {target} off from r and 10.0.0.0/8 and fd66::1, both ways");
        let between: FaultParams =
            serde_saphyr::from_str("networkPartition: {between: [a, b]}").unwrap();
        let facts = between.facts();
        assert_eq!(facts.subjects, ["a"]);
        assert_eq!(facts.peers, Peers::Some { targets: vec!["b".to_owned()], blocks: vec![] });
        let alone: FaultParams = serde_saphyr::from_str("networkPartition: {isolate: p}").unwrap();
        assert_eq!(alone.facts().peers, Peers::Everyone);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        assert_eq!(faults(NetworkPartition::EXAMPLE), [""; 0]);
        for (yaml, part) in [
            ("networkPartition: {}", "say whom"),
            ("networkPartition: {isolate: a, between: [a, b]}", "not both"),
            ("networkPartition: {between: [a]}", "exactly two"),
            ("networkPartition: {between: [a, a]}", "twice"),
            ("networkPartition: {between: [a, b], direction: in}", "both ways"),
            ("networkPartition: {between: [a, b], from: [c]}", "belongs to"),
            ("networkPartition: {isolate: a, from: []}", "is empty"),
            ("networkPartition: {isolate: a, from: [10.0.0.0/40]}", "not a block"),
            ("networkPartition: {isolate: a, ports: [1]}", "without `protocol`"),
            ("networkPartition: {isolate: a, protocol: tcp, ports: [0]}", "no port 0"),
        ] {
            let found = faults(yaml);
            assert!(found.len() == 1 && found[0].contains(part), "{yaml}: {found:?}");
        }
    }
}

//! An order for any fault of the catalogue, made from the example that it ships with.

use serde_json::Value;
use squall::fault::{Fault, FaultParams};
use squall::model::binding::{Order, PeerHost, PeerSet};
use squall::model::experiment::{Footprint, Peers, StepFacts};
use squall::model::id::{DrillId, InjectionId};
use squall::model::identity::NetnsIdentity;
use squall::model::inventory::{Host, Target};
use squall::model::network::Cidr;
use squall::model::units::Span;

/// Longer than any case: its end is not what ends the fault.
const DEADLINE: Span = Span::secs(60);

/// The fault that no kernel undoes by itself.
pub fn pause() -> &'static dyn Fault {
    squall::fault::find("processPause").unwrap()
}

/// Every fault that hits instances of a lab. Those on objects of a cluster need a cluster: they are
/// tried in `tests/kube-faults`, and said here by name.
pub fn of_labs() -> Vec<&'static dyn Fault> {
    let all = squall::fault::CATALOGUE.iter().copied();
    let (here, elsewhere): (Vec<_>, Vec<_>) = all.partition(|fault| on_hosts(*fault));
    let names: Vec<&str> = elsewhere.iter().map(|fault| fault.kind()).collect();
    println!("  not of labs, see tests/kube-faults: {}", names.join(", "));
    here
}

fn on_hosts(fault: &dyn Fault) -> bool {
    let params: FaultParams = serde_saphyr::from_str(fault.example()).unwrap();
    let here = matches!(params.facts().footprint, Footprint::Process | Footprint::Host);
    assert_eq!(here, fault.on().is_empty(), "{}: footprint and targets differ", fault.kind());
    here
}

/// The first injection of a drill: this fault on that target, with `others` at the far end.
pub fn order(
    fault: &dyn Fault,
    drill: &DrillId,
    target: Target,
    others: &[(Host, NetnsIdentity)],
) -> Order {
    let params: FaultParams = serde_saphyr::from_str(fault.example()).unwrap();
    let facts = params.facts();
    let (kind, mut params) = params.canonical();
    assert_eq!(kind, fault.kind(), "the example is of another fault");
    rename(&mut params, &facts, &target);
    Order {
        injection: InjectionId { drill: drill.clone(), number: 1 },
        step: 0,
        kind: kind.to_owned(),
        params,
        peers: peers(&facts.peers, others),
        target,
        seed: 7,
        deadline: DEADLINE,
    }
}

/// Whomever the example names is our target now.
fn rename(params: &mut Value, facts: &StepFacts, target: &Target) {
    match params {
        Value::String(text) if facts.subjects.contains(text) => text.clone_from(&target.name.0),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, facts, target)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, facts, target)),
        _ => {}
    }
}

fn peers(peers: &Peers, others: &[(Host, NetnsIdentity)]) -> PeerSet {
    let hosts = others
        .iter()
        .map(|(host, netns)| PeerHost { host: host.clone(), netns: netns.clone() })
        .collect();
    let both = |(host, _): &(Host, NetnsIdentity)| [Cidr::host(host.ipv4), Cidr::host(host.ipv6)];
    match peers {
        Peers::None => PeerSet::default(),
        Peers::Everyone => PeerSet { blocks: Vec::new(), hosts },
        Peers::Some { .. } => PeerSet { blocks: others.iter().flat_map(both).collect(), hosts },
    }
}

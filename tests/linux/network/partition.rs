//! A cut: in, out, both; partial; by port; both families; and never more than was asked for.

use squall::host::network::Network;
use squall::model::network::{Direction, PacketFilter, Protocol};

use super::world::{
    FAMILIES, Family, LONG, World, arrived, cut, injection, meet, network, on_port, peers,
};

#[test]
fn each_direction_is_cut_by_itself_in_both_families() {
    let world = World::new();
    let (mut network, drill) = network();
    for (number, (direction, arrives, leaves)) in
        [(Direction::In, 0, 5), (Direction::Out, 5, 0), (Direction::Both, 0, 0)]
            .into_iter()
            .enumerate()
    {
        for family in FAMILIES {
            meet(&network, &world.to_server(family, &world.client));
        }
        let id = injection(&drill, u16::try_from(number).unwrap());
        let everyone = PacketFilter::default();
        network.impair(&world.server.ns, &cut(id.clone(), direction, everyone), LONG).unwrap();
        for family in FAMILIES {
            let there = world.to_server(family, &world.client);
            let back = world.server_to(family, &world.client);
            assert_eq!(arrived(&network, &there), arrives, "{family:?} {direction:?} in");
            assert_eq!(arrived(&network, &back), leaves, "{family:?} {direction:?} out");
        }
        network.relieve(&world.server.ns, &id).unwrap();
        for family in FAMILIES {
            assert_eq!(arrived(&network, &world.to_server(family, &world.client)), 5);
            assert_eq!(arrived(&network, &world.server_to(family, &world.client)), 5);
        }
    }
    assert_eq!(network.ours(&world.server.ns, None).unwrap(), [""; 0]);
}

#[test]
fn a_partial_cut_leaves_the_others_alone() {
    let world = World::new();
    let (mut network, drill) = network();
    let id = injection(&drill, 1);
    let filter = peers(&["10.77.0.0/24", "fd77:0::2"]);
    network.impair(&world.server.ns, &cut(id, Direction::Both, filter), LONG).unwrap();
    for family in FAMILIES {
        assert_eq!(arrived(&network, &world.to_server(family, &world.client)), 0);
        assert_eq!(arrived(&network, &world.server_to(family, &world.client)), 0);
        meet(&network, &world.to_server(family, &world.other));
        assert_eq!(arrived(&network, &world.server_to(family, &world.other)), 5);
    }
}

#[test]
fn peers_of_one_family_leave_the_other_family_alone() {
    let world = World::new();
    let (mut network, drill) = network();
    let filter = peers(&["10.77.0.2"]);
    let id = injection(&drill, 1);
    network.impair(&world.server.ns, &cut(id, Direction::Both, filter), LONG).unwrap();
    meet(&network, &world.to_server(Family::V6, &world.client));
    assert_eq!(arrived(&network, &world.to_server(Family::V4, &world.client)), 0);
}

#[test]
fn a_cut_by_port_is_of_that_port_and_protocol_only() {
    let world = World::new();
    let (mut network, drill) = network();
    let filter = PacketFilter {
        protocol: Some(Protocol::Tcp),
        ports: vec![7777],
        ..PacketFilter::default()
    };
    let id = injection(&drill, 1);
    network.impair(&world.server.ns, &cut(id, Direction::Both, filter), LONG).unwrap();
    for family in FAMILIES {
        let there = || world.to_server(family, &world.client);
        let back = || world.server_to(family, &world.client);
        meet(&network, &there());
        assert_eq!(arrived(&network, &on_port(there(), Protocol::Tcp, 7777)), 0);
        assert_eq!(arrived(&network, &on_port(back(), Protocol::Tcp, 7777)), 0);
        assert_eq!(arrived(&network, &on_port(there(), Protocol::Tcp, 7778)), 5);
        assert_eq!(arrived(&network, &on_port(there(), Protocol::Udp, 7777)), 5);
    }
}

#[test]
fn a_host_is_never_cut_off_from_itself() {
    let world = World::new();
    let (mut network, drill) = network();
    let id = injection(&drill, 1);
    let everyone = PacketFilter::default();
    network.impair(&world.server.ns, &cut(id, Direction::Both, everyone), LONG).unwrap();
    let mut to_itself = world.to_server(Family::V4, &world.client);
    to_itself.from = world.server.ns.clone();
    to_itself.from_address = to_itself.to_address;
    assert_eq!(arrived(&network, &to_itself), 5);
}

#[test]
fn a_refused_impairment_leaves_no_carrier_behind() {
    let world = World::new();
    let (mut network, drill) = network();
    let id = injection(&drill, 1);
    let mut gone = world.server.ns.clone();
    gone.cookie += 1;
    let everyone = PacketFilter::default();
    assert!(network.impair(&gone, &cut(id, Direction::Both, everyone), LONG).is_err());
    assert_eq!(network.ours(&world.server.ns, None).unwrap(), [""; 0]);
}

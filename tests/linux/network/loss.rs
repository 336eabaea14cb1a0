//! Loss: each packet by itself, within what chance allows.

use std::time::Duration;

use squall::host::network::{Canary, Network};

use super::world::{FAMILIES, Family, LONG, World, fly, injection, lose, meet, network};

#[test]
fn loss_is_within_the_binomial_interval() {
    let world = World::new();
    let (mut network, drill) = network();
    for family in FAMILIES {
        meet(&network, &world.to_server(family, &world.client));
    }
    // 99.9 %: 3.29 standard deviations either way, sqrt(2000 * p * (1 - p)) each.
    for (number, percent, least, most) in [(1, 10.0, 156, 244), (2, 50.0, 927, 1073)] {
        let id = injection(&drill, number);
        network.impair(&world.server.ns, &lose(id.clone(), percent), LONG).unwrap();
        for family in FAMILIES {
            let canary = Canary {
                count: 2000,
                spacing: Duration::from_micros(100),
                ..world.to_server(family, &world.client)
            };
            let report = fly(&network, &canary);
            let lost = report.sent as usize - report.delays_ns.len();
            println!("{family:?} {percent} %: {lost} of {}", report.sent);
            assert!((least..=most).contains(&lost), "{family:?} {percent} %: {lost} (seed 42)");
        }
        network.relieve(&world.server.ns, &id).unwrap();
    }
}

#[test]
fn all_is_all_and_none_is_none() {
    let world = World::new();
    let (mut network, drill) = network();
    let canary = Canary { count: 200, ..world.to_server(Family::V4, &world.client) };
    meet(&network, &canary);
    network.impair(&world.server.ns, &lose(injection(&drill, 1), 0.0), LONG).unwrap();
    assert_eq!(fly(&network, &canary).delays_ns.len(), 200);
    network.impair(&world.server.ns, &lose(injection(&drill, 2), 100.0), LONG).unwrap();
    assert_eq!(fly(&network, &canary).delays_ns.len(), 0);
    network.relieve(&world.server.ns, &injection(&drill, 2)).unwrap();
    assert_eq!(fly(&network, &canary).delays_ns.len(), 200);
}

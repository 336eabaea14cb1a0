//! What is bound once stays; what is bound at injection moves with its role.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::*;
use crate::model::experiment::{Pick, Restore};
use crate::model::identity::BootId;
use crate::plan::fixture;

fn name(host: &str) -> InstanceName {
    InstanceName(format!("redis@{host}"))
}

/// The primary is hit twice.
fn plan_of(bind: Bind) -> Plan {
    let mut target = fixture::target("redis", Some("primary"), Pick::One);
    target.bind = bind;
    let step = |at| fixture::step(at, 1, "primary", Restore::Undo);
    fixture::planned(&fixture::experiment(&[("primary", target)], vec![step(0), step(15)]))
}

/// Three redis, of which one is the primary.
fn now(primaries: &[&str]) -> Now {
    let role = |host: &str| {
        let role = if primaries.contains(&host) { "primary" } else { "replica" };
        (name(host), Some(Role(role.into())))
    };
    let target = |host: &str| {
        let boot = BootId("boot".into());
        let netns = NetnsIdentity { path: "/run/netns/r".into(), cookie: 1, boot };
        let host = Host {
            name: host.into(),
            ipv4: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ipv6: IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        let name = name(&host.name);
        let service = "redis".to_owned();
        (
            name.0.clone(),
            Target {
                name,
                service,
                host,
                port: None,
                process: None,
                netns: Some(netns),
                object: None,
            },
        )
    };
    let hosts = ["r1", "r2", "r3"];
    Now {
        targets: hosts.map(target).into(),
        selected: Bound::new(),
        roles: hosts.map(role).into(),
        hosts: Vec::new(),
        for_one: ["primary".to_owned()].into(),
    }
}

fn bound(host: &str) -> Bound {
    Bound::from([("primary".to_owned(), vec![name(host)])])
}

#[test]
fn a_target_that_binds_at_the_start_is_the_same_at_every_step() {
    let plan = plan_of(Bind::Start);
    let (before, after) = (now(&["r1"]), now(&["r2"]));
    let none = Bound::new();
    let kept = at_start(&Known { plan: &plan, now: &before, kept: &none }).unwrap();
    assert_eq!(kept, bound("r1"));
    let known = Known { plan: &plan, now: &after, kept: &kept };
    assert_eq!(subjects(&known, 0), Ok(bound("r1")));
    assert_eq!(subjects(&known, 1), Ok(bound("r1")), "the role has moved, and nobody else is hit");
    let orders = orders(&known, 1, &kept, || (DrillId::from_bits(1), 1)).unwrap();
    assert_eq!(orders[0].target.name, name("r1"));
}

#[test]
fn a_target_that_binds_at_injection_is_whoever_has_the_role_then() {
    let plan = plan_of(Bind::Inject);
    let (before, after, none) = (now(&["r1"]), now(&["r2"]), Bound::new());
    assert!(starting(&plan).is_empty());
    let at = |now| subjects(&Known { plan: &plan, now, kept: &none }, 0);
    assert_eq!(at(&before), Ok(bound("r1")));
    assert_eq!(at(&after), Ok(bound("r2")));
}

#[test]
fn nobody_is_bound_at_the_start_while_two_claim_the_role() {
    let plan = plan_of(Bind::Start);
    let (two, none) = (now(&["r1", "r3"]), Bound::new());
    let contested = at_start(&Known { plan: &plan, now: &two, kept: &none });
    assert!(matches!(contested, Err(Unbound::Contested(_))), "{contested:?}");
}

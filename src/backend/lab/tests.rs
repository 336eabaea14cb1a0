//! Who is meant, and who never is.

use super::*;
use crate::model::identity::BootId;

fn target(service: &str, host: &str) -> Target {
    Target {
        name: InstanceName(format!("{service}@{host}")),
        service: service.to_owned(),
        host: Host {
            name: host.to_owned(),
            ipv4: "10.66.0.11".parse().unwrap(),
            ipv6: "fd66::11".parse().unwrap(),
        },
        port: None,
        process: None,
        netns: NetnsIdentity {
            path: format!("/run/netns/{host}"),
            cookie: 1,
            boot: BootId(String::new()),
        },
    }
}

fn lab() -> Vec<Target> {
    let mut all: Vec<Target> = ["r3", "r1", "r2"].map(|h| target("redis", h)).into();
    all.push(target("proxy", "r1"));
    all
}

fn roles(primary: &str) -> Roles {
    ["r1", "r2"]
        .map(|host| {
            let role = if host == primary { "primary" } else { "replica" };
            (InstanceName(format!("redis@{host}")), Some(Role(role.to_owned())))
        })
        .into_iter()
        .chain([(InstanceName("redis@r3".to_owned()), None)])
        .collect()
}

fn selector(role: Option<&str>, hosts: &[&str]) -> LabSelector {
    LabSelector {
        service: "redis".to_owned(),
        role: role.map(str::to_owned),
        hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
    }
}

fn plan(candidates: &[&str], count: usize) -> PlannedTarget {
    PlannedTarget {
        candidates: candidates.iter().map(|h| InstanceName(format!("redis@{h}"))).collect(),
        chosen: None,
        count,
        rule: String::new(),
    }
}

fn names(chosen: &[Target]) -> Vec<&str> {
    chosen.iter().map(|t| t.name.0.as_str()).collect()
}

fn choice<'a>(s: &'a LabSelector, pick: Pick, planned: &'a PlannedTarget) -> Choice<'a> {
    Choice { selector: s, pick, planned, seed: 1 }
}

#[test]
fn a_role_is_who_has_it_now() {
    let (wanted, all) = (selector(Some("primary"), &[]), plan(&["r1", "r2", "r3"], 1));
    for host in ["r1", "r2"] {
        let chosen = choose(&choice(&wanted, Pick::One, &all), &lab(), &roles(host)).unwrap();
        assert_eq!(names(&chosen), [format!("redis@{host}")]);
    }
}

#[test]
fn nobody_with_the_role_says_who_is_what() {
    let (wanted, all) = (selector(Some("leader"), &["r1"]), plan(&["r1", "r2", "r3"], 1));
    let error = choose(&choice(&wanted, Pick::One, &all), &lab(), &roles("r1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no instance of redis has the role leader and is on r1: redis@r3 gave no answer, \
         redis@r1 is primary, redis@r2 is replica"
    );
}

#[test]
fn one_outside_the_candidates_refuses() {
    let (wanted, few) = (selector(Some("primary"), &[]), plan(&["r2", "r3"], 1));
    let error = choose(&choice(&wanted, Pick::One, &few), &lab(), &roles("r1")).unwrap_err();
    assert_eq!(error, ChoiceError::Outside { instance: InstanceName("redis@r1".to_owned()) });
}

#[test]
fn more_than_the_plan_admits_refuses() {
    let (wanted, all) = (selector(None, &[]), plan(&["r1", "r2", "r3"], 2));
    let error = choose(&choice(&wanted, Pick::All, &all), &lab(), &roles("r1")).unwrap_err();
    assert_eq!(error, ChoiceError::TooMany { found: 3, admitted: 2 });
}

#[test]
fn a_seed_repeats_its_choice_and_reaches_everybody() {
    let (wanted, all) = (selector(None, &[]), plan(&["r1", "r2", "r3"], 1));
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let one = Choice { seed, ..choice(&wanted, Pick::One, &all) };
        let first = choose(&one, &lab(), &Roles::new()).unwrap();
        let mut reordered = lab();
        reordered.reverse();
        assert_eq!(choose(&one, &reordered, &Roles::new()).unwrap(), first, "seed {seed}");
        seen.insert(first[0].name.clone());
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn hosts_narrow_and_a_minority_of_two_is_nobody() {
    let (wanted, all) = (selector(None, &["r1", "r2"]), plan(&["r1", "r2", "r3"], 3));
    let chosen = choose(&choice(&wanted, Pick::All, &all), &lab(), &Roles::new()).unwrap();
    assert_eq!(names(&chosen), ["redis@r1", "redis@r2"]);
    let error = choose(&choice(&wanted, Pick::Minority, &all), &lab(), &Roles::new());
    assert!(matches!(error, Err(ChoiceError::Nothing { .. })));
}

#[test]
fn what_the_plan_chose_is_not_chosen_again() {
    let wanted = selector(None, &[]);
    let fixed = |host: &str| PlannedTarget {
        chosen: Some(vec![InstanceName(format!("redis@{host}"))]),
        ..plan(&["r1", "r2", "r3"], 1)
    };
    for seed in 0..20 {
        let planned = fixed("r2");
        let one = Choice { seed, ..choice(&wanted, Pick::One, &planned) };
        assert_eq!(names(&choose(&one, &lab(), &Roles::new()).unwrap()), ["redis@r2"]);
    }
    let error = choose(&choice(&wanted, Pick::One, &fixed("r9")), &lab(), &Roles::new());
    assert!(matches!(error, Err(ChoiceError::Absent { .. })));
}

#[test]
fn every_instance_with_a_role_is_watched_in_its_own_namespace() {
    let spec: LabSpec = serde_saphyr::from_str(
        "title: t
services:
  redis:
    hosts: [r1, r2]
    command: [x]
    port: 6379
    role: {ask: {tcp: {expect: r}}, roles: [{role: primary, matches: m}]}
  etcd:
    hosts: [e1]
    command: [x]
    port: 2379
    role: {ask: {http: {path: /, port: 81}}, roles: []}
  proxy: {hosts: [p], command: [x], port: 1}
",
    )
    .unwrap();
    let layout = Layout::of(&spec).unwrap();
    let hosts: Vec<(Host, NetnsIdentity)> =
        layout.hosts.iter().map(|h| (h.clone(), target("x", &h.name).netns)).collect();
    let watches = role_watches(&spec, &layout, &hosts).unwrap();
    let seen: Vec<(&str, u16, &str)> =
        watches.iter().map(|w| (w.instance.0.as_str(), w.port, w.netns.path.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("etcd@e1", 81, "/run/netns/e1"),
            ("redis@r1", 6379, "/run/netns/r1"),
            ("redis@r2", 6379, "/run/netns/r2"),
        ]
    );
    assert!(role_watches(&spec, &layout, &hosts[..2]).is_err());
}

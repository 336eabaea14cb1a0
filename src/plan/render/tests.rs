//! Plans as people read them, kept as snapshots beside `tests/plans/`.

use super::{Style, text};
use crate::model::expectation::Impact;
use crate::model::experiment::{Bind, Experiment, Footprint, Peers, Pick, Restore};
use crate::model::inventory::InstanceName;
use crate::model::units::Span;
use crate::plan::fixture::{
    cluster, experiment, in_cluster, lab, nodes_of, planned, pod, pods_of, primary_loss, step,
    target,
};
use crate::plan::plan;

#[test]
fn a_kill_of_whoever_is_primary() {
    insta::assert_snapshot!(text(&planned(&primary_loss()), Style::Plain));
}

#[test]
fn a_partition_and_a_pause_of_the_chosen() {
    let mut one = target("redis", Some("primary"), Pick::One);
    one.bind = Bind::Start;
    let targets = [
        ("primary", one),
        ("replicas", target("redis", Some("replica"), Pick::All)),
        ("voters", target("sentinel", None, Pick::Minority)),
    ];
    let mut cut = step(2, 4, "primary", Restore::Kernel);
    cut.kind = "networkPartition".into();
    cut.facts.summary = "cut {target} off, both ways".into();
    cut.facts.peers = Peers::Some {
        targets: vec!["replicas".into(), "client".into()],
        blocks: vec!["10.9.0.0/16".parse().unwrap()],
    };
    let pause = step(0, 1, "voters", Restore::Undo);
    let mut declared = experiment(&targets, vec![cut, pause]);
    declared.stop_conditions = declared.hypothesis.clone();
    let mut plan = planned(&declared);
    plan.policies.insert("production".into(), "p1".into());
    insta::assert_snapshot!(text(&plan, Style::Plain));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plan = planned(&primary_loss());
    let coloured = text(&plan, Style::Colour);
    assert_ne!(coloured, text(&plan, Style::Plain));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), text(&plan, Style::Plain));
}

/// What a person reads in ten seconds, also where a hundred pods are found.
#[test]
fn pods_of_a_cluster_that_are_followed() {
    let mut many = cluster(&[]);
    let names: Vec<String> = (0..103).map(|n| format!("web-{n:03}")).collect();
    many.population.retain(|candidate| candidate.service != "deployment web/web");
    many.population.extend(names.iter().map(|name| pod(name, "web", "n2", Some("z2"))));
    many.population.sort_by(|a, b| a.name.cmp(&b.name));
    let found = names.iter().map(|name| InstanceName(format!("web/{name}"))).collect();
    many.found.insert("web".into(), found);
    let timers = [("deployment web/web.grace", 5)];
    many.timers = timers.map(|(name, s)| (name.to_owned(), Span::secs(s))).into();
    let mut web = pods_of("web", Pick::Count(8));
    web.follow = true;
    let mut harm = step(0, 20, "web", Restore::None);
    harm.kind = "podDelete".into();
    harm.facts.footprint = Footprint::Pod;
    harm.facts.summary = "delete pod {target}".into();
    harm.impact = Impact::Ends { grace: None, forced: false };
    let declared = Experiment {
        environment: Some("staging".into()),
        lab: None,
        ..experiment(&[("web", web)], vec![harm])
    };
    let plan = plan(in_cluster(&declared, many)).unwrap();
    insta::assert_snapshot!(text(&plan, Style::Plain));
}

#[test]
fn a_node_of_a_cluster_that_is_drained() {
    let mut harm = step(0, 20, "node", Restore::Undo);
    harm.kind = "nodeDrain".into();
    harm.facts.footprint = Footprint::Node;
    harm.facts.summary = "drain {target}".into();
    harm.impact = Impact::Ends { grace: None, forced: false };
    let declared = Experiment {
        environment: Some("staging".into()),
        ..experiment(&[("node", nodes_of(&["z1", "z2"], Pick::PerZone))], vec![harm])
    };
    let found: [(&str, &[&str]); 1] = [("node", &["node/n1", "node/n2"])];
    insta::assert_snapshot!(text(
        &plan(in_cluster(&declared, cluster(&found))).unwrap(),
        Style::Plain
    ));
}

#[test]
fn whoever_looks_from_elsewhere_is_shown_and_must_be_a_host_of_the_lab() {
    let probe = |from: Option<&str>| -> crate::model::experiment::ProbeSpec {
        let spec = serde_json::json!({"kind": "tcp", "params": {}, "rate": "1/s",
            "deadline": "1s", "steady": true, "slo": null, "from": from});
        serde_json::from_value(spec).unwrap()
    };
    let mut declared = primary_loss();
    declared.probes.insert("edge".into(), probe(None));
    assert!(!text(&planned(&declared), Style::Plain).contains("looks"));
    declared.probes.insert("app".into(), probe(Some("r2")));
    let page = text(&planned(&declared), Style::Plain);
    assert!(page.contains("  looks     app from r2, edge from the client\n"), "{page}");
    declared.probes.insert("far".into(), probe(Some("r9")));
    let input = crate::plan::PlanInput {
        experiment: &declared,
        source: planned(&primary_loss()).source,
        lab: Some(lab()),
        clusters: Vec::new(),
        seed: 1,
        policies: std::collections::BTreeMap::new(),
        warnings: Vec::new(),
    };
    let errors = crate::plan::plan(input).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let (said, place) = (errors[0].to_string(), errors[0].place());
    assert!(said.contains("no host `r9`") && said.contains("client, r1"), "{said}");
    assert_eq!(place, "spec.probes.far");
}

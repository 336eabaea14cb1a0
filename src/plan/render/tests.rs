//! Plans as people read them, kept as snapshots beside `tests/plans/`.

use super::{Style, text};
use crate::model::experiment::{Bind, Peers, Pick, Restore};
use crate::plan::fixture::{experiment, lab, planned, primary_loss, step, target};

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

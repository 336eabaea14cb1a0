//! Plans as people read them, kept as snapshots beside `tests/plans/`.

use super::{Style, text};
use crate::model::experiment::{Bind, Peers, Pick, Restore};
use crate::plan::fixture::{experiment, planned, primary_loss, step, target};

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

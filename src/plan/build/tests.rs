//! What a plan promises: the same from the same, everything in its digest, every error at once,
//! and roles that bind late but never outside the candidates.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::experiment::{Bind, Experiment, Peers, Pick, Restore};
use crate::model::inventory::InstanceName;
use crate::model::plan::Plan;
use crate::model::units::{Percent, Rate};
use crate::plan::fixture::{experiment, input, planned, primary_loss, step, target};
use crate::plan::{BindError, bind, digest, far_end, plan};

fn names(names: &[&str]) -> Vec<InstanceName> {
    names.iter().map(|n| InstanceName((*n).to_owned())).collect()
}

fn errors(experiment: &Experiment) -> Vec<String> {
    let wrong = plan(input(experiment)).unwrap_err();
    wrong.iter().map(|e| format!("{}: {e}", e.place())).collect()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (one, two) = (planned(&primary_loss()), planned(&primary_loss()));
    assert_eq!(serde_json::to_vec(&one).unwrap(), serde_json::to_vec(&two).unwrap());
    assert!(digest::holds(&one));
}

#[test]
fn every_leaf_of_a_plan_is_in_its_digest() {
    let plan = planned(&primary_loss());
    let value = serde_json::to_value(&plan).unwrap();
    let mut leaves = Vec::new();
    collect(&value, String::new(), &mut leaves);
    let mut counted = 0;
    for leaf in leaves {
        let mut changed = value.clone();
        let place = changed.pointer_mut(&leaf).unwrap();
        *place = match place.take() {
            // Text that reads as a duration, an address or a pick must stay one.
            Value::String(text) => match text.strip_suffix('s') {
                Some(number) if number.parse::<u32>().is_ok() => json!(format!("1{text}")),
                _ => json!(format!("{text}x")),
            },
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            other => other,
        };
        // Where another value of the type cannot be told by its text, the leaf is left out.
        let Ok(changed) = serde_json::from_value::<Plan>(changed) else { continue };
        let free = ["/digest", "/source/path", "/lab/path"].contains(&leaf.as_str());
        assert_eq!(digest::of_plan(&changed).unwrap() == plan.digest, free, "{leaf}");
        counted += 1;
    }
    assert!(counted > 60, "{counted}");
}

fn collect(value: &Value, place: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                collect(value, format!("{place}/{key}"), leaves);
            }
        }
        Value::Array(items) => {
            for (number, value) in items.iter().enumerate() {
                collect(value, format!("{place}/{number}"), leaves);
            }
        }
        Value::Null | Value::Bool(_) => {}
        Value::String(_) | Value::Number(_) => leaves.push(place),
    }
}

#[test]
fn what_people_approve_outlives_candidates_and_seed_but_not_text_lab_policy_or_ceiling() {
    let experiment = primary_loss();
    let approved = planned(&experiment).intent_digest;
    let mut other = input(&experiment);
    other.seed = 7;
    let lab = other.lab.as_mut().unwrap();
    lab.candidates.retain(|c| c.name.0 != "redis@r3");
    assert_eq!(plan(other).unwrap().intent_digest, approved);

    let mut text = input(&experiment);
    text.source.sha256 = "e2".into();
    assert_ne!(plan(text).unwrap().intent_digest, approved);
    let mut stand = input(&experiment);
    stand.lab.as_mut().unwrap().sha256 = "1ac".into();
    assert_ne!(plan(stand).unwrap().intent_digest, approved);
    let mut policy = input(&experiment);
    policy.policies.insert("ci".into(), "c1".into());
    assert_ne!(plan(policy).unwrap().intent_digest, approved);
    let mut more = primary_loss();
    more.targets.get_mut("primary").unwrap().pick = Pick::Count(2);
    assert_ne!(planned(&more).intent_digest, approved);
    let mut longer = primary_loss();
    longer.method[0].hold.0 *= 2;
    assert_ne!(planned(&longer).intent_digest, approved);
}

#[test]
fn what_people_approve_is_the_experiment_as_it_was_filled() {
    // All of these have one text and one ceiling, as a template's values make them.
    let approved = planned(&primary_loss()).intent_digest;
    let other = |change: &dyn Fn(&mut Experiment)| {
        let mut filled = primary_loss();
        change(&mut filled);
        planned(&filled)
    };
    let role = other(&|e| {
        let selector = e.targets.get_mut("primary").unwrap().selector.lab_mut().unwrap();
        selector.role = Some("replica".into());
    });
    assert_eq!(role.blast_radius, planned(&primary_loss()).blast_radius);
    assert_ne!(role.intent_digest, approved);
    let fault = other(&|e| e.method[0].params = json!({"target": "primary", "signal": "TERM"}));
    assert_ne!(fault.intent_digest, approved);
    let claim = other(&|e| e.hypothesis[0].params["atMost"] = json!("1h"));
    assert_ne!(claim.intent_digest, approved);
}

#[test]
fn another_target_moves_no_choice() {
    let sentinel = || ("voters", target("sentinel", None, Pick::Minority));
    let pause = || step(0, 1, "voters", Restore::Undo);
    for seed in 0..20 {
        let alone = experiment(&[sentinel()], vec![pause()]);
        let targets = [("first", target("nginx", None, Pick::One)), sentinel()];
        let joined = experiment(&targets, vec![pause(), step(0, 1, "first", Restore::Undo)]);
        let chosen = |experiment: &Experiment| {
            let mut input = input(experiment);
            input.seed = seed;
            plan(input).unwrap().targets["voters"].chosen.clone()
        };
        assert_eq!(chosen(&alone), chosen(&joined));
    }
}

#[test]
fn a_role_is_left_open_and_anything_else_is_chosen() {
    let targets = [
        ("primary", target("redis", Some("primary"), Pick::One)),
        ("web", target("nginx", None, Pick::All)),
    ];
    let method = vec![step(0, 8, "primary", Restore::None), step(0, 8, "web", Restore::None)];
    let plan = planned(&experiment(&targets, method));
    assert_eq!(plan.targets["primary"].chosen, None);
    assert_eq!(plan.targets["primary"].candidates, names(&["redis@r1", "redis@r2", "redis@r3"]));
    assert_eq!(plan.targets["web"].chosen, Some(names(&["nginx@r1", "nginx@r2"])));
    assert_eq!(
        plan.steps[1].defence,
        "cannot be undone; relies on: nginx is restarted after 2s, nothing of nginx is left to \
         take over"
    );
    assert_eq!(
        plan.warnings,
        ["all 2 nginx may be hit at one moment: nothing is left to take over"]
    );
}

#[test]
fn steps_stand_in_the_order_of_their_times() {
    let primary = [("primary", target("redis", Some("primary"), Pick::One))];
    let late = step(9, 1, "primary", Restore::Undo);
    let plan = planned(&experiment(&primary, vec![late, step(0, 1, "primary", Restore::Undo)]));
    assert_eq!(plan.steps.iter().map(|s| s.step).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(plan.steps[0].deadline.to_string(), "4s");
}

#[test]
fn what_the_reader_warned_of_stays() {
    let experiment = primary_loss();
    let mut input = input(&experiment);
    input.warnings = vec!["said before".into()];
    assert_eq!(plan(input).unwrap().warnings, ["said before"]);
}

#[test]
fn a_method_without_a_step_is_a_plan_that_hits_nothing() {
    let hollow = experiment(&[("t", target("redis", None, Pick::One))], vec![]);
    let plan = planned(&hollow);
    assert_eq!((plan.steps.len(), plan.blast_radius.instances), (0, 0));
    assert_eq!(plan.blast_radius.longest_drill.to_string(), "45s");
    let text = crate::plan::render::text(&plan, crate::plan::Style::Plain);
    assert!(text.contains("none: nothing will be broken") && text.contains("nothing is hit"));
}

#[test]
fn every_error_is_said_at_once_with_its_place() {
    let mut elsewhere = target("redis", None, Pick::One);
    let selector = elsewhere.selector.lab_mut().unwrap();
    selector.hosts = vec!["s1".into()];
    let mut nowhere = target("redis", None, Pick::One);
    let selector = nowhere.selector.lab_mut().unwrap();
    selector.hosts = vec!["moon".into()];
    let mut web = target("nginx", None, Pick::Minority);
    let selector = web.selector.lab_mut().unwrap();
    selector.hosts = vec!["r1".into()];
    let targets = [
        ("cache", target("redsi", None, Pick::One)),
        ("elsewhere", elsewhere),
        ("fine", target("redis", Some("primary"), Pick::One)),
        ("nowhere", nowhere),
        ("web", web),
    ];
    let mut cut = step(0, 1, "fine", Restore::Kernel);
    cut.facts.peers =
        Peers::Some { targets: vec!["stranger".into(), "web".into()], blocks: vec![] };
    let mut empty = step(0, 1, "fine", Restore::Kernel);
    empty.facts.subjects.clear();
    let method = vec![cut, step(0, 1, "nobody", Restore::Undo), empty];
    let said = errors(&experiment(&targets, method));
    assert_eq!(said.len(), 7, "{said:#?}");
    assert!(said[0].starts_with("spec.targets.cache: ") && said[0].contains("nginx, redis"));
    assert!(said[1].contains("finds nothing: redis on s1"));
    assert!(said[2].contains("no host `moon`"));
    assert!(said[3].contains("minority of 1 candidates is none"));
    assert!(said[4].starts_with("spec.method[0]: ") && said[4].contains("`stranger`"));
    assert!(said[5].starts_with("spec.method[1]: ") && said[5].contains("`nobody`"));
    assert!(said[6].starts_with("spec.method[2]: "));
}

#[test]
fn no_lab_is_an_error() {
    let nothing = experiment(&[("t", target("redis", None, Pick::One))], vec![]);
    let mut input = input(&nothing);
    input.lab = None;
    let said = plan(input).unwrap_err();
    assert_eq!(said.len(), 1);
    assert!(said[0].to_string().contains("there is none; name one under `spec.lab`"));
}

fn cut_from(peers: &[&str], blocks: &[&str]) -> Experiment {
    let targets = [
        ("primary", target("redis", Some("primary"), Pick::One)),
        ("replicas", target("redis", Some("replica"), Pick::All)),
        ("web", target("nginx", None, Pick::All)),
    ];
    let mut cut = step(0, 4, "primary", Restore::Kernel);
    cut.facts.peers = Peers::Some {
        targets: peers.iter().map(|p| (*p).to_owned()).collect(),
        blocks: blocks.iter().map(|b| b.parse().unwrap()).collect(),
    };
    experiment(&targets, vec![cut])
}

#[test]
fn nobody_is_its_own_peer() {
    let plan = planned(&cut_from(&["replicas", "web", "client"], &["10.9.0.0/16"]));
    let subject = InstanceName("redis@r1".into());
    let end = far_end(&plan, 0, &subject).unwrap().unwrap();
    let hosts: Vec<&str> = end.hosts.iter().map(|h| h.name.as_str()).collect();
    // nginx@r1 lives on the subject's own host: its loopback is not cut either.
    assert_eq!(hosts, ["client", "r2", "r3"]);
    let blocks: Vec<String> = end.blocks.iter().map(ToString::to_string).collect();
    let both = ["10.9.0.0/16", "10.66.0.10", "10.66.0.11"];
    assert!(both[..2].iter().all(|b| blocks.contains(&(*b).to_owned())), "{blocks:?}");
    assert_eq!(blocks.len(), 1 + 2 * 3, "both families: {blocks:?}");
    let own = &plan.lab.as_ref().unwrap().hosts.iter().find(|h| h.name == "r1").unwrap().ipv4;
    assert!(!blocks.contains(&own.to_string()));
}

#[test]
fn a_block_names_the_hosts_inside_it_for_canaries() {
    let plan = planned(&cut_from(&[], &["10.66.0.0/24"]));
    let end = far_end(&plan, 0, &InstanceName("redis@r1".into())).unwrap().unwrap();
    assert_eq!(end.blocks.len(), 1);
    assert_eq!(end.hosts.len(), 6, "client and five others: {:?}", end.hosts);
    let plan = planned(&cut_from(&[], &["10.67.0.0/24"]));
    let end = far_end(&plan, 0, &InstanceName("redis@r1".into())).unwrap().unwrap();
    assert!(end.hosts.is_empty() && end.blocks.len() == 1);
}

#[test]
fn a_far_end_that_comes_out_empty_is_an_error_and_never_everyone() {
    let mut only_itself = cut_from(&["alone"], &[]);
    let mut alone = target("redis", None, Pick::One);
    let selector = alone.selector.lab_mut().unwrap();
    selector.hosts = vec!["r2".into()];
    only_itself.targets.insert("alone".into(), alone);
    let said = errors(&only_itself);
    assert_eq!(said.len(), 1, "only when r2 is hit: {said:?}");
    assert!(said[0].contains("nobody is left at the far end when redis@r2 is hit"), "{said:?}");
    assert_eq!(errors(&cut_from(&[], &[])).len(), 3, "one for each that may be hit");
}

#[test]
fn everyone_is_an_empty_list_and_no_far_end_is_none() {
    let mut all = cut_from(&[], &[]);
    all.method[0].facts.peers = Peers::Everyone;
    let end = far_end(&planned(&all), 0, &InstanceName("redis@r1".into())).unwrap().unwrap();
    assert!(end.blocks.is_empty());
    assert_eq!(end.hosts.len(), 6);
    let none = far_end(&planned(&primary_loss()), 0, &InstanceName("redis@r1".into()));
    assert_eq!(none, Ok(None));
}

#[test]
fn a_role_binds_to_a_candidate_or_not_at_all() {
    let plan = planned(&primary_loss());
    assert_eq!(bind(&plan, "primary", &names(&["redis@r2"])), Ok(names(&["redis@r2"])));
    assert!(matches!(bind(&plan, "primary", &[]), Err(BindError::Nobody { .. })));
    let stranger = bind(&plan, "primary", &names(&["redis@r9"])).unwrap_err().to_string();
    assert!(stranger.contains("redis@r9 is primary now, but was no candidate"), "{stranger}");
    assert!(matches!(bind(&plan, "nobody", &[]), Err(BindError::UnknownTarget(_))));
}

#[test]
fn a_choice_among_those_with_the_role_is_seeded_and_within_the_ceiling() {
    let half = target("redis", Some("replica"), Pick::Share(Percent(50.0)));
    let plan = planned(&experiment(&[("r", half)], vec![step(0, 1, "r", Restore::Undo)]));
    assert_eq!(plan.targets["r"].count, 1);
    let two = names(&["redis@r3", "redis@r1"]);
    let bound = bind(&plan, "r", &two).unwrap();
    assert_eq!((bound.len(), bind(&plan, "r", &two).unwrap()), (1, bound.clone()));

    let two = target("redis", Some("replica"), Pick::Count(2));
    let plan = planned(&experiment(&[("r", two)], vec![step(0, 1, "r", Restore::Undo)]));
    let too_few = bind(&plan, "r", &names(&["redis@r1"])).unwrap_err();
    assert!(matches!(too_few, BindError::TooFew { found: 1, .. }), "{too_few}");
    assert!(too_few.to_string().contains("2 were to be hit"), "{too_few}");
    assert_eq!(bind(&plan, "r", &names(&["redis@r1", "redis@r3"])).unwrap().len(), 2);

    let few = target("redis", Some("replica"), Pick::Minority);
    let plan = planned(&experiment(&[("r", few)], vec![step(0, 1, "r", Restore::Undo)]));
    assert!(matches!(
        bind(&plan, "r", &names(&["redis@r1"])),
        Err(BindError::PicksNothing { found: 1, .. })
    ));
}

#[test]
fn what_the_plan_chose_stays_chosen() {
    let fixed = target("nginx", None, Pick::One);
    let plan = planned(&experiment(&[("web", fixed)], vec![step(0, 1, "web", Restore::Undo)]));
    let chosen = plan.targets["web"].chosen.clone().unwrap();
    assert_eq!(bind(&plan, "web", &names(&["nginx@r1", "nginx@r2"])), Ok(chosen));
}

#[test]
fn the_rule_says_when_a_role_is_asked() {
    let mut early = primary_loss();
    early.targets.get_mut("primary").unwrap().bind = Bind::Start;
    let rule = planned(&early).targets["primary"].rule.clone();
    assert!(rule.ends_with("whose role is primary as the method begins"), "{rule}");
}

proptest! {
    /// A plan that is written and read back has the same digest, whatever its numbers.
    #[test]
    fn a_plan_survives_its_file(
        seed: u64,
        nanos: u64,
        per_minute in 1_u32..60_000,
        share in 0.0..100.0,
    ) {
        let mut experiment = primary_loss();
        experiment.probes.insert("p".into(), crate::model::experiment::ProbeSpec {
            kind: "tcp".into(),
            params: json!({"weight": share}),
            rate: Rate(f64::from(per_minute) / 60.0),
            deadline: crate::model::units::Span(std::time::Duration::from_nanos(nanos)),
            steady: true,
            slo: Some(Percent(share)),
            from: None,
        });
        let mut input = input(&experiment);
        input.seed = seed;
        let plan = plan(input).unwrap();
        let text = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        prop_assert!(digest::holds(&read));
    }
}

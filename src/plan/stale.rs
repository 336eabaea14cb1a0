//! Is a plan that was kept still what would be planned today?

use std::collections::{BTreeMap, BTreeSet};

use crate::model::cluster::PlannedCluster;
use crate::model::inventory::InstanceName;
use crate::model::plan::{PLAN_VERSION, Plan};

use super::diff;
use super::digest;
use super::style::{Style, shortened};

/// How many lines of a difference that nothing else explains are shown.
const SHOWN: usize = 5;
/// How many candidates that came or went are named.
const MANY: usize = 12;

/// Compares a kept plan with one made afresh from the same files with the kept plan's seed.
/// Errors: everything that changed since, each in words; an edited plan is one of them.
pub fn check_stale(kept: &Plan, fresh: &Plan) -> Result<(), Vec<String>> {
    let mut changed = Vec::new();
    if kept.version != PLAN_VERSION {
        changed.push(format!(
            "the plan has format {}, this squall writes {PLAN_VERSION}",
            kept.version
        ));
    }
    if !digest::holds(kept) {
        changed.push("the plan was edited: its content is not what its digest says".to_owned());
    }
    if kept.source.sha256 != fresh.source.sha256 {
        changed.push(format!("the experiment {} changed", fresh.source.path));
    }
    changed.extend(lab(kept, fresh));
    changed.extend(clusters(kept, fresh));
    for name in both(&kept.targets, &fresh.targets) {
        changed.extend(candidates(name, kept, fresh));
    }
    for name in both(&kept.policies, &fresh.policies) {
        changed.extend(match (kept.policies.get(name), fresh.policies.get(name)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(_), Some(_)) => Some(format!("the policy `{name}` changed")),
            (Some(_), None) => Some(format!("the policy `{name}` is not in force any more")),
            (None, _) => Some(format!("the policy `{name}` is in force now")),
        });
    }
    if kept.seed != fresh.seed {
        changed.push(format!("the seed is {} instead of {}", fresh.seed, kept.seed));
    }
    if changed.is_empty() && kept.digest != fresh.digest {
        changed.push(unexplained(kept, fresh));
    }
    if changed.is_empty() { Ok(()) } else { Err(changed) }
}

fn lab(kept: &Plan, fresh: &Plan) -> Option<String> {
    match (&kept.lab, &fresh.lab) {
        (Some(old), Some(new)) if old.name != new.name => {
            Some(format!("the lab is {} instead of {}", new.name, old.name))
        }
        (Some(old), Some(new)) if old.sha256 != new.sha256 => {
            Some(format!("the lab {} changed", new.path))
        }
        (Some(old), None) => Some(format!("the lab {} is gone", old.name)),
        (None, Some(new)) => Some(format!("the lab {} takes the place of no lab", new.name)),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// A context is a name in somebody's file; the UID says whether it still leads where it did.
fn clusters(kept: &Plan, fresh: &Plan) -> Vec<String> {
    let by_context = |plan: &Plan| -> BTreeMap<String, PlannedCluster> {
        plan.clusters.iter().map(|c| (c.cluster.context.clone(), c.clone())).collect()
    };
    let (old, new) = (by_context(kept), by_context(fresh));
    let mut changed = Vec::new();
    for context in both(&old, &new) {
        changed.extend(match (old.get(context), new.get(context)) {
            (Some(old), Some(new)) if old.cluster.uid != new.cluster.uid => vec![format!(
                "context {context} leads to cluster {}, the plan was made for {}",
                new.cluster.uid, old.cluster.uid
            )],
            (Some(old), Some(new)) => {
                let version = (old.version != new.version).then(|| {
                    format!("cluster {context} is {} instead of {}", new.version, old.version)
                });
                let owners = both(&old.environments, &new.environments);
                let marked = owners.filter_map(|owner| marked(owner, old, new));
                version.into_iter().chain(marked).collect()
            }
            (Some(_), None) => vec![format!("cluster {context} is not named any more")],
            (None, _) => vec![format!("cluster {context} is named now")],
        });
    }
    changed
}

fn marked(owner: &String, old: &PlannedCluster, new: &PlannedCluster) -> Option<String> {
    let of = |cluster: &PlannedCluster| cluster.environments.get(owner).cloned().flatten();
    let words = |mark: Option<String>| mark.unwrap_or_else(|| "with nothing".to_owned());
    let (old, new) = (of(old), of(new));
    (old != new).then(|| format!("{owner} is marked {} instead of {}", words(new), words(old)))
}

fn candidates(name: &str, kept: &Plan, fresh: &Plan) -> Option<String> {
    let of = |plan: &Plan| plan.targets.get(name).map(|t| t.candidates.clone()).unwrap_or_default();
    let (old, new) = (of(kept), of(fresh));
    let only = |sign: &str, a: &[InstanceName], b: &[InstanceName]| -> Vec<String> {
        let b: BTreeSet<&InstanceName> = b.iter().collect();
        a.iter().filter(|n| !b.contains(n)).map(|n| format!("{sign} {n}")).collect()
    };
    let mut signs = only("+", &new, &old);
    signs.extend(only("-", &old, &new));
    (!signs.is_empty()).then(|| format!("candidates of `{name}`: {}", shortened(&signs, MANY)))
}

/// The same files, and yet another plan: another version of squall plans them otherwise.
fn unexplained(kept: &Plan, fresh: &Plan) -> String {
    let lines = diff::diff(kept, fresh).map_or_else(
        |error| error.to_string(),
        |found| {
            let told = found.iter().filter(|d| !d.place.to_lowercase().ends_with("digest"));
            let first: Vec<diff::Difference> = told.take(SHOWN).cloned().collect();
            diff::text(&first, Style::Plain)
        },
    );
    format!("this squall plans the same files otherwise:\n{lines}")
}

fn both<'a, V>(
    a: &'a BTreeMap<String, V>,
    b: &'a BTreeMap<String, V>,
) -> impl Iterator<Item = &'a String> {
    a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::experiment::{Pick, Restore};
    use crate::plan::fixture::{
        cluster, experiment, in_cluster, input, lab as trio, planned, pods_of, primary_loss, step,
    };
    use crate::plan::plan;

    fn kept() -> Plan {
        // As read back from a file.
        let text = serde_json::to_string_pretty(&planned(&primary_loss())).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn told(fresh: &Plan) -> Vec<String> {
        check_stale(&kept(), fresh).unwrap_err()
    }

    #[test]
    fn a_plan_that_was_kept_is_still_good() {
        assert_eq!(check_stale(&kept(), &planned(&primary_loss())), Ok(()));
    }

    #[test]
    fn an_edited_plan_is_refused() {
        let mut edited = kept();
        edited.steps[0].hold = crate::model::units::Span::secs(800);
        let told = check_stale(&edited, &planned(&primary_loss())).unwrap_err();
        assert_eq!(told, ["the plan was edited: its content is not what its digest says"]);
    }

    #[test]
    fn everything_that_changed_is_said_at_once() {
        let experiment = primary_loss();
        let mut changed = input(&experiment);
        changed.source.sha256 = "e2".into();
        changed.seed = 43;
        changed.policies = [("ci".to_owned(), "c1".to_owned())].into();
        let lab = changed.lab.as_mut().unwrap();
        lab.sha256 = "2cd".into();
        lab.candidates.retain(|c| c.name.0 != "redis@r1");
        assert_eq!(
            told(&plan(changed).unwrap()),
            [
                "the experiment trial.yaml changed",
                "the lab labs/trio.yaml changed",
                "candidates of `primary`: - redis@r1",
                "the policy `default` is not in force any more",
                "the policy `ci` is in force now",
                "the seed is 43 instead of 42",
            ]
        );
    }

    #[test]
    fn a_lab_under_another_name_and_a_changed_policy_are_said() {
        let experiment = primary_loss();
        let mut other = input(&experiment);
        other.lab = Some(crate::model::plan::PlannedLab { name: "solo".into(), ..trio() });
        other.policies = [("default".to_owned(), "d2".to_owned())].into();
        assert_eq!(
            told(&plan(other).unwrap()),
            ["the lab is solo instead of trio", "the policy `default` changed"]
        );
    }

    #[test]
    fn a_plan_that_differs_for_no_known_reason_is_refused_with_the_difference() {
        let mut other = primary_loss();
        other.method[0].facts.summary = "SIGTERM to {target}".into();
        let told = told(&planned(&other));
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("~ experiment.method[001].facts.summary: harm to"), "{told:?}");
    }

    #[test]
    fn a_context_that_leads_elsewhere_says_where() {
        let pods = [("web", pods_of("web", Pick::One))];
        let experiment = experiment(&pods, vec![step(0, 5, "web", Restore::None)]);
        let found: [(&str, &[&str]); 1] = [("web", &["web/web-1", "web/web-2"])];
        let planned = |change: &dyn Fn(&mut PlannedCluster)| {
            let mut cluster = cluster(&found);
            change(&mut cluster);
            plan(in_cluster(&experiment, cluster)).unwrap()
        };
        let kept = planned(&|_| ());
        assert_eq!(check_stale(&kept, &planned(&|c| c.ready = [("x".into(), 1)].into())), Ok(()));
        let moved = planned(&|c| c.cluster.uid = "9999-1".into());
        let words = "context staging leads to cluster 9999-1, the plan was made for 0123abcd-0000";
        assert_eq!(check_stale(&kept, &moved).unwrap_err()[0], words);
        let other = planned(&|c| {
            c.version = "v1.35.0".into();
            c.environments.insert("namespace web".into(), None);
        });
        let told = [
            "cluster staging is v1.35.0 instead of v1.34.4",
            "namespace web is marked with nothing instead of staging",
        ];
        assert_eq!(check_stale(&kept, &other).unwrap_err(), told);
    }

    #[test]
    fn paths_do_not_count() {
        let experiment = primary_loss();
        let mut moved = input(&experiment);
        moved.source.path = "elsewhere/trial.yaml".into();
        moved.lab.as_mut().unwrap().path = "elsewhere/trio.yaml".into();
        assert_eq!(check_stale(&kept(), &plan(moved).unwrap()), Ok(()));
    }
}

//! Selectors that leave nothing out. They mean something else than what was thought of, mostly.
//!
//! All pods of a namespace that are of several workloads, and all nodes picked: refused. What is
//! one workload alone in its namespace, and nodes of which some are left: said.

use super::error::PlanError;
use super::ground::Ground;
use crate::model::cluster::Everything;

/// Why this target cannot be meant.
pub fn refused(ground: &Ground) -> Vec<PlanError> {
    let refused = |(name, all, found, count): (&String, &Everything, usize, usize)| {
        let (target, of) = (name.clone(), all.of.clone());
        let workloads = &all.workloads;
        if workloads.len() > 1 {
            return Some(PlanError::Everything { target, found, of, workloads: workloads.clone() });
        }
        let nothing_left = workloads.is_empty() && count >= found && !all.named;
        nothing_left.then_some(PlanError::AllNodes { target, found, of })
    };
    each(ground).filter_map(refused).collect()
}

/// What is worth saying of those that are not refused.
pub fn noted(ground: &Ground) -> Vec<String> {
    let noted = |(name, all, found, count): (&String, &Everything, usize, usize)| {
        let left = if count >= found { "nothing is left" } else { "nothing is left out" };
        format!("target `{name}` finds all {found} {}: {left}", all.of)
    };
    each(ground).map(noted).collect()
}

fn each<'a>(
    ground: &Ground<'a>,
) -> impl Iterator<Item = (&'a String, &'a Everything, usize, usize)> {
    let targets = ground.targets;
    let all = ground.clusters.iter().flat_map(|cluster| &cluster.everything);
    all.filter_map(|(name, all)| {
        let target = targets.get(name)?;
        Some((name, all, target.candidates.len(), target.count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::experiment::{Footprint, Pick, Restore, TargetSpec};
    use crate::plan::fixture::{cluster, experiment, in_cluster, nodes_of, pods_of, step};
    use crate::plan::plan;

    fn told(spec: TargetSpec, found: &[&str], all: Everything) -> Result<Vec<String>, String> {
        let mut harm = step(0, 5, "t", Restore::None);
        harm.facts.footprint = Footprint::Pod;
        let experiment = experiment(&[("t", spec)], vec![harm]);
        let mut cluster = cluster(&[("t", found)]);
        cluster.everything.insert("t".into(), all);
        let planned = plan(in_cluster(&experiment, cluster));
        planned.map(|plan| plan.warnings).map_err(|e| e[0].to_string())
    }

    fn of(of: &str, workloads: &[&str], named: bool) -> Everything {
        let workloads = workloads.iter().map(|w| (*w).to_owned()).collect();
        Everything { of: of.into(), workloads, named }
    }

    const PODS: &str = "pods of namespace web";

    #[test]
    fn every_pod_of_several_workloads_is_refused_however_few_are_picked() {
        let all = of(PODS, &["deployment web/cart", "deployment web/web"], false);
        let why = told(pods_of("web", Pick::One), &["web/cart-a", "web/web-1"], all).unwrap_err();
        let words = "target `t` finds all 2 pods of namespace web, which belong to deployment \
                     web/cart, deployment web/web";
        assert!(why.starts_with(words), "{why}");
    }

    #[test]
    fn a_workload_alone_in_its_namespace_is_said() {
        let all = || of(PODS, &["deployment web/web"], false);
        let web = ["web/web-1", "web/web-2", "web/web-3"];
        let one = told(pods_of("web", Pick::One), &web, all()).unwrap();
        assert_eq!(one, ["target `t` finds all 3 pods of namespace web: nothing is left out"]);
        let every = told(pods_of("web", Pick::All), &web, all()).unwrap();
        assert!(
            every.contains(&"target `t` finds all 3 pods of namespace web: nothing is left".into())
        );
    }

    #[test]
    fn all_nodes_are_refused_where_none_is_left_and_none_was_named() {
        let nodes = ["node/n1", "node/n2"];
        let every = |named| told(nodes_of(&[], Pick::All), &nodes, of("nodes", &[], named));
        assert!(every(false).unwrap_err().contains("nothing is left to run on"));
        assert!(every(true).is_ok());
        let one = told(nodes_of(&[], Pick::One), &nodes, of("nodes", &[], false)).unwrap();
        assert_eq!(one, ["target `t` finds all 2 nodes: nothing is left out"]);
    }
}

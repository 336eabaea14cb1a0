//! Who is chosen of those found: by number, one of each node or zone, or by age.
//!
//! Where there are groups, each draws from a stream of its own, named after the target and the
//! group, so that a node that comes or goes moves the choice on no other node. By age nothing is
//! drawn: of those created in one second the first by name is the oldest, and the last the newest.

use std::collections::BTreeMap;

use super::pick::pick;
use crate::model::inventory::{Candidate, InstanceName};
use crate::model::pick::{Grouped, Pick};

/// Why nothing can be chosen: what the pick goes by is not known of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    Zone(Vec<InstanceName>),
    Age(Vec<InstanceName>),
}

/// How many are chosen of these, or of any that are left of them later: no more than this.
pub fn most(how: Pick, from: &[&Candidate]) -> Result<usize, Unknown> {
    if let Some(by) = how.grouped() {
        return Ok(groups(by, from)?.len());
    }
    if how.is_by_age() {
        ages(from)?;
    }
    Ok(how.count(from.len()))
}

/// Chooses by the seed, at most `count`; in the order of their names.
pub fn draw(
    how: Pick,
    (seed, target): (u64, &str),
    from: &[&Candidate],
    count: usize,
) -> Result<Vec<InstanceName>, Unknown> {
    if let Some(by) = how.grouped() {
        let groups = groups(by, from)?;
        let of = |(group, names): (&str, Vec<InstanceName>)| {
            pick(seed, &format!("{target}\0{group}"), &names, 1)
        };
        let mut chosen: Vec<InstanceName> = groups.into_iter().flat_map(of).collect();
        chosen.sort();
        chosen.truncate(count);
        return Ok(chosen);
    }
    if how.is_by_age() {
        let mut ages = ages(from)?;
        ages.sort();
        let one = if how == Pick::Oldest { ages.first() } else { ages.last() };
        return Ok(one
            .filter(|_| count > 0)
            .map(|(_, name)| (*name).clone())
            .into_iter()
            .collect());
    }
    let names: Vec<InstanceName> = from.iter().map(|candidate| candidate.name.clone()).collect();
    Ok(pick(seed, target, &names, count))
}

/// What is on no node yet is in no group.
fn groups<'a>(
    by: Grouped,
    from: &[&'a Candidate],
) -> Result<BTreeMap<&'a str, Vec<InstanceName>>, Unknown> {
    let placed = || from.iter().filter(|candidate| !candidate.host.name.is_empty());
    let mut groups: BTreeMap<&str, Vec<InstanceName>> = BTreeMap::new();
    let mut nowhere = Vec::new();
    for candidate in placed() {
        let group = match by {
            Grouped::ByNode => Some(candidate.host.name.as_str()),
            Grouped::ByZone => candidate.zone.as_deref(),
        };
        match group {
            Some(group) => groups.entry(group).or_default().push(candidate.name.clone()),
            None => nowhere.push(candidate.name.clone()),
        }
    }
    if nowhere.is_empty() { Ok(groups) } else { Err(Unknown::Zone(nowhere)) }
}

/// RFC 3339 in UTC, as API servers write it: in the order of their text they are in that of time.
fn ages<'a>(from: &[&'a Candidate]) -> Result<Vec<(&'a str, &'a InstanceName)>, Unknown> {
    let ages = from.iter().filter_map(|c| Some((c.created.as_deref()?, &c.name)));
    let ages: Vec<_> = ages.collect();
    if ages.len() == from.len() {
        return Ok(ages);
    }
    let unknown = from.iter().filter(|c| c.created.is_none()).map(|c| c.name.clone());
    Err(Unknown::Age(unknown.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::pod;

    /// Two pods on n1 in z1, one on n2 in z1, two on n3 in z2, one nowhere yet.
    fn pods() -> Vec<Candidate> {
        let at = |name, node, zone| pod(name, "web", node, zone);
        let mut pods = vec![
            at("a", "n1", Some("z1")),
            at("b", "n1", Some("z1")),
            at("c", "n2", Some("z1")),
            at("d", "n3", Some("z2")),
            at("e", "n3", Some("z2")),
            at("f", "", None),
        ];
        for (pod, second) in pods.iter_mut().zip([5, 3, 9, 3, 9, 4]) {
            pod.created = Some(format!("2026-06-16T10:00:0{second}Z"));
        }
        pods
    }

    fn drawn(how: Pick, seed: u64, from: &[Candidate]) -> Vec<String> {
        let from: Vec<&Candidate> = from.iter().collect();
        let count = most(how, &from).unwrap();
        let names = draw(how, (seed, "web"), &from, count).unwrap();
        assert_eq!(names.len(), count);
        names.into_iter().map(|name| name.0.trim_start_matches("web/").to_owned()).collect()
    }

    #[test]
    fn one_of_each_node_and_of_each_zone() {
        // Worked out by another program: the keys are `web`, a zero byte, and node or zone.
        assert_eq!(drawn(Pick::PerNode, 42, &pods()), ["a", "c", "e"]);
        assert_eq!(drawn(Pick::PerZone, 42, &pods()), ["b", "d"]);
        let both = |how| (0..50).map(|seed| drawn(how, seed, &pods())).collect::<Vec<_>>();
        for (one, again) in both(Pick::PerNode).into_iter().zip(both(Pick::PerNode)) {
            assert_eq!(one, again);
            assert_eq!((one.len(), one[1].as_str()), (3, "c"));
        }
        assert!(both(Pick::PerNode).iter().any(|chosen| chosen[0] == "b"));
    }

    #[test]
    fn a_node_that_goes_moves_the_choice_on_no_other() {
        let without: Vec<Candidate> =
            pods().into_iter().filter(|pod| pod.host.name != "n1").collect();
        for seed in 0..50 {
            assert_eq!(
                drawn(Pick::PerNode, seed, &without),
                drawn(Pick::PerNode, seed, &pods())[1..]
            );
        }
    }

    #[test]
    fn by_age_nothing_is_left_to_chance() {
        for seed in 0..20 {
            assert_eq!(drawn(Pick::Oldest, seed, &pods()), ["b"]);
            assert_eq!(drawn(Pick::Newest, seed, &pods()), ["e"]);
        }
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        let mut pods = pods();
        pods[2].zone = None;
        pods[3].created = None;
        let from: Vec<&Candidate> = pods.iter().collect();
        let name = |pod: &Candidate| vec![pod.name.clone()];
        assert_eq!(most(Pick::PerZone, &from), Err(Unknown::Zone(name(&pods[2]))));
        assert_eq!(most(Pick::Oldest, &from), Err(Unknown::Age(name(&pods[3]))));
        assert_eq!(most(Pick::PerNode, &from), Ok(3));
    }
}

//! Where probes look from. All that look from one host share a thread that has moved into its
//! network namespace: every socket that is opened there, every name that is looked up and every
//! program that is run belongs to it, whatever kind of probe it is.

use std::collections::BTreeMap;

use crate::model::experiment::ProbeSpec;
use crate::model::identity::NetnsIdentity;
use crate::model::message::ProberHello;

/// The probes of one thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Stand {
    /// None: the namespace of the prober itself.
    pub netns: Option<NetnsIdentity>,
    pub probes: BTreeMap<String, ProbeSpec>,
}

/// Every stand, the prober's own first; that one is there too when nobody looks from anywhere.
///
/// Errors: by probe, hosts whose namespace was not named.
pub fn stands(hello: &ProberHello) -> Result<Vec<Stand>, Vec<(String, String)>> {
    let mut by_host: BTreeMap<Option<&str>, Stand> = BTreeMap::new();
    let mut unknown = Vec::new();
    for (name, spec) in &hello.probes {
        let from = spec.from.as_deref();
        let netns = from.and_then(|host| hello.hosts.get(host));
        if let (Some(host), None) = (from, netns) {
            unknown.push((name.clone(), format!("there is no host `{host}` to look from")));
            continue;
        }
        let stand = by_host
            .entry(from)
            .or_insert_with(|| Stand { netns: netns.cloned(), probes: BTreeMap::new() });
        stand.probes.insert(name.clone(), spec.clone());
    }
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let mut stands: Vec<Stand> = by_host.into_values().collect();
    if stands.is_empty() {
        stands.push(Stand { netns: None, probes: BTreeMap::new() });
    }
    Ok(stands)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hello(probes: &[(&str, Option<&str>)], hosts: &[&str]) -> ProberHello {
        let spec = |from: Option<&str>| {
            json!({"kind": "tcp", "params": {}, "rate": "1/s", "deadline": "1s", "steady": true,
                   "slo": null, "from": from})
        };
        let probes: BTreeMap<_, _> =
            probes.iter().map(|(name, from)| (*name, spec(*from))).collect();
        let hosts: BTreeMap<_, _> = hosts
            .iter()
            .map(|host| (*host, json!({"path": host, "cookie": 1, "boot": "b"})))
            .collect();
        serde_json::from_value(json!({"drill": "0000000000000007", "probes": probes,
            "watches": [], "netns": null, "hosts": hosts, "secrets": {}, "seed": 1}))
        .unwrap()
    }

    fn names(stand: &Stand) -> (Option<&str>, Vec<&str>) {
        let path = stand.netns.as_ref().map(|netns| netns.path.as_str());
        (path, stand.probes.keys().map(String::as_str).collect())
    }

    #[test]
    fn probes_of_one_host_stand_together() {
        let probes = [("a", Some("r2")), ("b", None), ("c", Some("r1")), ("d", Some("r2"))];
        let stands = stands(&hello(&probes, &["r1", "r2", "r3"])).unwrap();
        let found: Vec<_> = stands.iter().map(names).collect();
        assert_eq!(
            found,
            [(None, vec!["b"]), (Some("r1"), vec!["c"]), (Some("r2"), vec!["a", "d"])]
        );
    }

    #[test]
    fn without_probes_there_is_one_stand_and_without_a_need_none_of_our_own() {
        assert_eq!(stands(&hello(&[], &[])).unwrap().len(), 1);
        let elsewhere = stands(&hello(&[("a", Some("r1"))], &["r1"])).unwrap();
        assert_eq!(elsewhere.iter().map(names).collect::<Vec<_>>(), [(Some("r1"), vec!["a"])]);
    }

    #[test]
    fn a_host_that_nobody_named_is_never_taken_for_our_own() {
        let wrong = stands(&hello(&[("a", Some("r9")), ("b", None)], &["r1"])).unwrap_err();
        assert_eq!(wrong.len(), 1);
        assert!(wrong[0].0 == "a" && wrong[0].1.contains("`r9`"), "{wrong:?}");
    }
}

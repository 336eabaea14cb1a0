//! Who says to be what, as the prober hears it. A role that just one instance of its service had in
//! the steady state must not be had by two when a drill calls the system recovered: where two say
//! that they are the primary, one of them will throw away what it was given.
//!
//! That nobody has a role proves nothing: an instance may fail to say it, and a service without its
//! primary shows in the probes.

use std::collections::BTreeMap;

use crate::model::inventory::{InstanceName, Role};
use crate::model::plan::Plan;

#[derive(Debug, Clone, Default)]
pub struct RolesSeen {
    services: BTreeMap<InstanceName, String>,
    now: BTreeMap<InstanceName, Role>,
    /// Service and role of which there was one each.
    sole: Vec<(String, Role)>,
    /// How long just one instance had it before anything was broken, and how long several.
    shares: BTreeMap<(String, Role), Share>,
    counted_to_ns: u64,
    broken: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Share {
    alone_ns: u64,
    shared_ns: u64,
}

impl RolesSeen {
    #[must_use]
    pub fn of(plan: &Plan) -> RolesSeen {
        let candidates = plan.lab.iter().flat_map(|lab| &lab.candidates);
        let services = candidates.map(|c| (c.name.clone(), c.service.clone())).collect();
        RolesSeen { services, ..RolesSeen::default() }
    }

    /// None: it does not say.
    pub fn saw(&mut self, at_ns: u64, instance: &InstanceName, role: Option<&Role>) {
        self.count_to(at_ns);
        match role {
            Some(role) => self.now.insert(instance.clone(), role.clone()),
            None => self.now.remove(instance),
        };
    }

    /// Nothing is broken yet: what there is one of now, there should be one of in the end.
    pub fn keep_sole(&mut self, now_ns: u64) {
        self.count_to(now_ns);
        self.broken = true;
        let counted = self.counted();
        let sole = counted.into_iter().filter(|(_, who)| who.len() == 1).map(|(what, _)| what);
        self.sole = sole.collect();
    }

    /// In words, who shares a role that only one had; None where nobody does.
    #[must_use]
    pub fn split(&self) -> Option<String> {
        let counted = self.counted();
        let shared = |what: &(String, Role)| counted.get(what).filter(|who| who.len() > 1);
        self.sole.iter().find_map(|what| {
            let who: Vec<String> = shared(what)?.iter().map(ToString::to_string).collect();
            Some(format!("{} each say that they are the {}", who.join(" and "), what.1))
        })
    }

    /// Is it a role for one? It was had by just one as the method began, or for most of the time
    /// before that.
    pub fn is_for_one(&mut self, service: &str, role: &str, now_ns: u64) -> bool {
        self.count_to(now_ns);
        let what = (service.to_owned(), Role(role.to_owned()));
        let share = self.shares.get(&what).copied().unwrap_or_default();
        self.sole.contains(&what) || share.alone_ns > share.shared_ns
    }

    /// Who has it now, by name.
    #[must_use]
    pub fn holders(&self, service: &str, role: &str) -> Vec<InstanceName> {
        let what = (service.to_owned(), Role(role.to_owned()));
        self.counted().remove(&what).unwrap_or_default().into_iter().cloned().collect()
    }

    fn count_to(&mut self, at_ns: u64) {
        let since_ns = at_ns.saturating_sub(self.counted_to_ns);
        let begun = self.counted_to_ns > 0;
        self.counted_to_ns = self.counted_to_ns.max(at_ns);
        if self.broken || !begun {
            return;
        }
        let now: Vec<_> = self.counted().into_iter().map(|(what, who)| (what, who.len())).collect();
        for (what, holders) in now {
            let share = self.shares.entry(what).or_default();
            *(if holders == 1 { &mut share.alone_ns } else { &mut share.shared_ns }) += since_ns;
        }
    }

    fn counted(&self) -> BTreeMap<(String, Role), Vec<&InstanceName>> {
        let mut counted: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (instance, role) in &self.now {
            let Some(service) = self.services.get(instance) else { continue };
            counted.entry((service.clone(), role.clone())).or_default().push(instance);
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> InstanceName {
        InstanceName(text.into())
    }

    fn seen(roles: &[(&str, &str)]) -> RolesSeen {
        let services = ["redis@r1", "redis@r2", "redis@r3"].map(|n| (name(n), "redis".to_owned()));
        let mut seen = RolesSeen { services: services.into(), ..RolesSeen::default() };
        for (who, role) in roles {
            seen.saw(1, &name(who), Some(&Role((*role).into())));
        }
        seen
    }

    #[test]
    fn two_primaries_where_one_was_are_a_split_until_one_gives_way() {
        let steady = [("redis@r1", "primary"), ("redis@r2", "replica"), ("redis@r3", "replica")];
        let mut seen = seen(&steady);
        seen.keep_sole(1);
        assert_eq!(seen.split(), None, "two replicas there were before");
        seen.saw(1, &name("redis@r2"), Some(&Role("primary".into())));
        let words = "redis@r1 and redis@r2 each say that they are the primary";
        assert_eq!(seen.split().as_deref(), Some(words));
        seen.saw(1, &name("redis@r1"), Some(&Role("replica".into())));
        assert_eq!(seen.split(), None);
    }

    #[test]
    fn one_that_says_nothing_is_no_second_primary() {
        let mut seen = seen(&[("redis@r1", "primary"), ("redis@r2", "replica")]);
        seen.keep_sole(1);
        seen.saw(1, &name("redis@r2"), Some(&Role("primary".into())));
        seen.saw(1, &name("redis@r1"), None);
        assert_eq!(seen.split(), None);
    }

    #[test]
    fn what_two_had_in_the_steady_state_two_may_have() {
        let mut seen = seen(&[("redis@r1", "primary"), ("redis@r2", "primary")]);
        seen.keep_sole(1);
        seen.saw(1, &name("redis@r3"), Some(&Role("primary".into())));
        assert_eq!(seen.split(), None);
    }

    #[test]
    fn a_role_is_for_one_where_most_of_the_time_one_has_it() {
        let primary = || Role("primary".into());
        let mut seen = seen(&[("redis@r2", "replica"), ("redis@r3", "replica")]);
        seen.saw(100, &name("redis@r1"), Some(&primary()));
        assert!(seen.is_for_one("redis", "primary", 200));
        assert!(!seen.is_for_one("redis", "replica", 200), "two have it all the time");
        seen.saw(200, &name("redis@r2"), Some(&primary()));
        assert_eq!(seen.holders("redis", "primary"), [name("redis@r1"), name("redis@r2")]);
        assert!(seen.is_for_one("redis", "primary", 299));
        assert!(!seen.is_for_one("redis", "primary", 300), "as long by two as by one");
        seen.saw(300, &name("redis@r2"), Some(&Role("replica".into())));
        seen.keep_sole(300);
        assert!(seen.is_for_one("redis", "primary", 300), "one has it as the method begins");
        seen.saw(310, &name("redis@r3"), Some(&primary()));
        assert!(seen.is_for_one("redis", "primary", 9000), "what a fault did changes nothing");
        assert!(!seen.is_for_one("haproxy", "primary", 300), "of another service");
    }
}

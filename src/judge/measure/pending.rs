//! Pods that ought to be replaced, and replacements that wait: for whom, and why.

use std::collections::BTreeSet;

use super::hit::Hit;
use super::watched::last;

impl<'a> Hit<'a> {
    /// Pods in whose place others are expected: those that ended, and those that a fault was on. A
    /// `DaemonSet` has no other place for a pod than its node.
    #[must_use]
    pub fn to_replace(&self) -> BTreeSet<&'a str> {
        let mut these: BTreeSet<&str> = self.lost().into_keys().collect();
        let bound_to_node = |uid: &str| {
            let pod = self.watched.pods.get(uid).and_then(|all| last(all, self.began_ns));
            pod.is_some_and(|pod| pod.workload.starts_with("daemonset "))
        };
        these.extend(self.struck.iter().filter(|uid| !bound_to_node(uid)));
        these
    }

    /// Every new pod that is bound to no node at the end, with the reason: `pod web-2 is Pending:
    /// 0/3 nodes are available`.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        let mut words = Vec::new();
        for all in self.new_pods() {
            let Some(pod) = last(all, self.end_ns).filter(|p| !p.is_lost() && p.node.is_none())
            else {
                continue;
            };
            let about = format!("pod {}/{}", pod.namespace, pod.name);
            let failed = self
                .watched
                .events
                .iter()
                .rev()
                .find(|at| at.seen.about == about && at.seen.reason == "FailedScheduling");
            let why = failed.map(|at| at.seen.message.clone()).or_else(|| pod.why.clone());
            let why = why.unwrap_or_else(|| "no scheduler has said why".to_owned());
            words.push(format!("{about} is Pending: {why}"));
        }
        words
    }
}

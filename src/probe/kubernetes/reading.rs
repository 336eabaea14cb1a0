//! What an answer of an API server says.

use serde_json::Value;

use super::params::Wanted;

/// Is everything as it is wanted? Restarts are asked for by another request.
pub fn fits(found: &Value, wanted: &Wanted) -> bool {
    let ready = count(found, &["/status/readyReplicas", "/status/numberReady"]);
    wanted.ready_at_least.is_none_or(|least| ready >= u64::from(least))
        && (!wanted.rollout_complete || is_complete(found))
        && wanted.endpoints_at_least.is_none_or(|least| endpoints(found) >= u64::from(least))
}

/// Zero where the server leaves it out.
fn count(found: &Value, pointers: &[&str]) -> u64 {
    pointers.iter().find_map(|at| found.pointer(at)?.as_u64()).unwrap_or(0)
}

fn is_complete(found: &Value) -> bool {
    let nodes = found.pointer("/status/desiredNumberScheduled").and_then(Value::as_u64);
    let desired = nodes.or_else(|| found.pointer("/spec/replicas").and_then(Value::as_u64));
    let observed = count(found, &["/status/observedGeneration"]);
    let all = |pointers: &[&str]| Some(count(found, pointers)) == desired;
    observed >= count(found, &["/metadata/generation"])
        && all(&["/status/updatedReplicas", "/status/updatedNumberScheduled"])
        && all(&["/status/replicas", "/status/currentNumberScheduled"])
        && all(&["/status/availableReplicas", "/status/numberAvailable"])
}

/// Endpoints that get traffic, over all slices of a list. A pod has one in the slice of each
/// family of addresses, and counts once.
fn endpoints(list: &Value) -> u64 {
    let slices = list.pointer("/items").and_then(Value::as_array).into_iter().flatten();
    let all = slices.filter_map(|slice| slice.pointer("/endpoints")?.as_array()).flatten();
    let used = all.filter(|e| e.pointer("/conditions/ready") != Some(&Value::Bool(false)));
    let named = used.map(|endpoint| {
        let to = endpoint.pointer("/targetRef/uid").or_else(|| endpoint.pointer("/addresses"));
        to.map(Value::to_string).unwrap_or_default()
    });
    let different: std::collections::BTreeSet<String> = named.collect();
    u64::try_from(different.len()).unwrap_or(u64::MAX)
}

/// The selector of a workload as the server reads it; None where it has none that can be written.
pub fn labels(found: &Value) -> Option<String> {
    let selector = found.pointer("/spec/selector")?;
    let equal = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
    let mut labels: Vec<String> =
        equal.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    let rest = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in rest.into_iter().flatten() {
        labels.push(written(expression)?);
    }
    (!labels.is_empty()).then(|| labels.join(","))
}

fn written(expression: &Value) -> Option<String> {
    let key = expression.get("key")?.as_str()?;
    let values = expression.get("values").and_then(Value::as_array);
    let values: Vec<&str> = values.into_iter().flatten().filter_map(Value::as_str).collect();
    let values = values.join(",");
    match expression.get("operator")?.as_str()? {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

/// Restarts of all containers of a pod.
pub fn restarts(pod: &Value) -> u64 {
    let all = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(|c| c.get("restartCount")?.as_u64()).sum()
}

/// A Lease from one look to the next. A dead holder's name stays on it: it is held for as long as
/// it is renewed, by our own clock, since the server's may differ.
#[derive(Debug, Default)]
pub struct Held {
    /// Holder and time of renewal as they were told, and when they were new to us.
    last: Option<(String, u64)>,
}

impl Held {
    /// Does somebody hold it, as it was told at that time?
    pub fn told(&mut self, lease: &Value, at_ns: u64) -> bool {
        let text = |at: &str| lease.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let holder = text("/spec/holderIdentity");
        if holder.is_empty() {
            self.last = None;
            return false;
        }
        let now = format!("{holder} {}", text("/spec/renewTime"));
        let last = self.last.take().filter(|(told, _)| *told == now);
        let (now, since_ns) = last.unwrap_or((now, at_ns));
        self.last = Some((now, since_ns));
        let seconds = lease.pointer("/spec/leaseDurationSeconds").and_then(Value::as_u64);
        seconds.is_none_or(|s| at_ns.saturating_sub(since_ns) <= s.saturating_mul(1_000_000_000))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(updated: u64, available: u64) -> Value {
        json!({
            "metadata": {"generation": 2},
            "spec": {"replicas": 3, "selector": {
                "matchLabels": {"app": "web"},
                "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a", "b"]}],
            }},
            "status": {"observedGeneration": 2, "replicas": 3, "updatedReplicas": updated,
                       "availableReplicas": available, "readyReplicas": available},
        })
    }

    #[test]
    fn a_workload_is_as_it_is_wanted() {
        let ready = |n| Wanted { ready_at_least: Some(n), ..Wanted::default() };
        assert!(fits(&deployment(3, 2), &ready(2)) && !fits(&deployment(3, 2), &ready(3)));
        let complete = Wanted { rollout_complete: true, ..Wanted::default() };
        assert!(fits(&deployment(3, 3), &complete));
        assert!(!fits(&deployment(2, 3), &complete) && !fits(&deployment(3, 2), &complete));
        let mut old = deployment(3, 3);
        old["status"]["observedGeneration"] = json!(1);
        assert!(!fits(&old, &complete));
        assert!(!fits(&json!({"spec": {"replicas": 3}, "status": {}}), &ready(1)), "none is left");
        assert_eq!(labels(&old).unwrap(), "app=web,tier notin (a,b)");
    }

    #[test]
    fn endpoints_count_once_and_while_they_are_used() {
        let endpoint = |uid: &str, ready: bool| {
            let conditions = json!({"ready": ready});
            json!({"conditions": conditions, "targetRef": {"uid": uid}})
        };
        let list = json!({"items": [
            {"endpoints": [endpoint("a", true), endpoint("b", false)]},
            {"endpoints": [endpoint("a", true), {"addresses": ["10.0.0.1"]}]},
            {"endpoints": null},
        ]});
        assert_eq!(endpoints(&list), 2);
        assert_eq!(endpoints(&json!({"items": []})), 0);
    }

    #[test]
    fn a_lease_is_held_while_it_is_renewed() {
        let lease = |holder: &str, renewed: &str| {
            json!({"spec": {"holderIdentity": holder, "renewTime": renewed,
                            "leaseDurationSeconds": 4}})
        };
        let second = 1_000_000_000;
        let mut held = Held::default();
        assert!(held.told(&lease("a", "1"), 0));
        assert!(held.told(&lease("a", "1"), 4 * second));
        assert!(!held.told(&lease("a", "1"), 4 * second + 1), "nobody renews it");
        assert!(held.told(&lease("b", "2"), 5 * second));
        assert!(held.told(&lease("b", "3"), 9 * second));
        assert!(!held.told(&lease("", "4"), 10 * second));
    }
}

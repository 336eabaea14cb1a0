//! The one way to a clearance: all rules of all policies, and what no policy can waive.
//!
//! Invariant: adding a policy or a rule to a list can only tighten it, and no reason is ever lost.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::model::plan::Plan;
use crate::model::policy::Policy;

use super::clearance::{Clearance, VALID_FOR};
use super::default_policy::in_force;
use super::facts::Facts;
use super::{Reason, find};

/// The name under which stands what no policy can waive.
const ALWAYS: &str = "squall";

/// One reason, and who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub policy: String,
    pub rule: String,
    pub reason: Reason,
}

/// Everything that is in the way; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reasons: Vec<Refused>,
}

/// Admits the plan under all policies, or refuses it with every reason. With no policy the
/// built-in default is in force, which admits labs only.
pub fn admit(plan: &Plan, policies: &[Policy], facts: &Facts) -> Result<Clearance, Refusal> {
    let policies = in_force(policies);
    let mut reasons: Vec<Refused> = always(plan, &policies, facts);
    let mut until = facts.now.and_then(|now| now.checked_add(VALID_FOR).ok());
    for policy in policies.iter() {
        let refused = |rule: &str, reason| Refused {
            policy: policy.name.clone(),
            rule: rule.to_owned(),
            reason,
        };
        if policy.rules.is_empty() {
            let hollow = "it has no rule, and so would admit anything; give it one";
            reasons.push(refused("rules", Reason::Breaks(hollow.to_owned())));
        }
        for rule in &policy.rules {
            let Some(entry) = find(&rule.kind) else {
                let unknown = "this squall knows no such rule, and what is unknown admits nothing";
                reasons.push(refused(&rule.kind, Reason::Breaks(unknown.to_owned())));
                continue;
            };
            let found = entry.check(&rule.params, plan, facts);
            reasons.extend(found.into_iter().map(|reason| refused(&rule.kind, reason)));
            let end = entry.until(&rule.params, plan, facts);
            until = until.map(|until| end.map_or(until, |end| until.min(end)));
        }
    }
    match until {
        Some(until) if reasons.is_empty() => Ok(Clearance::new(plan.digest.clone(), until)),
        Some(_) | None => Err(Refusal { reasons }),
    }
}

/// What holds under any policy: a clock, a plan made under these policies, and for everything that
/// squall did not start the consent of its owner.
fn always(plan: &Plan, policies: &[Policy], facts: &Facts) -> Vec<Refused> {
    let mut reasons = Vec::new();
    let mut say = |rule: &str, reason: Reason| {
        reasons.push(Refused { policy: ALWAYS.to_owned(), rule: rule.to_owned(), reason });
    };
    match facts.now {
        None => say("clock", Reason::Missing("the time of day")),
        Some(now) if now.checked_add(VALID_FOR).is_err() => {
            say("clock", Reason::Breaks(format!("{now} is no time of day; set the clock")));
        }
        Some(_) => {}
    }
    let digests: BTreeMap<String, String> =
        policies.iter().map(|p| (p.name.clone(), p.sha256.clone())).collect();
    if digests != plan.policies || digests.len() != policies.len() {
        let (made, now) = (names(&plan.policies), names(&digests));
        say(
            "policies",
            Reason::Breaks(format!(
                "the plan was made under {made}, in force is {now}; plan again"
            )),
        );
    }
    for reason in owner(plan, facts) {
        say("owner", reason);
    }
    reasons
}

/// A drill on what squall did not start needs `spec.environment` equal to the marker of each owner.
fn owner(plan: &Plan, facts: &Facts) -> Vec<Reason> {
    match facts.is_lab {
        Some(true) if plan.lab.is_some() => return Vec::new(),
        Some(true) => {
            return vec![Reason::Breaks("the plan names no lab, so this is none".to_owned())];
        }
        Some(false) => {}
        None => return vec![Reason::Missing("whether the targets are a lab of squall's own")],
    }
    let mut reasons = Vec::new();
    let stated = plan.experiment.environment.as_deref();
    if stated.is_none() {
        reasons.push(Reason::Breaks(
            "the targets are no lab; state `spec.environment` as their owner has marked it"
                .to_owned(),
        ));
    }
    match &facts.markers {
        None => reasons.push(Reason::Missing("the environment that the targets' owners have set")),
        Some(markers) if markers.is_empty() => reasons
            .push(Reason::Breaks("no owner of the targets has marked an environment".to_owned())),
        Some(markers) => {
            for marker in markers.iter().filter(|m| m.environment.as_deref() != stated) {
                reasons.push(Reason::Breaks(format!(
                    "{} is marked {}, the experiment is for {}",
                    marker.owner,
                    marker.environment.as_deref().unwrap_or("with nothing"),
                    stated.unwrap_or("no environment"),
                )));
            }
        }
    }
    reasons
}

fn names(policies: &BTreeMap<String, String>) -> String {
    let each: Vec<String> =
        policies.iter().map(|(name, digest)| format!("{name} {digest:.12}")).collect();
    if each.is_empty() { "no policy".to_owned() } else { each.join(" and ") }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.policy, self.rule, self.reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.reasons.len();
        write!(f, "refused for {number} reason{}", if number == 1 { "" } else { "s" })?;
        for refused in &self.reasons {
            write!(f, "\n  {refused}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// `now`, or the reason why not.
pub(super) fn clock(facts: &Facts) -> Result<Timestamp, Reason> {
    facts.now.ok_or(Reason::Missing("the time of day"))
}

#[cfg(test)]
mod tests;

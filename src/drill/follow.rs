//! Targets that are followed: while their fault is held, it also hits the pods that take the place
//! of those hit.
//!
//! Invariant: whoever is hit has taken the place of one that was, so that never more are hit and
//! not replaced than the plan counts; and it belongs to a workload that the plan named. Pods
//! that were
//! there when the step began, and pods that come beside them, are none of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use super::bind::{self, Bound, Known, Now};
use super::run::{BEAT, Drill};
use super::steps::Steps;
use crate::backend::{Backend, Seen};
use crate::host::linux::clock::monotonic_ns;
use crate::model::binding::Order;
use crate::model::history::Entry;
use crate::model::id::InjectionId;
use crate::model::inventory::{InstanceName, Target};
use crate::model::message::{ToInjector, ToProber};
use crate::model::units::Span;
use crate::plan::GRACE;

/// From one look at who is there to the next.
const LOOK_EVERY: Span = Span::millis(400);
/// A look that takes longer has failed; the next may not.
const SEEN_WITHIN: Span = Span::secs(2);
/// What is left of a hold must be worth an injection.
const LEAST: Span = Span::millis(500);

/// All that are followed.
#[derive(Debug, Default)]
pub struct Following {
    followed: Vec<Followed>,
    due_ns: u64,
    /// Was it said that nobody answers?
    blind: bool,
}

/// One target during one step.
#[derive(Debug)]
pub struct Followed {
    /// Index of the plan's step.
    step: usize,
    target: String,
    workloads: Vec<String>,
    /// The injections that the step began with: their end is its end.
    first: Vec<InjectionId>,
    /// UIDs of all that were ever seen.
    known: BTreeSet<String>,
    /// Hit, and nobody has taken their place: workload and UID.
    open: Vec<(String, String)>,
}

impl Followed {
    /// `hit`: those of the target that the step begins with.
    #[must_use]
    pub fn of(
        (step, target): (usize, &str),
        workloads: &[String],
        orders: &[Order],
        there: &BTreeMap<String, Target>,
    ) -> Followed {
        let uid = |target: &Target| target.object.as_ref().map(|object| object.uid.clone());
        let hit = |order: &&Order| workloads.contains(&order.target.service);
        let orders: Vec<&Order> = orders.iter().filter(hit).collect();
        let open = |order: &&Order| Some((order.target.service.clone(), uid(&order.target)?));
        Followed {
            step,
            target: target.to_owned(),
            workloads: workloads.to_vec(),
            first: orders.iter().map(|order| order.injection.clone()).collect(),
            known: there.values().filter_map(uid).collect(),
            open: orders.iter().filter_map(open).collect(),
        }
    }

    /// Who has taken the place of one that was hit, since the last look.
    pub fn replacements(&mut self, seen: &Seen) -> Vec<InstanceName> {
        let mut fit = Vec::new();
        let there: BTreeSet<&str> =
            seen.targets.values().filter_map(|t| Some(t.object.as_ref()?.uid.as_str())).collect();
        for name in seen.selected.get(&self.target).into_iter().flatten() {
            let Some(found) = seen.targets.get(&name.0) else { continue };
            let Some(object) = &found.object else { continue };
            if self.known.contains(&object.uid) || !self.workloads.contains(&found.service) {
                continue;
            }
            let gone = |(workload, uid): &(String, String)| {
                *workload == found.service && !there.contains(uid.as_str())
            };
            let Some(place) = self.open.iter().position(gone) else { continue };
            self.open[place].1.clone_from(&object.uid);
            fit.push(name.clone());
        }
        // Whoever came beside the places that were free stays nobody's replacement.
        self.known.extend(there.into_iter().map(str::to_owned));
        fit
    }

    /// When the hold of its step is over; None: it is not held, or not yet.
    fn ends_ns(&self, steps: &Steps) -> Option<u64> {
        self.first.iter().filter_map(|injection| steps.ends_ns(injection)).max()
    }
}

impl Following {
    pub fn begin(&mut self, followed: Vec<Followed>, now: u64) {
        if !followed.is_empty() {
            self.due_ns = now + LOOK_EVERY.nanos();
        }
        self.followed.extend(followed);
    }

    /// When to look next.
    #[must_use]
    pub fn next_ns(&self) -> u64 {
        if self.followed.is_empty() { u64::MAX } else { self.due_ns }
    }
}

impl<B: Backend> Drill<'_, B> {
    /// Those of the step's targets that are followed, as it begins.
    pub(super) fn followed(&self, step: usize, now: &Now, orders: &[Order]) -> Vec<Followed> {
        let plan = &self.request.plan;
        let of = |name: &String| {
            let workloads = &plan.targets.get(name)?.follows;
            let followed = Followed::of((step, name), workloads, orders, &now.targets);
            (!workloads.is_empty()).then_some(followed)
        };
        plan.steps[step].subjects.iter().filter_map(of).collect()
    }

    /// Looks who is there, and hits whoever has taken the place of the hit.
    pub(super) async fn follow(&mut self) {
        let steps = &self.state.steps;
        let now = monotonic_ns();
        let left = |followed: &Followed| {
            followed.ends_ns(steps).is_some_and(|end| end > now + LEAST.nanos())
        };
        let held = self.state.following.followed.iter().any(left);
        self.state.following.due_ns = now + LOOK_EVERY.nanos();
        if !held {
            // Those whose injection has not been seen in force yet may still be.
            let open = |followed: &Followed| followed.first.iter().any(|id| steps.is_open(id));
            self.state.following.followed.retain(open);
            return;
        }
        match self.look().await {
            Ok(seen) => {
                self.state.following.blind = false;
                self.hit_replacements(seen).await;
            }
            Err(why) if !self.state.following.blind => {
                self.state.following.blind = true;
                self.note(Entry::Note(format!("nobody can be followed for now: {why}")));
            }
            Err(_) => {}
        }
    }

    /// Beats go on meanwhile: a slow API server is no reason to be taken for dead.
    async fn look(&mut self) -> Result<Seen, String> {
        let mut look = pin!(tokio::time::timeout(SEEN_WITHIN.0, self.backend.look()));
        loop {
            let wait = self.beat_due_ns.saturating_sub(monotonic_ns());
            tokio::select! {
                seen = &mut look => {
                    let seen = seen.map_err(|_| format!("no answer within {SEEN_WITHIN}"))?;
                    return seen.map_err(|error| error.to_string());
                }
                () = tokio::time::sleep(std::time::Duration::from_nanos(wait)) => {
                    self.beat_due_ns = monotonic_ns() + BEAT.nanos();
                    self.parts.tell_injector(&ToInjector::Beat).await;
                    self.parts.tell_prober(&ToProber::Beat).await;
                }
            }
        }
    }

    async fn hit_replacements(&mut self, seen: Seen) {
        let mut fit: Vec<(usize, String, InstanceName, u64)> = Vec::new();
        let steps = &self.state.steps;
        for followed in &mut self.state.following.followed {
            let Some(end) = followed.ends_ns(steps) else { continue };
            let new = followed.replacements(&seen);
            let (step, target) = (followed.step, &followed.target);
            fit.extend(new.into_iter().map(|name| (step, target.clone(), name, end)));
        }
        if fit.is_empty() {
            return;
        }
        let now = Now {
            targets: seen.targets,
            selected: seen.selected,
            roles: BTreeMap::new(),
            hosts: self.backend.hosts(),
            for_one: BTreeSet::new(),
        };
        for (step, target, instance, end_ns) in fit {
            let hold_ns = end_ns.saturating_sub(monotonic_ns());
            if hold_ns < LEAST.nanos() || self.numbers == u16::MAX {
                continue;
            }
            self.order_one((step, target), instance, hold_ns, &now).await;
        }
    }

    async fn order_one(
        &mut self,
        (step, target): (usize, String),
        instance: InstanceName,
        hold_ns: u64,
        now: &Now,
    ) {
        let bound = Bound::from([(target.clone(), vec![instance.clone()])]);
        let known = Known { plan: &self.request.plan, now, kept: &self.state.bound };
        let (drill, number) = (self.request.drill.clone(), self.numbers + 1);
        // Without far ends nothing can be in the way of an order for what was just seen.
        let Ok(orders) = bind::orders(&known, step, &bound, || (drill.clone(), number)) else {
            return;
        };
        self.numbers = number;
        self.note(Entry::Bound { target, instances: vec![instance] });
        for mut order in orders {
            let hold = std::time::Duration::from_nanos(hold_ns);
            order.deadline = Span(hold.saturating_add(GRACE.0));
            self.state.steps.ordered(order.injection.clone(), hold_ns, monotonic_ns());
            self.parts.tell_injector(&ToInjector::Inject(Box::new(order))).await;
        }
    }
}

#[cfg(test)]
mod tests;

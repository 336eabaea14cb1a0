//! The method of a drill: steps are bound and ordered by their times, held, and their undo ordered.

use super::bind::{self, Bound, Known, Now, Unbound};
use super::contest;
use super::event::Part;
use super::run::{Drill, SHORT_OF_A_LEASE};
use super::state::Roles;
use crate::backend::{Backend, Seen};
use crate::host::linux::clock::monotonic_ns;
use crate::model::binding::Order;
use crate::model::history::{Entry, Phase};
use crate::model::message::{ToInjector, ToProber};
use crate::model::outcome::AbortCause;

impl<B: Backend> Drill<'_, B> {
    pub(super) async fn method(&mut self) {
        self.note(Entry::Phase(Phase::Method));
        self.state.begin_method(&self.request.plan, monotonic_ns(), self.request.null);
        self.bind_at_start().await;
        while !self.state.ending() && !self.state.steps.done(monotonic_ns()) {
            let now = monotonic_ns();
            if let Some(step) = self.state.steps.due(now) {
                self.inject(step).await;
                continue;
            }
            for injection in self.state.steps.over(now) {
                self.parts.tell_injector(&ToInjector::Revert(injection)).await;
            }
            if let Some((condition, why)) = self.state.tripped(&self.request.plan) {
                self.note(Entry::Stopped { condition, why });
                self.state.stopped = true;
                break;
            }
            if let Some(injection) = self.state.steps.unanswered(now) {
                // Its end takes what it holds in the kernel, and the guardian undoes the rest.
                self.parts.kill(Part::Injector);
                self.abort(AbortCause::Injection(format!(
                    "the injector has not answered about {injection} in time"
                )));
                break;
            }
            if self.state.following.next_ns() <= now {
                self.follow().await;
                continue;
            }
            self.step(self.state.steps.next_ns().min(self.state.following.next_ns())).await;
        }
    }

    /// Binds what is bound once. The names stay, whoever takes the role.
    async fn bind_at_start(&mut self) {
        if self.request.null || bind::starting(&self.request.plan).is_empty() {
            return;
        }
        let now = self.now().await;
        match now.and_then(|now| bind::at_start(&self.known(&now))) {
            Ok(bound) => {
                self.note_bound(&bound);
                self.state.bound = bound;
            }
            Err(unbound) => self.unbound(unbound),
        }
    }

    /// Binds one step's targets and orders its injections.
    async fn inject(&mut self, step: usize) {
        match self.bind(step).await {
            Ok(orders) => {
                for order in orders {
                    let hold = self.request.plan.steps[step].hold.nanos();
                    let injection = order.injection.clone();
                    self.state.steps.ordered(injection, hold, monotonic_ns());
                    self.parts.tell_injector(&ToInjector::Inject(Box::new(order))).await;
                }
            }
            Err(unbound) => self.unbound(unbound),
        }
    }

    fn unbound(&mut self, unbound: Unbound) {
        match unbound {
            // As long as nothing is broken, it is the steady state that is not there.
            Unbound::Contested(why) if self.numbers == 0 => {
                self.state.contested = true;
                self.note(Entry::Unsteady { why });
            }
            Unbound::Contested(why) | Unbound::Cannot(why) => {
                self.abort(AbortCause::Injection(why));
            }
        }
    }

    async fn bind(&mut self, step: usize) -> Result<Vec<Order>, Unbound> {
        let now = self.now().await?;
        let known = self.known(&now);
        let mut bound = bind::subjects(&known, step)?;
        let (drill, mut numbers) = (self.request.drill.clone(), self.numbers);
        let orders = bind::orders(&known, step, &bound, || {
            numbers += 1;
            (drill.clone(), numbers)
        })?;
        self.numbers = numbers;
        let followed = self.followed(step, &now, &orders);
        self.state.following.begin(followed, monotonic_ns());
        // Those are in the history since the method began.
        bound.retain(|target, _| !self.state.bound.contains_key(target));
        self.note_bound(&bound);
        Ok(orders)
    }

    fn note_bound(&mut self, bound: &Bound) {
        for (target, instances) in bound {
            self.note(Entry::Bound { target: target.clone(), instances: instances.clone() });
        }
    }

    /// Who is what, and who runs.
    async fn now(&mut self) -> Result<Now, Unbound> {
        let roles = self.roles().await?;
        // Nobody hears a beat of ours meanwhile.
        let asked = tokio::time::timeout(SHORT_OF_A_LEASE.0, self.backend.look()).await;
        let late = |_| format!("nobody said who runs within {SHORT_OF_A_LEASE}");
        let seen_now = asked.map_err(late)?.map_err(|e| e.to_string())?;
        let seen = &mut self.state.roles_seen;
        let for_one = contest::for_one(&self.request.plan, seen, monotonic_ns());
        let Seen { targets, selected } = seen_now;
        Ok(Now { targets, selected, roles, hosts: self.backend.hosts(), for_one })
    }

    fn known<'a>(&'a self, now: &'a Now) -> Known<'a> {
        Known { plan: &self.request.plan, now, kept: &self.state.bound }
    }

    /// Asks every instance what it is, now.
    async fn roles(&mut self) -> Result<Roles, String> {
        self.parts.tell_prober(&ToProber::ReadRoles).await;
        self.state.roles = None;
        let limit = monotonic_ns() + SHORT_OF_A_LEASE.nanos();
        loop {
            if let Some(roles) = self.state.roles.take() {
                return Ok(roles);
            }
            if monotonic_ns() >= limit || self.state.ending() {
                return Err(format!("the roles could not be read within {SHORT_OF_A_LEASE}"));
            }
            self.step(limit).await;
        }
    }
}

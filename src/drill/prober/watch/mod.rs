//! Asks each instance what it is, again and again, from within its own network namespace and at its
//! own address, so that no fault on the way to it hides its role.
//!
//! A role is written when it changes, and once at the start. An instance that does not answer has
//! none: unknown is not the same as what it was before.

mod exchange;
mod rules;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::MissedTickBehavior;

use crate::host::linux::clock::monotonic_ns;
use crate::model::history::Entry;
use crate::model::inventory::{InstanceName, Role};
use crate::model::message::{FromProber, RoleWatch};
use exchange::{Asker, Kept};
use rules::Rules;

/// How long an instance may take to answer while it is watched: five times its interval, at least
/// this.
const PATIENCE_LEAST: Duration = Duration::from_millis(100);
/// The same when all are asked at once.
const PATIENCE_AT_ONCE: Duration = Duration::from_millis(250);
/// An answer that timed out by this much more than it had to: it was us who stood still.
const OWN_STALL: Duration = Duration::from_millis(50);

/// One instance and how it is asked.
pub struct Watcher {
    instance: InstanceName,
    every: Duration,
    asker: Asker,
}

impl Watcher {
    /// Errors: in words, what of its rules cannot be used.
    pub fn new(watch: RoleWatch) -> Result<Watcher, String> {
        let rules = Rules::new(&watch.reader)?;
        Ok(Watcher {
            instance: watch.instance.clone(),
            every: watch.reader.every.0.max(Duration::from_millis(1)),
            asker: Asker::new(watch, rules),
        })
    }

    fn patience(&self) -> Duration {
        (self.every * 5).max(PATIENCE_LEAST)
    }
}

/// What one look found.
enum Look {
    /// It said so, then.
    Told(Role, u64),
    /// No answer, or none that fits.
    Unknown(u64),
    /// Nothing can be said: we did not run.
    Ours,
}

/// Asks until the session ends.
pub async fn keep_asking(watcher: Rc<Watcher>, out: UnboundedSender<FromProber>) {
    let mut turn = tokio::time::interval(watcher.every);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut kept = Kept::default();
    let mut last: Option<Option<Role>> = None;
    loop {
        turn.tick().await;
        let (role, at_ns) = match look(&watcher, &mut kept, watcher.patience()).await {
            Look::Told(role, at_ns) => (Some(role), at_ns),
            Look::Unknown(at_ns) => (None, at_ns),
            Look::Ours => continue,
        };
        if last.as_ref() == Some(&role) {
            continue;
        }
        last = Some(role.clone());
        let entry = Entry::RoleSeen {
            instance: watcher.instance.clone(),
            role,
            asked_every_ns: u64::try_from(watcher.every.as_nanos()).unwrap_or(u64::MAX),
        };
        if out.send(FromProber::Saw { at_ns, entry: Box::new(entry) }).is_err() {
            return;
        }
    }
}

/// Every role now, over connections of their own.
pub async fn ask_all(watchers: &[Rc<Watcher>]) -> BTreeMap<InstanceName, Option<Role>> {
    let asked = watchers.iter().map(|watcher| async move {
        let role = match look(watcher, &mut Kept::default(), PATIENCE_AT_ONCE).await {
            Look::Told(role, _) => Some(role),
            Look::Unknown(_) | Look::Ours => None,
        };
        (watcher.instance.clone(), role)
    });
    join_all(asked).await.into_iter().collect()
}

async fn look(watcher: &Watcher, kept: &mut Kept, patience: Duration) -> Look {
    let began = monotonic_ns();
    let answer = tokio::time::timeout(patience, watcher.asker.ask(kept)).await;
    let now = monotonic_ns();
    if let Ok(Some(role)) = answer {
        return Look::Told(role, now);
    }
    *kept = Kept::default();
    let took = Duration::from_nanos(now.saturating_sub(began));
    if answer.is_err() && took > patience + OWN_STALL { Look::Ours } else { Look::Unknown(now) }
}

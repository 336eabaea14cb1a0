//! What bears on the targets of a cluster, watched for all of a drill and written into its history.
//!
//! Invariant: between `Watched` and the next `Unwatched` every change of what can be read is told.
//! Where that cannot be sworn to, a gap is told instead: a feed broke off, or the server did not
//! answer. After a gap everything is listed anew.

mod endpoints;
mod facts;
mod feed;
pub(super) mod objects;
mod pulse;
mod scope;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use self::feed::{Arrived, Feed, News, Wanted};
use self::state::State;
use crate::backend::Happened;
use crate::host::kube::ApiClient;
use crate::model::cluster_seen::{ClusterFact, ClusterSeen};
use crate::model::history::Entry;

pub use self::scope::Scope;

/// Watches for as long as this is kept.
pub struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to watch. To be called within a runtime.
#[must_use]
pub fn begin(client: &ApiClient, scope: Scope, out: UnboundedSender<Happened>) -> Watching {
    let (sender, inbox) = unbounded_channel();
    let (anew, listens) = watch::channel(0);
    let late = pulse::Late::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(pulse::run(client.clone(), late.clone(), sender.clone()));
    let wanted = feed::wanted(&scope);
    for (number, wanted) in wanted.iter().cloned().enumerate() {
        let feed = Feed {
            number,
            client: client.clone(),
            wanted,
            out: sender.clone(),
            late: late.clone(),
            anew: listens.clone(),
        };
        tasks.spawn(feed.run());
    }
    let teller = Teller {
        context: scope.context.clone(),
        state: State::of(scope),
        listed: BTreeSet::new(),
        missing: (0..wanted.len()).collect(),
        wanted,
        watched: false,
        answers: true,
        told_gap: false,
        out,
        anew,
    };
    Watching(tokio::spawn(teller.run(inbox, tasks)).abort_handle())
}

/// From news to entries of a history.
struct Teller {
    context: String,
    wanted: Vec<Wanted>,
    state: State,
    /// Feeds that were listed at least once.
    listed: BTreeSet<usize>,
    /// Feeds that do not tell what happens.
    missing: BTreeSet<usize>,
    watched: bool,
    answers: bool,
    /// Is the gap that we are in on record? Before the first `Watched` it need not be.
    told_gap: bool,
    out: UnboundedSender<Happened>,
    anew: watch::Sender<u64>,
}

impl Teller {
    /// Ends when nobody listens. The tasks end with it.
    async fn run(mut self, mut inbox: UnboundedReceiver<Arrived>, tasks: JoinSet<()>) {
        while let Some(arrived) = inbox.recv().await {
            if self.take(arrived).is_none() {
                break;
            }
        }
        drop(tasks);
    }

    /// None: nobody listens any more.
    fn take(&mut self, arrived: Arrived) -> Option<()> {
        let Arrived { at_ns, late_ns, news } = arrived;
        let when = (at_ns, late_ns);
        match news {
            News::Listed(feed, objects) => {
                let first = self.listed.insert(feed);
                self.missing.remove(&feed);
                for fact in self.state.listed(feed, objects, first) {
                    self.tell(when, true, fact)?;
                }
            }
            News::Is(feed, object) => {
                for fact in self.state.is(feed, object) {
                    self.tell(when, false, fact)?;
                }
            }
            News::Gone(feed, object) => {
                for fact in self.state.gone(feed, object) {
                    self.tell(when, false, fact)?;
                }
            }
            News::Refused(feed, why) => {
                self.missing.remove(&feed);
                let what = self.wanted.get(feed).map(|w| w.what.clone()).unwrap_or_default();
                self.tell(when, false, ClusterFact::Unreadable { what, why })?;
            }
            News::Broken(feed, why) => {
                self.missing.insert(feed);
                self.gap(when, at_ns.saturating_sub(late_ns), why)?;
            }
            News::Silent(from_ns, why) => {
                self.answers = false;
                self.gap(when, from_ns, why)?;
            }
            News::Answers if !self.answers => {
                self.answers = true;
                // What a silent server still has to tell may come late, or never.
                self.missing = self.listed.clone();
                self.anew.send_modify(|round| *round += 1);
            }
            News::Answers => {}
        }
        self.settle(when)
    }

    fn gap(&mut self, when: (u64, u64), from_ns: u64, why: String) -> Option<()> {
        self.watched = false;
        if self.told_gap {
            return Some(());
        }
        self.told_gap = true;
        self.tell(when, false, ClusterFact::Unwatched { from_ns, why })
    }

    fn settle(&mut self, when: (u64, u64)) -> Option<()> {
        if self.watched || !self.answers || !self.missing.is_empty() {
            return Some(());
        }
        (self.watched, self.told_gap) = (true, false);
        self.tell(when, false, ClusterFact::Watched)
    }

    fn tell(&self, when: (u64, u64), listed: bool, fact: ClusterFact) -> Option<()> {
        let (at_ns, late_ns) = when;
        let context = self.context.clone();
        let entry = Entry::Cluster(Box::new(ClusterSeen { context, late_ns, listed, fact }));
        self.out.send(Happened::Seen { at_ns, entry: Box::new(entry) }).ok()
    }
}

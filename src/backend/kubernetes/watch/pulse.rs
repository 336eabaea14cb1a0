//! Does the server answer at all? A watch on one that stands still is silent, and silence is what a
//! watch says when nothing happens. So it is asked something cheap again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::feed::{Arrived, News};
use crate::host::cluster::ApiRequest;
use crate::host::kube::ApiClient;
use crate::host::linux::clock::monotonic_ns;

/// From one answer to the next question.
const EVERY: Duration = Duration::from_millis(500);
/// A server that takes longer does not tell what happens.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

/// How long the server takes to answer.
#[derive(Clone, Default)]
pub struct Late {
    /// Its last answer took so long, nanoseconds.
    last: Arc<AtomicU64>,
    /// When it was asked the question that it has not answered; 0 where it has.
    asked: Arc<AtomicU64>,
}

impl Late {
    /// So long news that come at that time may have been under way, nanoseconds.
    #[must_use]
    pub fn at(&self, now_ns: u64) -> u64 {
        let asked = self.asked.load(Ordering::Relaxed);
        let waiting = if asked == 0 { 0 } else { now_ns.saturating_sub(asked) };
        self.last.load(Ordering::Relaxed).max(waiting)
    }
}

/// Asks until nobody listens.
pub async fn run(client: ApiClient, late: Late, out: UnboundedSender<Arrived>) {
    // Whoever is known to a server may ask for its version.
    let question = ApiRequest::get("/version");
    let mut answered_ns = monotonic_ns();
    loop {
        let asked_ns = monotonic_ns();
        late.asked.store(asked_ns, Ordering::Relaxed);
        let answer = client.ask(&question, ANSWERS_WITHIN).await;
        let at_ns = monotonic_ns();
        let late_ns = at_ns - asked_ns;
        let news = match answer {
            Ok(_) => {
                answered_ns = at_ns;
                late.last.store(late_ns, Ordering::Relaxed);
                late.asked.store(0, Ordering::Relaxed);
                News::Answers
            }
            Err(error) => News::Silent(answered_ns, error.to_string()),
        };
        if out.send(Arrived { at_ns, late_ns, news }).is_err() {
            return;
        }
        tokio::time::sleep(EVERY).await;
    }
}

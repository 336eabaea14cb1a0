//! Watches an instance until every check passes, from a thread in the instance's own network
//! namespace: no fault on the wires can cut it.

use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::look;
use super::message::Endpoint;
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::netns;
use crate::model::identity::NetnsIdentity;
use crate::model::lab::Check;

/// Between two looks. A foreign program sends no event when it becomes ready.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One instance to be watched.
#[derive(Debug)]
pub struct Watch {
    pub run: Run,
    pub netns: NetnsIdentity,
    pub at: Endpoint,
    pub checks: Vec<Check>,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub deadline_ns: u64,
    /// Set when the process has ended: nobody waits any more.
    pub cancelled: Arc<AtomicBool>,
}

/// One life of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub instance: usize,
    pub number: u64,
}

/// What became of a watch: one datagram.
#[derive(Debug, Serialize, Deserialize)]
pub struct Finding {
    pub run: Run,
    /// Why it is not ready; None: it is.
    pub why: Option<String>,
}

/// Starts the thread; it sends one finding, or none when it is cancelled.
pub fn watch(watch: Watch, report: UnixDatagram) -> Result<(), HostError> {
    let body = move || {
        let found = netns::inside(&watch.netns, || until_ready(&watch));
        if watch.cancelled.load(Ordering::Relaxed) {
            return;
        }
        let why = found.unwrap_or_else(|e| Some(e.to_string()));
        let finding = Finding { run: watch.run, why };
        // The other end is gone only when the init is, and then so are we.
        let _ = serde_json::to_vec(&finding).map(|bytes| report.send(&bytes));
    };
    let thread = std::thread::Builder::new().name("readiness".to_owned());
    thread.spawn(body).map_err(|e| HostError::io("start a thread", e))?;
    Ok(())
}

/// None: ready.
fn until_ready(watch: &Watch) -> Result<Option<String>, HostError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| HostError::io("start a runtime", e))?;
    Ok(runtime.block_on(async {
        loop {
            let Err(why) = all(&watch.checks, watch.at).await else { return None };
            if watch.cancelled.load(Ordering::Relaxed) || monotonic_ns() >= watch.deadline_ns {
                return Some(why);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }))
}

async fn all(checks: &[Check], at: Endpoint) -> Result<(), String> {
    for check in checks {
        look(check, at).await?;
    }
    Ok(())
}

//! One probe in this process, asked slot by slot.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use squall::host::linux::clock::monotonic_ns;
use squall::probe::{Probe, Secrets, Seen, Setting, find};

pub const PATIENCE: Duration = Duration::from_millis(600);

pub fn setting(secrets: &[(&str, &str)]) -> Setting {
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Setting {
        session: "s1".to_owned(),
        deadline: Duration::from_millis(150),
        patience: PATIENCE,
        secrets: Secrets::new(secrets),
        clusters: Vec::new(),
    }
}

pub fn build(kind: &str, params: &Value, secrets: &[(&str, &str)]) -> Box<dyn Probe> {
    find(kind).unwrap().build(params, setting(secrets)).unwrap()
}

/// Runs on one thread, as the prober does.
pub fn local<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

/// One slot now.
pub async fn slot(probe: &dyn Probe, slot: u64) -> Seen {
    probe.observe(slot, monotonic_ns()).await
}

/// Builds, prepares, looks once.
pub fn look(kind: &str, params: &Value, secrets: &[(&str, &str)]) -> Seen {
    let probe = build(kind, params, secrets);
    local(async {
        probe.prepare().await;
        slot(probe.as_ref(), 0).await
    })
}

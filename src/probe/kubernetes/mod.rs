//! `kubernetes`: what an API server says of a workload, a Service or a Lease.
//!
//! The API server is a witness and not the system: where it does not answer, refuses, or answers
//! late, the slot is invalid, never good, and never held against what it was asked about. Each slot
//! is one request (two with `restartsAtMost`), with retries off. A few a second are enough: give
//! such a probe a low `rate`, and a `deadline` that a busy server can keep.

mod params;
mod reading;

use std::cell::RefCell;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use serde_json::Value;
use tokio::sync::OnceCell;

pub use params::Params;

use super::{Probe, ProbeKind, Seen, Setting};
use crate::host::cluster::ApiRequest;
use crate::host::kube::{ApiClient, ApiError};
use crate::host::linux::clock::monotonic_ns;
use crate::model::cluster::ClusterAccess;
use crate::model::observation::ErrorClass;
use params::Asked;
use reading::Held;

/// How long the connection may take to be made and the cluster to be known by its UID.
const OPENS_WITHIN: Duration = Duration::from_secs(1);

pub struct Kubernetes;

impl ProbeKind for Kubernetes {
    type Params = Params;

    const KIND: &'static str = "kubernetes";
    const SUMMARY: &'static str = "asks an API server of a workload, a Service or a Lease";
    const EXAMPLE: &'static str = "kubernetes: {deployment: shop/web, readyAtLeast: 2}";

    fn faults_of(params: &Params) -> Vec<String> {
        params.asked().err().into_iter().collect()
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        let asked = params.asked()?;
        let access = access(params.context.as_deref(), &setting.clusters)?;
        let (deadline, client) = (setting.deadline, OnceCell::new());
        Ok(Box::new(Witness { asked, access, client, held: RefCell::default(), deadline }))
    }
}

/// The cluster that is meant; the current context never is.
fn access(context: Option<&str>, known: &[ClusterAccess]) -> Result<ClusterAccess, String> {
    let named = |name: &str| known.iter().find(|access| access.cluster.context == name);
    let found = match (context, known) {
        (Some(name), _) => named(name),
        (None, [only]) => Some(only),
        (None, []) => None,
        (None, _) => return Err("the drill has several clusters; give `context`".to_owned()),
    };
    found.cloned().ok_or_else(|| {
        let which = context.map(|name| format!(" {name}")).unwrap_or_default();
        format!("no target of the experiment is in cluster{which}, so it is not known; declare one")
    })
}

struct Witness {
    asked: Asked,
    access: ClusterAccess,
    client: OnceCell<ApiClient>,
    /// Who held the Lease, for as long as it was renewed.
    held: RefCell<Held>,
    deadline: Duration,
}

impl Probe for Witness {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            // Slots will say what is wrong.
            let _unreached = self.client().await;
        })
    }

    fn observe(&self, _slot: u64, due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            let until_ns = due_ns + u64::try_from(self.deadline.as_nanos()).unwrap_or(u64::MAX);
            let left = Duration::from_nanos(until_ns.saturating_sub(monotonic_ns()));
            let answer = tokio::time::timeout(left, self.look(left)).await;
            let mut seen = Seen::now(match answer {
                Ok(Ok(fits)) => fits.then_some(()).ok_or(ErrorClass::Unavailable),
                _ => Err(ErrorClass::NoData),
            });
            // That a witness is slow says nothing about the system.
            if seen.done_ns > until_ns {
                seen.answer = Err(ErrorClass::NoData);
            }
            seen
        })
    }
}

impl Witness {
    async fn client(&self) -> Result<&ApiClient, ApiError> {
        self.client.get_or_try_init(|| ApiClient::of(&self.access, OPENS_WITHIN)).await
    }

    /// Is it as it should be? Errors: it is not known.
    async fn look(&self, within: Duration) -> Result<bool, ApiError> {
        let client = self.client().await?;
        let found: Value = match client.ask(&self.asked.request, within).await {
            // A workload that is gone has no pods, and a Lease that is gone no holder.
            Err(ApiError::NotFound { .. }) => return Ok(false),
            found => found?,
        };
        let wanted = &self.asked.wanted;
        if wanted.held {
            return Ok(self.held.borrow_mut().told(&found, monotonic_ns()));
        }
        if !reading::fits(&found, wanted) {
            return Ok(false);
        }
        let Some(most) = wanted.restarts_at_most else { return Ok(true) };
        let Some(labels) = reading::labels(&found) else { return Ok(false) };
        let pods = ApiRequest::get(self.asked.pods.clone()).with("labelSelector", labels);
        let pods: Vec<Value> = client.list(&pods, within).await?;
        Ok(pods.iter().map(reading::restarts).sum::<u64>() <= u64::from(most))
    }
}

//! [`BlockingClusters`]: for a part that does one thing at a time. It has a runtime of its own, and
//! opens a connection when a cluster is asked for the first time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::{ApiClient, ApiError};
use crate::host::HostError;
use crate::host::cluster::{ANSWERS_WITHIN, ApiRequest, Clusters};
use crate::host::linux::clock::monotonic_ns;
use crate::model::cluster::{ClusterAccess, ClusterIdentity};
use crate::model::history::Finding;

/// The clusters of one drill, as one part reaches them.
#[derive(Default)]
pub struct BlockingClusters {
    known: Vec<ClusterAccess>,
    open: BTreeMap<ClusterIdentity, ApiClient>,
    runtime: Option<Arc<Runtime>>,
    findings: Vec<Finding>,
}

impl BlockingClusters {
    #[must_use]
    pub fn new(known: Vec<ClusterAccess>) -> BlockingClusters {
        BlockingClusters { known, ..BlockingClusters::default() }
    }

    fn runtime(&mut self) -> Result<Arc<Runtime>, HostError> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| HostError::io("begin to ask API servers", e))?;
        Ok(Arc::clone(self.runtime.insert(Arc::new(runtime))))
    }

    fn access(&self, cluster: &ClusterIdentity) -> Result<ClusterAccess, HostError> {
        self.known.iter().find(|access| access.cluster == *cluster).cloned().ok_or_else(|| {
            let why = format!("nobody said how cluster {} is reached", cluster.context);
            HostError::io("ask the API server", std::io::Error::other(why))
        })
    }
}

impl Clusters for BlockingClusters {
    fn ask(&mut self, cluster: &ClusterIdentity, request: &ApiRequest) -> Result<Value, HostError> {
        let runtime = self.runtime()?;
        let limit = Limit::after(ANSWERS_WITHIN);
        let client = if let Some(client) = self.open.get(cluster) {
            client.clone()
        } else {
            let access = self.access(cluster)?;
            let client = runtime.block_on(ApiClient::of(&access, limit.left()))?;
            self.open.insert(cluster.clone(), client.clone());
            client
        };
        runtime.block_on(patiently(&client, request, limit)).map_err(|error| {
            // What no longer answers may have moved: the next request makes sure of it again.
            // Whose credentials ran out may have new ones in the file.
            let anew = matches!(
                error,
                ApiError::Unreachable { .. }
                    | ApiError::Late { .. }
                    | ApiError::Unauthorized { .. }
            );
            if anew {
                self.open.remove(cluster);
            }
            HostError::from(error)
        })
    }

    fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn found(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }
}

/// A point in time that several requests share.
#[derive(Clone, Copy)]
struct Limit(u64);

impl Limit {
    fn after(span: Duration) -> Limit {
        Limit(monotonic_ns() + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }

    fn left(self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(monotonic_ns()))
    }
}

/// A server that is busy says for how long, and is asked again where there is time for it. A
/// refusal for a budget's sake is an answer.
async fn patiently(
    client: &ApiClient,
    request: &ApiRequest,
    limit: Limit,
) -> Result<Value, ApiError> {
    loop {
        let left = limit.left();
        match client.ask(request, left).await {
            Err(ApiError::TooMany { budget: false, retry_after: Some(wait), .. })
                if wait + Duration::from_millis(100) < left =>
            {
                tokio::time::sleep(wait).await;
            }
            answer => return answer,
        }
    }
}

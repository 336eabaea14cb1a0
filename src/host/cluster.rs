//! What a fault may ask of an API server, through one request at a time.
//!
//! Invariant: a request is answered or given up within [`ANSWERS_WITHIN`], and never repeated
//! behind the caller's back, but where the server itself asks for patience.

use std::time::Duration;

use serde_json::Value;

use super::HostError;
use crate::model::cluster::ClusterIdentity;
use crate::model::history::Finding;

/// A verb of a fault asks twice at most, and must be shorter than a lease.
pub const ANSWERS_WITHIN: Duration = Duration::from_millis(1300);

/// One request, as it goes to the server.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRequest {
    pub verb: ApiVerb,
    /// `/api/v1/namespaces/shop/pods/web-1`.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub body: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVerb {
    Get,
    Create,
    /// Server-side apply.
    Apply,
    MergePatch,
    JsonPatch,
    Delete,
}

impl ApiRequest {
    #[must_use]
    pub fn new(verb: ApiVerb, path: impl Into<String>) -> ApiRequest {
        ApiRequest { verb, path: path.into(), query: Vec::new(), body: None }
    }

    #[must_use]
    pub fn get(path: impl Into<String>) -> ApiRequest {
        ApiRequest::new(ApiVerb::Get, path)
    }

    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> ApiRequest {
        self.query.push((key, value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: Value) -> ApiRequest {
        self.body = Some(body);
        self
    }
}

/// Clusters that a drill may touch.
pub trait Clusters {
    /// Asks an API server.
    ///
    /// Errors: `Gone` for what is not there; `Denied` where the user may not; `Refused` where
    /// the server understands and will not, or the context leads to another cluster by
    /// now; `Io` where it does not answer.
    fn ask(&mut self, cluster: &ClusterIdentity, request: &ApiRequest) -> Result<Value, HostError>;

    /// Keeps what a fault has found out, for whoever injects it.
    fn find(&mut self, finding: Finding);

    /// What was found since this was last asked.
    fn found(&mut self) -> Vec<Finding>;
}

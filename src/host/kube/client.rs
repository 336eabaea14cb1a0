//! An API server as we ask it: one try for each request, within a time of its own, and only the
//! fields that are wanted are kept.

use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use http::Request;
use kube::config::KubeConfigOptions;
use kube::{Client, Config};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ApiError, kubeconfig};
use crate::host::cluster::{ApiRequest, ApiVerb};
use crate::model::cluster::ClusterAccess;

/// Who owns the fields that squall sets.
pub const FIELD_MANAGER: &str = "squall";

/// Objects of one page of a list: the server's own clients ask for as many.
const PAGE: usize = 500;

static TLS: Once = Once::new();

/// A connection to one API server, by a context of a kubeconfig.
#[derive(Clone)]
pub struct ApiClient {
    pub(super) client: Client,
    context: String,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMetadata,
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: String,
    #[serde(default, rename = "resourceVersion")]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

impl ApiClient {
    /// Reads the kubeconfig; asks nothing yet. To be called within a runtime.
    ///
    /// Errors: the file, the context or its credentials cannot be used.
    pub async fn open(file: &Path, context: &str) -> Result<ApiClient, ApiError> {
        // The choice is the process's: whoever chose before us chose the same.
        TLS.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let read = kubeconfig::read(file)?;
        let unusable = |why: String| {
            let file = file.display();
            ApiError::Kubeconfig(format!("use context `{context}` of {file}: {why}"))
        };
        let options =
            KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(read, &options).await;
        let mut config = config.map_err(|error| unusable(error.to_string()))?;
        // A refusal is a finding, not a reason to ask again: an eviction that a budget refuses was
        // tried 15 times in 45 s otherwise.
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        let client = Client::try_from(config).map_err(|error| unusable(error.to_string()))?;
        Ok(ApiClient { client, context: context.to_owned() })
    }

    /// The same, and it must be that very cluster. Errors: `Moved` where it is another one.
    pub async fn of(access: &ClusterAccess, within: Duration) -> Result<ApiClient, ApiError> {
        let wanted = &access.cluster;
        let client = ApiClient::open(Path::new(&access.kubeconfig), &wanted.context).await?;
        let found = client.uid(within).await?;
        if found == wanted.uid {
            return Ok(client);
        }
        let (context, wanted) = (wanted.context.clone(), wanted.uid.clone());
        Err(ApiError::Moved { context, wanted, found })
    }

    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The UID of the cluster: that of its namespace `kube-system`.
    pub async fn uid(&self, within: Duration) -> Result<String, ApiError> {
        let request = ApiRequest::get("/api/v1/namespaces/kube-system");
        let found = self.ask(&request, within).await?;
        let uid = found.pointer("/metadata/uid").and_then(Value::as_str);
        uid.map(str::to_owned).ok_or_else(|| ApiError::Unreachable {
            what: "read the namespace kube-system".to_owned(),
            why: "it has no UID".to_owned(),
        })
    }

    /// `v1.34.4`.
    pub async fn version(&self, within: Duration) -> Result<String, ApiError> {
        let version: Version = self.typed(&ApiRequest::get("/version"), within).await?;
        Ok(version.git_version)
    }

    /// One request, one try.
    pub async fn ask(&self, request: &ApiRequest, within: Duration) -> Result<Value, ApiError> {
        self.typed(request, within).await
    }

    /// The same, keeping only what the type has fields for.
    pub async fn typed<T: DeserializeOwned>(
        &self,
        request: &ApiRequest,
        within: Duration,
    ) -> Result<T, ApiError> {
        let what = words(request);
        let built =
            build(request).map_err(|why| ApiError::Unreachable { what: what.clone(), why })?;
        match tokio::time::timeout(within, self.client.request_text(built)).await {
            Ok(Ok(text)) => serde_json::from_str(&text).map_err(|error| {
                let why = format!("the answer cannot be read: {error}");
                ApiError::Unreachable { what, why }
            }),
            Ok(Err(error)) => Err(ApiError::of(&what, error)),
            Err(_) => Err(ApiError::Late { what, within }),
        }
    }

    /// Every object of a list, page by page; `within` is for each page. Where the server asks for
    /// patience it gets it.
    pub async fn list<T: DeserializeOwned>(
        &self,
        request: &ApiRequest,
        within: Duration,
    ) -> Result<Vec<T>, ApiError> {
        self.list_at(request, within).await.map(|(all, _)| all)
    }

    /// The same, with the version that a watch goes on from.
    pub async fn list_at<T: DeserializeOwned>(
        &self,
        request: &ApiRequest,
        within: Duration,
    ) -> Result<(Vec<T>, String), ApiError> {
        let mut all = Vec::new();
        let mut next = String::new();
        loop {
            let mut page = request.clone().with("limit", PAGE.to_string());
            if !next.is_empty() {
                page = page.with("continue", next);
            }
            let mut page: Page<T> = match self.typed(&page, within).await {
                Err(ApiError::TooMany { retry_after: Some(wait), .. }) if wait <= within => {
                    tokio::time::sleep(wait).await;
                    self.typed(&page, within).await?
                }
                page => page?,
            };
            all.extend(page.items);
            next = std::mem::take(&mut page.metadata.next);
            if next.is_empty() {
                return Ok((all, page.metadata.version));
            }
        }
    }
}

/// `get /api/v1/nodes`, for messages.
pub(super) fn words(request: &ApiRequest) -> String {
    let verb = match request.verb {
        ApiVerb::Get => "get",
        ApiVerb::Create => "create",
        ApiVerb::Apply => "apply",
        ApiVerb::MergePatch | ApiVerb::JsonPatch => "patch",
        ApiVerb::Delete => "delete",
    };
    format!("{verb} {}", request.path)
}

pub(super) fn build(request: &ApiRequest) -> Result<Request<Vec<u8>>, String> {
    let (method, content) = match request.verb {
        ApiVerb::Get => ("GET", "application/json"),
        ApiVerb::Create => ("POST", "application/json"),
        ApiVerb::Apply => ("PATCH", "application/apply-patch+yaml"),
        ApiVerb::MergePatch => ("PATCH", "application/merge-patch+json"),
        ApiVerb::JsonPatch => ("PATCH", "application/json-patch+json"),
        ApiVerb::Delete => ("DELETE", "application/json"),
    };
    let mut query = request.query.clone();
    let named = query.iter().any(|(key, _)| *key == "fieldManager");
    if !named && !matches!(request.verb, ApiVerb::Get | ApiVerb::Delete) {
        query.push(("fieldManager", FIELD_MANAGER.to_owned()));
    }
    let query: Vec<String> =
        query.iter().map(|(key, value)| format!("{key}={}", escaped(value))).collect();
    let uri = if query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, query.join("&"))
    };
    let body = request.body.as_ref().map(serde_json::to_vec).transpose();
    let body = body.map_err(|error| error.to_string())?.unwrap_or_default();
    Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", content)
        .header("accept", "application/json")
        .body(body)
        .map_err(|error| error.to_string())
}

/// A value as it may stand in a query.
fn escaped(value: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_built_as_the_server_expects_it() {
        let request = ApiRequest::get("/api/v1/pods").with("labelSelector", "app=web,tier in (a)");
        let built = build(&request).unwrap();
        let uri = "/api/v1/pods?labelSelector=app%3Dweb%2Ctier%20in%20%28a%29";
        assert_eq!(built.uri().to_string(), uri);
        assert_eq!(built.method(), "GET");
        assert!(built.body().is_empty());
        let patch = ApiRequest::new(ApiVerb::Apply, "/api/v1/nodes/n1").body(serde_json::json!({}));
        let built = build(&patch).unwrap();
        assert_eq!(built.uri().to_string(), "/api/v1/nodes/n1?fieldManager=squall");
        assert_eq!(built.headers()["content-type"], "application/apply-patch+yaml");
        assert_eq!(words(&patch), "apply /api/v1/nodes/n1");
    }
}

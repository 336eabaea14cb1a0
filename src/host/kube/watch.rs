//! A stream of changes from an API server, from a version of a list on. It is never taken up again
//! by itself: whoever reads it knows when it broke off.

use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::core::{Status, WatchEvent};
use serde::de::DeserializeOwned;

use super::client::{build, words};
use super::{ApiClient, ApiError};
use crate::host::cluster::ApiRequest;

/// The server ends a watch after that long; no drill is longer.
const LASTS: Duration = Duration::from_hours(24);

/// One line of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// It is so now.
    Is(T),
    /// It was so at last, and is there no more.
    Gone(T),
    /// Nothing of ours changed; the watch is up to this version.
    Bookmark(String),
}

impl ApiClient {
    /// Begins to watch what the request lists, from that version on; `within` is for the beginning.
    ///
    /// Errors: as of any request. An item that is an error is the last.
    pub async fn watch<T: DeserializeOwned + Clone>(
        &self,
        request: &ApiRequest,
        version: &str,
        within: Duration,
    ) -> Result<impl Stream<Item = Result<Change<T>, ApiError>> + use<T>, ApiError> {
        let what = words(request).replacen("get", "watch", 1);
        let request = request
            .clone()
            .with("watch", "true")
            .with("resourceVersion", version)
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", LASTS.as_secs().to_string());
        let built =
            build(&request).map_err(|why| ApiError::Unreachable { what: what.clone(), why })?;
        let begun = tokio::time::timeout(within, self.client.request_events::<T>(built)).await;
        let stream = match begun {
            Ok(stream) => stream.map_err(|error| ApiError::of(&what, error))?,
            Err(_) => return Err(ApiError::Late { what, within }),
        };
        Ok(stream.map(move |item| match item {
            Ok(WatchEvent::Added(thing) | WatchEvent::Modified(thing)) => Ok(Change::Is(thing)),
            Ok(WatchEvent::Deleted(thing)) => Ok(Change::Gone(thing)),
            Ok(WatchEvent::Bookmark(mark)) => Ok(Change::Bookmark(mark.metadata.resource_version)),
            Ok(WatchEvent::Error(status)) => Err(broken(&what, &status)),
            Err(error) => Err(ApiError::of(&what, error)),
        }))
    }
}

/// 410 where the version is too old to go on from.
fn broken(what: &str, status: &Status) -> ApiError {
    ApiError::of(what, kube::Error::Api(Box::new(status.clone())))
}

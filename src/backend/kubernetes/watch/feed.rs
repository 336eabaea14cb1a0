//! One list, and the watch that goes on from it, for as long as anybody listens.
//!
//! A watch that the server ends in good order goes on from the version that it had come to. After
//! anything else it is listed anew: what happened in between is not known, and that is told.

use std::time::Duration;

use futures::StreamExt;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch::Receiver;

use super::objects::{self, Object};
use super::scope::Scope;
use crate::host::cluster::ApiRequest;
use crate::host::kube::watch::Change;
use crate::host::kube::{ApiClient, ApiError};
use crate::host::linux::clock::monotonic_ns;
use crate::model::cluster::Resource;

/// A page of a list, or the beginning of a watch.
const BEGINS_WITHIN: Duration = Duration::from_secs(5);
/// From a watch that broke off to the next try.
const PAUSE: Duration = Duration::from_millis(200);

/// What a feed, or the pulse, says.
pub enum News {
    /// All that is there, and from here on every change.
    Listed(usize, Vec<Object>),
    Is(usize, Object),
    Gone(usize, Object),
    /// Changes are not told any more.
    Broken(usize, String),
    /// They never will be.
    Refused(usize, String),
    /// The server answers.
    Answers,
    /// It has not answered since then.
    Silent(u64, String),
}

/// When the news came, and how long it may have been under way.
pub struct Arrived {
    pub at_ns: u64,
    pub late_ns: u64,
    pub news: News,
}

/// What one feed reads.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// `endpointslices of shop`
    pub what: String,
    request: ApiRequest,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Pods,
    Nodes,
    Slices,
    Workloads(Resource),
    Budgets,
    Leases,
    Events,
}

/// Everything that bears on the targets.
pub fn wanted(scope: &Scope) -> Vec<Wanted> {
    let of = |what: &str, namespace: &str, (group, kind): (&str, Kind)| Wanted {
        what: format!("{what} of {namespace}"),
        request: ApiRequest::get(format!("{group}/namespaces/{namespace}/{what}")),
        kind,
    };
    let nodes = ApiRequest::get(Resource::Node.path(None));
    let mut all = vec![Wanted { what: "nodes".to_owned(), request: nodes, kind: Kind::Nodes }];
    for namespace in &scope.namespaces {
        all.push(of("pods", namespace, ("/api/v1", Kind::Pods)));
        let discovery = "/apis/discovery.k8s.io/v1";
        all.push(of("endpointslices", namespace, (discovery, Kind::Slices)));
        all.push(of("poddisruptionbudgets", namespace, ("/apis/policy/v1", Kind::Budgets)));
        all.push(of("events", namespace, ("/api/v1", Kind::Events)));
    }
    // Where events of nodes lie.
    if !scope.namespaces.contains("default") {
        let events = of("events", "default", ("/api/v1", Kind::Events));
        let request = events.request.clone().with("fieldSelector", "involvedObject.kind=Node");
        all.push(Wanted { request, ..events });
    }
    for (resource, namespace) in &scope.kinds {
        all.push(of(&resource.plural(), namespace, ("/apis/apps/v1", Kind::Workloads(*resource))));
    }
    for (namespace, lease) in &scope.leases {
        let group = "/apis/coordination.k8s.io/v1";
        let leases = of("leases", namespace, (group, Kind::Leases));
        let request =
            leases.request.clone().with("fieldSelector", format!("metadata.name={lease}"));
        all.push(Wanted { what: format!("lease {namespace}/{lease}"), request, ..leases });
    }
    all
}

/// A feed at work.
pub struct Feed {
    pub number: usize,
    pub client: ApiClient,
    pub wanted: Wanted,
    pub out: UnboundedSender<Arrived>,
    /// How long the server takes to answer, nanoseconds.
    pub late: super::pulse::Late,
    /// Changes whenever everything is to be listed anew.
    pub anew: Receiver<u64>,
}

/// Why a watch ended.
enum End {
    /// In good order, at that version.
    Closed(String),
    Broken(String),
    Refused(String),
    /// It is to be listed anew.
    Anew,
    Unheard,
}

impl Feed {
    pub async fn run(self) {
        match self.wanted.kind {
            Kind::Pods => self.follow(Object::Pod).await,
            Kind::Nodes => self.follow(Object::Node).await,
            Kind::Slices => self.follow(Object::Slice).await,
            Kind::Workloads(of) => {
                let kind = of.kind();
                self.follow(move |w: objects::Workload| Object::Workload(kind, w)).await;
            }
            Kind::Budgets => self.follow(Object::Budget).await,
            Kind::Leases => self.follow(Object::Lease).await,
            Kind::Events => self.follow(Object::Event).await,
        }
    }

    async fn follow<T: DeserializeOwned + Clone>(mut self, wrap: impl Fn(T) -> Object) {
        let mut version = None;
        loop {
            self.anew.mark_unchanged();
            let broken = match self.once(version.take(), &wrap).await {
                End::Closed(at) => {
                    version = Some(at);
                    continue;
                }
                End::Anew => continue,
                End::Refused(why) => {
                    self.say(News::Refused(self.number, why));
                    return;
                }
                End::Unheard => return,
                End::Broken(why) => News::Broken(self.number, why),
            };
            if !self.say(broken) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// From a version, or from a list.
    async fn once<T: DeserializeOwned + Clone>(
        &mut self,
        version: Option<String>,
        wrap: &impl Fn(T) -> Object,
    ) -> End {
        let request = &self.wanted.request;
        let mut version = match version {
            Some(version) => version,
            None => match self.client.list_at::<T>(request, BEGINS_WITHIN).await {
                Ok((all, version)) => {
                    let all = all.into_iter().map(wrap).collect();
                    if !self.say(News::Listed(self.number, all)) {
                        return End::Unheard;
                    }
                    version
                }
                Err(error) => return ended(error),
            },
        };
        let stream = match self.client.watch::<T>(request, &version, BEGINS_WITHIN).await {
            Ok(stream) => stream,
            Err(error) => return ended(error),
        };
        let mut stream = std::pin::pin!(stream);
        loop {
            let change = tokio::select! {
                change = stream.next() => change,
                _ = self.anew.changed() => return End::Anew,
            };
            let news = match change {
                None => return End::Closed(version),
                Some(Err(error)) => return ended(error),
                Some(Ok(Change::Bookmark(at))) => {
                    version = at;
                    continue;
                }
                Some(Ok(Change::Is(thing))) => News::Is(self.number, wrap(thing)),
                Some(Ok(Change::Gone(thing))) => News::Gone(self.number, wrap(thing)),
            };
            if !self.say(news) {
                return End::Unheard;
            }
        }
    }

    /// False: nobody listens any more.
    fn say(&self, news: News) -> bool {
        let at_ns = monotonic_ns();
        self.out.send(Arrived { at_ns, late_ns: self.late.at(at_ns), news }).is_ok()
    }
}

fn ended(error: ApiError) -> End {
    match error {
        ApiError::Forbidden { .. } | ApiError::NotFound { .. } => End::Refused(error.to_string()),
        error => End::Broken(error.to_string()),
    }
}

//! `http`: one request a slot, with our own connector, so that every phase is timed and a
//! connection is used again only when the experiment says so. No redirects, proxies or retries.

mod client;
mod params;

use futures::future::LocalBoxFuture;

pub use params::{Connection, Params, Statuses};

use super::wire::tls::TlsParams;
use super::{Probe, ProbeKind, SecretRef, Seen, Setting};
use crate::model::observation::ErrorClass;
use client::Client;

pub struct Http;

impl ProbeKind for Http {
    type Params = Params;

    const KIND: &'static str = "http";
    const SUMMARY: &'static str = "asks for a page and looks at its status and body";
    const EXAMPLE: &'static str =
        r#"http: {url: "http://{{lab.web}}/", status: [200, 204], expect: hello}"#;

    fn secrets(params: &Params) -> Vec<SecretRef> {
        let headers = params.secret_headers.values().cloned();
        headers.chain(params.tls.iter().flat_map(TlsParams::secrets)).collect()
    }

    fn faults_of(params: &Params) -> Vec<String> {
        params.faults_of()
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        if let Some(fault) = params.faults_of().into_iter().next() {
            return Err(fault);
        }
        let patience = setting.patience;
        Ok(Box::new(Browser { client: Client::new(&params, &setting)?, patience }))
    }
}

struct Browser {
    client: Client,
    patience: std::time::Duration,
}

impl Probe for Browser {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.client.prepare())
    }

    fn observe(&self, _slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            let mut phases = crate::model::observation::Phases::default();
            let look = self.client.ask(&mut phases);
            let answer = tokio::time::timeout(self.patience, look).await;
            let seen = Seen::now(answer.unwrap_or(Err(ErrorClass::Timeout)));
            Seen { phases: Some(phases), ..seen }
        })
    }
}

//! `grpc`: asks the standard health service (`grpc.health.v1.Health/Check`), one call a slot, over
//! connections of our own. No channel stands in between: what reconnects, queues or waits by itself
//! would hide the very outage that is looked for.

mod class;
mod client;
mod link;
mod params;

use std::time::Duration;

use futures::future::LocalBoxFuture;

pub use params::{Connections, Params};

use super::wire::tls::TlsParams;
use super::{Probe, ProbeKind, SecretRef, Seen, Setting};
use crate::model::observation::{ErrorClass, Phases};
use client::Client;

pub struct Grpc;

impl ProbeKind for Grpc {
    type Params = Params;

    const KIND: &'static str = "grpc";
    const SUMMARY: &'static str = "asks the standard gRPC health service";
    const EXAMPLE: &'static str = r#"grpc: {address: "{{lab.etcd}}", connection: kept}"#;

    fn secrets(params: &Params) -> Vec<SecretRef> {
        params.tls.iter().flat_map(TlsParams::secrets).collect()
    }

    fn faults_of(params: &Params) -> Vec<String> {
        params.faults_of()
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        if let Some(fault) = params.faults_of().into_iter().next() {
            return Err(fault);
        }
        let patience = setting.patience;
        Ok(Box::new(Caller { client: Client::new(params, &setting)?, patience }))
    }
}

struct Caller {
    client: Client,
    patience: Duration,
}

impl Probe for Caller {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.client.prepare())
    }

    fn observe(&self, _slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            let mut phases = Phases::default();
            let call = self.client.ask(&mut phases);
            let answer = tokio::time::timeout(self.patience, call).await;
            let seen = Seen::now(answer.unwrap_or(Err(ErrorClass::Timeout)));
            Seen { phases: Some(phases), ..seen }
        })
    }
}

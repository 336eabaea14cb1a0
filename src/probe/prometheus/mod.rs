//! `prometheus`: what Prometheus has measured, by an instant query a slot.
//!
//! Prometheus is a witness and not the system. What it cannot tell (no sample, an old one, no
//! number, no answer, a late one) is invalid: never good, and never held against the system. What
//! it tells is as old as the sample that it rests on, and no edge of an outage is known better.

mod client;
mod params;
mod query;
mod reading;

use std::time::Duration;

use futures::future::LocalBoxFuture;

pub use params::{Expectation, Params};

use super::wire::tls::TlsParams;
use super::{Probe, ProbeKind, SecretRef, Seen, Setting};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use client::Client;
use reading::{Reading, Rule};

pub struct Prometheus;

impl ProbeKind for Prometheus {
    type Params = Params;

    const KIND: &'static str = "prometheus";
    const SUMMARY: &'static str = "asks Prometheus what it has measured";
    const EXAMPLE: &'static str = "prometheus: {url: 'http://10.66.0.20:9090', \
                                   query: 'up{job=\"shop\"}', expect: {atLeast: 1}}";

    fn secrets(params: &Params) -> Vec<SecretRef> {
        let headers = params.secret_headers.values().chain(&params.bearer).cloned();
        headers.chain(params.tls.iter().flat_map(TlsParams::secrets)).collect()
    }

    fn faults_of(params: &Params) -> Vec<String> {
        params.faults_of()
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        if let Some(fault) = params.faults_of().into_iter().next() {
            return Err(fault);
        }
        let client = Client::new(&params, &setting)?;
        Ok(Box::new(Reader { client, rule: Rule::of(&params)?, deadline: setting.deadline }))
    }
}

struct Reader {
    client: Client,
    rule: Rule,
    deadline: Duration,
}

impl Probe for Reader {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.client.prepare())
    }

    fn check(&self) -> LocalBoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let written = self.client.ask_plainly().await;
            let whole = self.client.ask(&mut Phases::default()).await;
            for (status, body) in [written, whole].into_iter().flatten() {
                reading::objection(status, &body).map_or(Ok(()), Err)?;
            }
            Ok(())
        })
    }

    fn observe(&self, _slot: u64, due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            let until_ns = due_ns + u64::try_from(self.deadline.as_nanos()).unwrap_or(u64::MAX);
            let left = Duration::from_nanos(until_ns.saturating_sub(monotonic_ns()));
            let mut phases = Phases::default();
            let answer = tokio::time::timeout(left, self.client.ask(&mut phases)).await;
            let reading = match answer {
                Ok(Ok((200, body))) => self.rule.read(&body),
                _ => Reading::nothing(),
            };
            let mut seen = Seen::now(reading.answer);
            // That a witness is slow says nothing about the system.
            if seen.done_ns > until_ns {
                seen.answer = Err(ErrorClass::NoData);
            }
            let age_ns = reading.age_ns.filter(|_| seen.answer != Err(ErrorClass::NoData));
            Seen { phases: Some(phases), age_ns, ..seen }
        })
    }
}

//! `dns`: one question to one name server a slot. No cache, no second try, no search list, no other
//! server: what a resolver does to hide an outage is left out.

mod exchange;
mod params;
mod question;

use std::time::Duration;

use futures::future::LocalBoxFuture;

pub use params::{Params, RecordKind, Transport};

use super::{Probe, ProbeKind, Seen, Setting};
use crate::model::observation::{ErrorClass, Phases};
use exchange::Exchange;

pub struct Dns;

impl ProbeKind for Dns {
    type Params = Params;

    const KIND: &'static str = "dns";
    const SUMMARY: &'static str = "asks one name server for one name";
    const EXAMPLE: &'static str =
        r#"dns: {server: "{{lab.dns}}", name: shop.test, type: A, expect: '^10\.66\.'}"#;

    fn faults_of(params: &Params) -> Vec<String> {
        params.faults_of()
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        if let Some(fault) = params.faults_of().into_iter().next() {
            return Err(fault);
        }
        let patience = setting.patience;
        Ok(Box::new(Asker { exchange: Exchange::new(&params)?, patience }))
    }
}

struct Asker {
    exchange: Exchange,
    patience: Duration,
}

impl Probe for Asker {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.exchange.prepare())
    }

    fn observe(&self, _slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            let mut phases = Phases::default();
            let look = self.exchange.ask(&mut phases);
            let answer = tokio::time::timeout(self.patience, look).await;
            let seen = Seen::now(answer.unwrap_or(Err(ErrorClass::Timeout)));
            if matches!(seen.answer, Err(ErrorClass::Refused | ErrorClass::Unreachable)) {
                self.exchange.doubt();
            }
            Seen { phases: Some(phases), ..seen }
        })
    }
}

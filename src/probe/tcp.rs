//! `tcp`: connects, and where asked sends a text and matches what comes back.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use regex::bytes::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::connect::{self, Farewell};
use super::wire::endpoint::Endpoint;
use super::wire::error::class_of;
use super::{Probe, ProbeKind, Seen, Setting};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};

/// A reply that has not matched within this many bytes is a wrong one.
const REPLY_LONGEST: usize = 64 << 10;

/// A new connection for every slot. It is ended with a reset, so that no port stays in
/// `TIME_WAIT`. Without `expect` a connection (and a send that is taken) is a right answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Params {
    /// `HOST:PORT`, `[fd66::11]:6379`, or `{{lab.SERVICE}}`.
    pub address: String,
    /// Sent once connected.
    #[serde(default)]
    pub send: Option<String>,
    /// A regular expression that the reply must contain.
    #[serde(default)]
    pub expect: Option<String>,
}

pub struct Tcp;

impl ProbeKind for Tcp {
    type Params = Params;

    const KIND: &'static str = "tcp";
    const SUMMARY: &'static str = "connects, sends, and matches the reply";
    const EXAMPLE: &'static str =
        r#"tcp: {address: "{{lab.redis}}", send: "PING\r\n", expect: PONG}"#;

    fn faults_of(params: &Params) -> Vec<String> {
        let wrong = params.expect.as_deref().and_then(|text| Regex::new(text).err());
        wrong.map(|e| format!("`expect` is not a regular expression: {e}")).into_iter().collect()
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        let expect = params.expect.as_deref().map(Regex::new).transpose();
        Ok(Box::new(Tap {
            endpoint: Endpoint::parse(&params.address)?,
            send: params.send.unwrap_or_default(),
            expect: expect.map_err(|e| format!("`expect` is not a regular expression: {e}"))?,
            setting,
        }))
    }
}

struct Tap {
    endpoint: Rc<Endpoint>,
    send: String,
    expect: Option<Regex>,
    setting: Setting,
}

impl Probe for Tap {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.endpoint.prepare())
    }

    fn observe(&self, _slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            let mut phases = Phases::default();
            let look = self.look(&mut phases);
            let answer = tokio::time::timeout(self.setting.patience, look).await;
            let seen = Seen::now(answer.unwrap_or(Err(ErrorClass::Timeout)));
            if matches!(seen.answer, Err(ErrorClass::Refused | ErrorClass::Unreachable)) {
                self.endpoint.doubt();
            }
            Seen { phases: Some(phases), ..seen }
        })
    }
}

impl Tap {
    async fn look(&self, phases: &mut Phases) -> Result<(), ErrorClass> {
        let began = monotonic_ns();
        let to = self.endpoint.address()?;
        let stream = connect::tcp(to, Farewell::Abrupt).await;
        let mut stream = stream.map_err(|e| class_of(&e))?;
        let connected = monotonic_ns();
        phases.connect = connected - began;
        stream.write_all(self.send.as_bytes()).await.map_err(|e| class_of(&e))?;
        let Some(expect) = &self.expect else { return Ok(()) };
        let mut reply = Vec::with_capacity(256);
        while reply.len() < REPLY_LONGEST {
            let before = reply.len();
            match stream.read_buf(&mut reply).await {
                Ok(0) if before == 0 => return Err(ErrorClass::Reset),
                Ok(0) => return Err(ErrorClass::WrongAnswer),
                Ok(_) => {}
                Err(e) => return Err(class_of(&e)),
            }
            if before == 0 {
                phases.first_byte = monotonic_ns() - connected;
            }
            if expect.is_match(&reply) {
                phases.body = monotonic_ns() - connected - phases.first_byte;
                return Ok(());
            }
        }
        Err(ErrorClass::WrongAnswer)
    }
}

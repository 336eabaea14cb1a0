//! Asks Sentinels who the primary is, as a client library does.
//!
//! They are asked in turn, beginning with the one that answered last; the next is asked at once
//! after a refusal, or when one has not answered for a moment. The first that knows decides.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use redis::{RedisConnectionInfo, Value};

use super::link::{Credentials, Link};
use crate::model::observation::ErrorClass;
use crate::probe::wire::endpoint::Endpoint;

/// How long one Sentinel is waited for before the next is asked as well.
const PATIENCE_EACH: Duration = Duration::from_millis(50);

pub struct Sentinels {
    name: String,
    all: Vec<Rc<Endpoint>>,
    answered_last: Cell<usize>,
}

impl Sentinels {
    pub fn new(name: &str, addresses: &str) -> Result<Sentinels, String> {
        let all = addresses.split(',').map(|text| Endpoint::parse(text.trim()));
        Ok(Sentinels {
            name: name.to_owned(),
            all: all.collect::<Result<_, _>>()?,
            answered_last: Cell::new(0),
        })
    }

    pub async fn prepare(&self) {
        for endpoint in &self.all {
            endpoint.prepare().await;
        }
    }

    /// Errors: `NoPrimary` when one answered and none knows; else why none could be asked.
    pub async fn primary(
        &self,
        credentials: &Credentials,
        within: Duration,
    ) -> Result<SocketAddr, ErrorClass> {
        let order = (0..self.all.len()).map(|i| (self.answered_last.get() + i) % self.all.len());
        let mut waiting = order;
        let mut asked = FuturesUnordered::new();
        let mut worst = ErrorClass::Unreachable;
        loop {
            if let Some(index) = waiting.next() {
                asked.push(self.ask(index, credentials, within));
            }
            let Ok(answer) = tokio::time::timeout(PATIENCE_EACH, asked.next()).await else {
                continue;
            };
            match answer {
                Some((index, Ok(Some(primary)))) => {
                    self.answered_last.set(index);
                    return Ok(primary);
                }
                Some((_, Ok(None))) => worst = ErrorClass::NoPrimary,
                Some((_, Err(class))) if worst != ErrorClass::NoPrimary => worst = class,
                Some(_) => {}
                None => return Err(worst),
            }
        }
    }

    async fn ask(
        &self,
        index: usize,
        credentials: &Credentials,
        within: Duration,
    ) -> (usize, Result<Option<SocketAddr>, ErrorClass>) {
        (index, self.ask_one(&self.all[index], credentials, within).await)
    }

    async fn ask_one(
        &self,
        endpoint: &Rc<Endpoint>,
        credentials: &Credentials,
        within: Duration,
    ) -> Result<Option<SocketAddr>, ErrorClass> {
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        let link = Link::open_as(endpoint.address()?, credentials, &nobody, within).await;
        let link = link.inspect_err(|_| endpoint.doubt())?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name);
        let answer = link.ask(&question).await.map_err(|failure| failure.class)?;
        Ok(address_in(&answer))
    }
}

/// A Sentinel may be behind: only one that calls itself primary is one.
pub async fn check_role(link: &Link) -> Result<(), ErrorClass> {
    let answer = link.ask(&redis::cmd("ROLE")).await.map_err(|failure| failure.class)?;
    match &answer {
        Value::Array(parts) if parts.first().and_then(text_of) == Some("master") => Ok(()),
        _ => Err(ErrorClass::ReadOnly),
    }
}

/// `[address, port]`; nil: it knows none of that name.
fn address_in(answer: &Value) -> Option<SocketAddr> {
    let Value::Array(parts) = answer else { return None };
    let [address, port] = parts.as_slice() else { return None };
    let address: IpAddr = text_of(address)?.parse().ok()?;
    Some(SocketAddr::new(address, text_of(port)?.parse().ok()?))
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

//! `redis`: writes, and where asked keeps a ledger of what was acknowledged; through Sentinel as a
//! real client does, or at a fixed address.

mod failure;
mod ledger;
mod link;
mod params;
mod road;
mod sentinel;

use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;

pub use params::Params;

use super::wire::tls::TlsParams;
use super::{Probe, ProbeKind, SecretRef, Seen, Setting};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, LedgerRead, WriteFate};
use failure::Failure;
use link::Link;
use params::Question;
use road::Road;

pub struct Redis;

impl ProbeKind for Redis {
    type Params = Params;

    const KIND: &'static str = "redis";
    const SUMMARY: &'static str = "writes to Redis, and reads back what was acknowledged";
    const EXAMPLE: &'static str = "redis: {sentinel: mymaster, ledger: true}";

    fn secrets(params: &Params) -> Vec<SecretRef> {
        let password = params.password.iter().cloned();
        password.chain(params.tls.iter().flat_map(TlsParams::secrets)).collect()
    }

    fn faults_of(params: &Params) -> Vec<String> {
        params.faults_of()
    }

    fn keeps_ledger(params: &Params) -> bool {
        params.ledger
    }

    fn build(params: Params, setting: Setting) -> Result<Box<dyn Probe>, String> {
        if let Some(fault) = params.faults_of().into_iter().next() {
            return Err(fault);
        }
        Ok(Box::new(Client {
            road: Road::new(&params, &setting)?,
            question: Question::of(&params),
            session: setting.session,
            deadline: setting.deadline,
            patience: setting.patience,
        }))
    }
}

struct Client {
    road: Rc<Road>,
    question: Question,
    session: String,
    deadline: Duration,
    patience: Duration,
}

impl Probe for Client {
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.road.prepare())
    }

    fn observe(&self, slot: u64, _due_ns: u64) -> LocalBoxFuture<'_, Seen> {
        Box::pin(async move {
            // Whatever happens between here and the send is a write that was never sent.
            let give_up = monotonic_ns().saturating_add(nanos(self.patience));
            let link = match within(give_up, self.road.link()).await {
                Some(Ok(link)) => link,
                Some(Err(class)) => return self.seen(Err(Failure::before_send(class)), None),
                None => {
                    return self.seen(Err(Failure::before_send(ErrorClass::Timeout)), None);
                }
            };
            // Counted from the send, as a client's own timeout is: a slot that waited long for its
            // link must not abandon it at once.
            let deadline = monotonic_ns().saturating_add(nanos(self.deadline)).min(give_up);
            let asked = self.ask(&link, slot);
            tokio::pin!(asked);
            let mut answer = within(deadline, &mut asked).await;
            if answer.is_none() {
                // A client that waits no longer: later slots take a new connection, this one
                // stays to learn whether the answer is late or lost.
                self.road.abandon(&link);
                answer = within(give_up, &mut asked).await;
            }
            let answer = answer.unwrap_or(Err(Failure::after_send(ErrorClass::Timeout)));
            if answer.is_err() {
                self.road.abandon(&link);
            }
            self.seen(answer, Some(&link))
        })
    }

    fn read_ledger(&self, round: u8) -> Option<LocalBoxFuture<'_, LedgerRead>> {
        (self.question == Question::Ledger)
            .then(|| Box::pin(ledger::read(&self.road, &self.session, round)) as _)
    }
}

impl Client {
    async fn ask(&self, link: &Link, slot: u64) -> Result<(), Failure> {
        match self.question {
            Question::Ledger => ledger::append(link, &self.session, slot).await,
            Question::Write => ledger::write_and_read(link, &self.session, slot).await,
            Question::Read => ledger::look(link).await,
        }
    }

    fn seen(&self, answer: Result<(), Failure>, link: Option<&Rc<Link>>) -> Seen {
        let fate = match &answer {
            Ok(()) => WriteFate::Acknowledged,
            Err(failure) => failure.fate,
        };
        Seen {
            write: (self.question == Question::Ledger).then_some(fate),
            peer: link.map(|link| link.peer.to_string()),
            ..Seen::now(answer.map_err(|failure| failure.class))
        }
    }
}

/// None: the time came first.
async fn within<F: Future>(until_ns: u64, work: F) -> Option<F::Output> {
    let left = Duration::from_nanos(until_ns.saturating_sub(monotonic_ns()));
    tokio::time::timeout(left, work).await.ok()
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

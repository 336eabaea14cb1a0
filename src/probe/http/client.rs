//! Asks over HTTP/1.1 and times each phase.
//!
//! A kept connection carries one request at a time, so slots that overlap open more. A connection
//! on which anything failed is never used again.

use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::rc::Rc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use regex::bytes::Regex;

use super::params::{Connection, Params, UrlTarget, target_of};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use crate::probe::Setting;
use crate::probe::wire::connect::{self, Farewell};
use crate::probe::wire::endpoint::Endpoint;
use crate::probe::wire::error::class_of;
use crate::probe::wire::tls::{TlsParams, TlsSetting};

/// What is kept of a body to match; the rest is read and dropped.
const BODY_KEPT: usize = 1 << 20;
/// Idle connections beyond this are closed: they were opened while slots overlapped.
const IDLE_MOST: usize = 64;

type Sender = SendRequest<Full<Bytes>>;

pub struct Client {
    endpoint: Rc<Endpoint>,
    tls: Option<TlsSetting>,
    request: Request<Full<Bytes>>,
    statuses: Vec<u16>,
    expect: Option<Regex>,
    connection: Connection,
    idle: RefCell<Vec<Sender>>,
}

impl Client {
    pub fn new(params: &Params, setting: &Setting) -> Result<Client, String> {
        let target = target_of(&params.url)?;
        let fallback = TlsParams::default();
        let tls = params.tls.as_ref().unwrap_or(&fallback);
        let tls = target
            .secure
            .then(|| TlsSetting::new(tls, Some(&target.host), &setting.secrets))
            .transpose()?;
        let expect = params.expect.as_deref().map(Regex::new).transpose();
        Ok(Client {
            endpoint: Endpoint::parse(&target.address)?,
            tls,
            request: request(params, &target, setting)?,
            statuses: params.status.0.clone(),
            expect: expect.map_err(|e| format!("`expect` is not a regular expression: {e}"))?,
            connection: params.connection,
            idle: RefCell::new(Vec::new()),
        })
    }

    pub async fn prepare(&self) {
        self.endpoint.prepare().await;
        if self.connection == Connection::Kept
            && let Ok(sender) = self.open(&mut Phases::default()).await
        {
            self.idle.borrow_mut().push(sender);
        }
    }

    /// One request, one answer.
    pub async fn ask(&self, phases: &mut Phases) -> Result<(), ErrorClass> {
        let mut sender = match self.kept() {
            Some(sender) => sender,
            None => self.open(phases).await?,
        };
        let sent = monotonic_ns();
        let response = sender.send_request(self.request.clone()).await;
        phases.first_byte = monotonic_ns() - sent;
        let response = response.map_err(|e| class(&e))?;
        let answered = monotonic_ns();
        let verdict = self.judge(response).await;
        phases.body = monotonic_ns() - answered;
        if self.connection == Connection::Kept && verdict.read {
            self.put_back(sender);
        }
        verdict.answer
    }

    fn kept(&self) -> Option<Sender> {
        let mut idle = self.idle.borrow_mut();
        // The server may have closed one while it lay idle: that is its right, and no error.
        idle.retain(|sender| !sender.is_closed());
        let ready = idle.iter().rposition(Sender::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    fn put_back(&self, sender: Sender) {
        if self.idle.borrow().len() < IDLE_MOST {
            self.idle.borrow_mut().push(sender);
        }
    }

    async fn open(&self, phases: &mut Phases) -> Result<Sender, ErrorClass> {
        let farewell = match self.connection {
            Connection::New => Farewell::Abrupt,
            Connection::Kept => Farewell::Polite,
        };
        let to = self.endpoint.address()?;
        let opened = connect::open(to, farewell, self.tls.as_ref()).await;
        let (stream, opening) = opened.inspect_err(|_| self.endpoint.doubt())?;
        phases.connect = opening.connect;
        phases.tls = opening.tls;
        let (mut sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|e| class(&e))?;
        tokio::task::spawn_local(driver);
        sender.ready().await.map_err(|e| class(&e))?;
        Ok(sender)
    }

    async fn judge(&self, response: Response<Incoming>) -> Verdict {
        let status = response.status().as_u16();
        let mut kept = Vec::new();
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            match frame {
                Err(e) => return Verdict { answer: Err(class(&e)), read: false },
                Ok(frame) => {
                    let data = frame.data_ref().map_or(&[][..], |d| d.as_ref());
                    let room = BODY_KEPT.saturating_sub(kept.len()).min(data.len());
                    kept.extend_from_slice(&data[..room]);
                }
            }
        }
        let right = self.expect.as_ref().is_none_or(|expect| expect.is_match(&kept));
        let answer = match status {
            _ if self.statuses.contains(&status) && right => Ok(()),
            _ if self.statuses.contains(&status) => Err(ErrorClass::WrongAnswer),
            500..=599 => Err(ErrorClass::Unavailable),
            401 | 403 => Err(ErrorClass::Denied),
            _ => Err(ErrorClass::WrongAnswer),
        };
        Verdict { answer, read: true }
    }
}

/// What came back, and whether the connection has been read to the end of it.
struct Verdict {
    answer: Result<(), ErrorClass>,
    read: bool,
}

fn request(
    params: &Params,
    target: &UrlTarget,
    setting: &Setting,
) -> Result<Request<Full<Bytes>>, String> {
    let body = Full::new(Bytes::from(params.body.clone().unwrap_or_default()));
    let mut request = Request::builder()
        .method(params.method.as_str())
        .uri(target.path.as_str())
        .header(HOST, target.authority.as_str())
        .body(body)
        .map_err(|e| format!("the request cannot be made: {e}"))?;
    if params.connection == Connection::New {
        request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in &params.headers {
        set_header(&mut request, name, value)?;
    }
    for (name, reference) in &params.secret_headers {
        set_header(&mut request, name, setting.secrets.value(reference)?)?;
    }
    Ok(request)
}

fn set_header(request: &mut Request<Full<Bytes>>, name: &str, value: &str) -> Result<(), String> {
    let wrong = || format!("header `{name}` cannot be sent: its name or value is malformed");
    let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
    value.set_sensitive(true);
    request.headers_mut().insert(name.parse::<HeaderName>().map_err(|_| wrong())?, value);
    Ok(())
}

/// hyper wraps what the socket said; the cause counts.
fn class(error: &hyper::Error) -> ErrorClass {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return class_of(cause);
        }
        source = cause.source();
    }
    match error {
        e if e.is_incomplete_message() || e.is_closed() || e.is_canceled() => ErrorClass::Reset,
        e if e.is_parse() => ErrorClass::WrongAnswer,
        _ => ErrorClass::Reset,
    }
}

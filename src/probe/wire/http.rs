//! HTTP/1.1 over connections of our own.
//!
//! A connection carries one request at a time, so requests that overlap open more. One on which
//! anything failed is never used again.

use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::rc::Rc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::connect::{self, Farewell};
use super::endpoint::Endpoint;
use super::error::class_of;
use super::tls::{TlsParams, TlsSetting};
use super::url::UrlTarget;
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use crate::probe::Secrets;

/// Idle connections beyond this are closed: they were opened while slots overlapped.
const IDLE_MOST: usize = 64;

/// A connection that is open.
pub type Line = SendRequest<Full<Bytes>>;

/// The connections to one server.
pub struct Lines {
    endpoint: Rc<Endpoint>,
    tls: Option<TlsSetting>,
    /// Are connections used again?
    kept: bool,
    idle: RefCell<Vec<Line>>,
}

impl Lines {
    pub fn new(
        target: &UrlTarget,
        tls: Option<&TlsParams>,
        kept: bool,
        secrets: &Secrets,
    ) -> Result<Lines, String> {
        let fallback = TlsParams::default();
        let tls = tls.unwrap_or(&fallback);
        let tls =
            target.secure.then(|| TlsSetting::new(tls, Some(&target.host), secrets)).transpose()?;
        let endpoint = Endpoint::parse(&target.address)?;
        Ok(Lines { endpoint, tls, kept, idle: RefCell::new(Vec::new()) })
    }

    /// Looks the server's name up, and connects ahead where connections are kept.
    pub async fn prepare(&self) {
        self.endpoint.prepare().await;
        if self.kept
            && let Ok(line) = self.open(&mut Phases::default()).await
        {
            self.idle.borrow_mut().push(line);
        }
    }

    /// Sends one request and waits for the head of its answer. Put the line back once the body was
    /// read to its end.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        phases: &mut Phases,
    ) -> Result<(Response<Incoming>, Line), ErrorClass> {
        let mut line = match self.idle_one() {
            Some(line) => line,
            None => self.open(phases).await?,
        };
        let sent = monotonic_ns();
        let response = line.send_request(request).await;
        phases.first_byte = monotonic_ns() - sent;
        Ok((response.map_err(|e| class(&e))?, line))
    }

    pub fn put_back(&self, line: Line) {
        if self.kept && self.idle.borrow().len() < IDLE_MOST {
            self.idle.borrow_mut().push(line);
        }
    }

    fn idle_one(&self) -> Option<Line> {
        let mut idle = self.idle.borrow_mut();
        // The server may have closed one while it lay idle: that is its right, and no error.
        idle.retain(|line| !line.is_closed());
        let ready = idle.iter().rposition(Line::is_ready)?;
        Some(idle.swap_remove(ready))
    }

    async fn open(&self, phases: &mut Phases) -> Result<Line, ErrorClass> {
        let farewell = if self.kept { Farewell::Polite } else { Farewell::Abrupt };
        let to = self.endpoint.address()?;
        let opened = connect::open(to, farewell, self.tls.as_ref()).await;
        let (stream, opening) = opened.inspect_err(|_| self.endpoint.doubt())?;
        phases.connect = opening.connect;
        phases.tls = opening.tls;
        let (mut line, driver) = handshake(TokioIo::new(stream)).await.map_err(|e| class(&e))?;
        tokio::task::spawn_local(driver);
        line.ready().await.map_err(|e| class(&e))?;
        Ok(line)
    }
}

/// Errors: in words that do not say the value.
pub fn set_header<B>(request: &mut Request<B>, name: &str, value: &str) -> Result<(), String> {
    let wrong = || format!("header `{name}` cannot be sent: its name or value is malformed");
    let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
    value.set_sensitive(true);
    request.headers_mut().insert(name.parse::<HeaderName>().map_err(|_| wrong())?, value);
    Ok(())
}

/// hyper wraps what the socket said; the cause counts.
pub fn class(error: &hyper::Error) -> ErrorClass {
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

//! Asks for health, each call over a connection that is known: opened for it, or kept.
//!
//! A kept connection carries all slots at once. One on which a call failed or was given up is never
//! used again; slots that are still waiting on it keep it alive until they are done.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tonic::codegen::http::Uri;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::class::class_of_status;
use super::link::Link;
use super::params::{Connections, Params};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use crate::probe::Setting;
use crate::probe::wire::connect::{self, Farewell};
use crate::probe::wire::endpoint::Endpoint;
use crate::probe::wire::tls::TlsSetting;

pub struct Client {
    endpoint: Rc<Endpoint>,
    /// What the calls name as their host.
    origin: Uri,
    tls: Option<TlsSetting>,
    service: String,
    connections: Connections,
    kept: RefCell<Option<Link>>,
    opened: Cell<u64>,
}

impl Client {
    pub fn new(params: Params, setting: &Setting) -> Result<Client, String> {
        let endpoint = Endpoint::parse(&params.address)?;
        let (host, _) = params.address.rsplit_once(':').unwrap_or((&params.address, ""));
        let host = host.trim_matches(['[', ']']);
        let tls = params.tls.as_ref();
        let tls =
            tls.map(|tls| TlsSetting::http2(tls, Some(host), &setting.secrets)).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let origin = format!("{scheme}://{}", params.address).parse();
        Ok(Client {
            endpoint,
            origin: origin.map_err(|e| format!("`{}` is not an address: {e}", params.address))?,
            tls,
            service: params.service.unwrap_or_default(),
            connections: params.connection,
            kept: RefCell::new(None),
            opened: Cell::new(0),
        })
    }

    pub async fn prepare(&self) {
        self.endpoint.prepare().await;
        if self.connections == Connections::Kept
            && let Ok(link) = self.open(&mut Phases::default()).await
        {
            self.keep(&link);
        }
    }

    /// One call, one answer.
    pub async fn ask(&self, phases: &mut Phases) -> Result<(), ErrorClass> {
        let link = match self.usable() {
            Some(link) => link,
            None => self.open(phases).await?,
        };
        self.keep(&link);
        let mut use_of_it = Use { client: self, number: link.number(), whole: false };
        let sent = monotonic_ns();
        let mut client = HealthClient::with_origin(link, self.origin.clone());
        let answer = client.check(HealthCheckRequest { service: self.service.clone() }).await;
        phases.first_byte = monotonic_ns() - sent;
        let answer = match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                // What the server itself said leaves the connection as good as it was.
                use_of_it.whole = std::error::Error::source(&status).is_none();
                return Err(class_of_status(&status));
            }
        };
        use_of_it.whole = true;
        match answer.status() {
            ServingStatus::Serving => Ok(()),
            ServingStatus::NotServing => Err(ErrorClass::NotServing),
            ServingStatus::Unknown | ServingStatus::ServiceUnknown => Err(ErrorClass::WrongAnswer),
        }
    }

    fn usable(&self) -> Option<Link> {
        let mut kept = self.kept.borrow_mut();
        // The server may have closed it while it lay idle: that is its right, and no error.
        if kept.as_ref().is_some_and(Link::is_closed) {
            *kept = None;
        }
        kept.clone()
    }

    /// Slots that began at once may have opened several: the first one stays.
    fn keep(&self, link: &Link) {
        if self.connections == Connections::Kept {
            self.kept.borrow_mut().get_or_insert_with(|| link.clone());
        }
    }

    fn forget(&self, number: u64) {
        self.kept.borrow_mut().take_if(|link| link.number() == number);
    }

    async fn open(&self, phases: &mut Phases) -> Result<Link, ErrorClass> {
        let farewell = match self.connections {
            Connections::New => Farewell::Abrupt,
            Connections::Kept => Farewell::Polite,
        };
        let to = self.endpoint.address()?;
        let opened = connect::open(to, farewell, self.tls.as_ref()).await;
        let (stream, opening) = opened.inspect_err(|_| self.endpoint.doubt())?;
        phases.connect = opening.connect;
        phases.tls = opening.tls;
        self.opened.set(self.opened.get() + 1);
        Link::over(stream, self.opened.get()).await
    }
}

/// A connection in use. Unless the call was whole it is forgotten, also when the call is given up.
struct Use<'a> {
    client: &'a Client,
    number: u64,
    whole: bool,
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        if !self.whole {
            self.client.forget(self.number);
        }
    }
}

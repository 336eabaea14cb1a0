//! The way to the one that takes writes, and what is done when it turns out to be closed.
//!
//! At most one attempt to find it runs at a time, and slots that come meanwhile wait for its
//! outcome. A link that is abandoned lives on for the slots that still wait on it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use redis::RedisConnectionInfo;

use super::link::{Credentials, Link};
use super::params::Params;
use super::sentinel::Sentinels;
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::ErrorClass;
use crate::probe::Setting;
use crate::probe::wire::endpoint::Endpoint;
use crate::probe::wire::tls::TlsSetting;

/// Between the beginnings of two attempts.
const ATTEMPT_EVERY: Duration = Duration::from_millis(10);

type Attempt = Shared<LocalBoxFuture<'static, Result<Rc<Link>, ErrorClass>>>;

pub struct Road {
    way: Way,
    credentials: Credentials,
    /// How long one attempt may take: connecting to a dead host must not outlast a failover.
    attempt_within: Duration,
    current: RefCell<Option<Rc<Link>>>,
    attempt: RefCell<Option<Attempt>>,
    began_ns: Cell<u64>,
}

enum Way {
    Fixed(Rc<Endpoint>),
    Sentinel(Sentinels),
}

impl Road {
    pub fn new(params: &Params, setting: &Setting) -> Result<Rc<Road>, String> {
        let tls = params.tls.as_ref();
        let tls = tls.map(|tls| TlsSetting::new(tls, None, &setting.secrets)).transpose()?;
        let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(username) = &params.username {
            login = login.set_username(username);
        }
        if let Some(password) = &params.password {
            login = login.set_password(setting.secrets.value(password)?);
        }
        let way = match (&params.address, &params.sentinel) {
            (Some(address), None) => Way::Fixed(Endpoint::parse(address)?),
            (None, Some(name)) => Way::Sentinel(Sentinels::new(
                name,
                params.sentinels.as_deref().unwrap_or_default(),
            )?),
            _ => return Err("give `sentinel` or `address`".to_owned()),
        };
        Ok(Rc::new(Road {
            way,
            credentials: Credentials { tls, login },
            attempt_within: setting.deadline.max(Duration::from_millis(100)),
            current: RefCell::new(None),
            attempt: RefCell::new(None),
            began_ns: Cell::new(0),
        }))
    }

    pub async fn prepare(self: &Rc<Road>) {
        match &self.way {
            Way::Fixed(endpoint) => endpoint.prepare().await,
            Way::Sentinel(sentinels) => sentinels.prepare().await,
        }
        let _ = self.link().await;
    }

    /// The link in use, or the outcome of the attempt that runs or begins now.
    pub async fn link(self: &Rc<Road>) -> Result<Rc<Link>, ErrorClass> {
        let current = self.current.borrow().clone();
        if let Some(link) = current {
            if !link.is_broken() {
                return Ok(link);
            }
            self.abandon(&link);
        }
        let attempt = self.attempt();
        attempt.await
    }

    /// A link that was opened just now, for those who must not find out late that theirs broke.
    pub async fn fresh_link(self: &Rc<Road>) -> Result<Rc<Link>, ErrorClass> {
        self.current.borrow_mut().take();
        self.link().await
    }

    /// Nobody new is to use this link.
    pub fn abandon(self: &Rc<Road>, link: &Rc<Link>) {
        let is_current = self.current.borrow().as_ref().is_some_and(|c| Rc::ptr_eq(c, link));
        if is_current {
            self.current.borrow_mut().take();
            // Looked for at once and not when the next slot comes: so does a real client.
            drop(self.attempt());
        }
    }

    fn attempt(self: &Rc<Road>) -> Attempt {
        if let Some(attempt) = self.attempt.borrow().as_ref() {
            return attempt.clone();
        }
        let road = Rc::clone(self);
        let attempt = async move { road.attempt_once().await }.boxed_local().shared();
        *self.attempt.borrow_mut() = Some(attempt.clone());
        // Driven by itself, so that it ends even if every slot that waits gives up.
        drop(tokio::task::spawn_local(attempt.clone().map(drop)));
        attempt
    }

    async fn attempt_once(self: Rc<Road>) -> Result<Rc<Link>, ErrorClass> {
        let since = Duration::from_nanos(monotonic_ns().saturating_sub(self.began_ns.get()));
        tokio::time::sleep(ATTEMPT_EVERY.saturating_sub(since)).await;
        self.began_ns.set(monotonic_ns());
        let found = tokio::time::timeout(self.attempt_within, self.find()).await;
        let found = found.unwrap_or(Err(ErrorClass::Timeout));
        if let Ok(link) = &found {
            *self.current.borrow_mut() = Some(Rc::clone(link));
        }
        self.attempt.borrow_mut().take();
        found
    }

    async fn find(&self) -> Result<Rc<Link>, ErrorClass> {
        match &self.way {
            Way::Fixed(endpoint) => {
                let link =
                    Link::open(endpoint.address()?, &self.credentials, self.attempt_within).await;
                link.inspect_err(|_| endpoint.doubt())
            }
            Way::Sentinel(sentinels) => {
                let primary = sentinels.primary(&self.credentials, self.attempt_within).await?;
                let link = Link::open(primary, &self.credentials, self.attempt_within).await?;
                super::sentinel::check_role(&link).await?;
                Ok(link)
            }
        }
    }
}

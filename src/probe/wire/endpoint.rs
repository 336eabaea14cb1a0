//! One address to connect to: written out, or a name that is looked up off the hot path.
//!
//! A slot never waits for a resolver: it takes the last answer. A name is looked up when the probe
//! prepares, and again in the background, at most once a second, after a connection to it failed.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::ErrorClass;

/// Between two look-ups of a name.
const LOOKUP_EVERY_NS: u64 = 1_000_000_000;

pub struct Endpoint {
    text: String,
    known: RefCell<Option<SocketAddr>>,
    /// False: the address was written out and never changes.
    named: bool,
    looked_up_ns: Cell<u64>,
}

impl Endpoint {
    /// `HOST:PORT` or `[ADDRESS]:PORT`. Errors: in words, with the remedy.
    pub fn parse(text: &str) -> Result<Rc<Endpoint>, String> {
        let literal = text.parse::<SocketAddr>().ok();
        if literal.is_none() {
            let wrong = || format!("`{text}` is not an address; write it like `10.66.0.11:6379`");
            let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
            let plain = !host.is_empty() && !host.contains(['/', ':', '[', ' ', '{']);
            if !plain || port.parse::<u16>().is_err() {
                return Err(wrong());
            }
        }
        Ok(Rc::new(Endpoint {
            text: text.to_owned(),
            known: RefCell::new(literal),
            named: literal.is_none(),
            looked_up_ns: Cell::new(0),
        }))
    }

    /// Looks a name up and waits for it.
    pub async fn prepare(&self) {
        if !self.named {
            return;
        }
        self.looked_up_ns.set(monotonic_ns());
        if let Ok(mut found) = tokio::net::lookup_host(&self.text).await
            && let Some(address) = found.next()
        {
            *self.known.borrow_mut() = Some(address);
        }
    }

    /// Errors: `Unreachable` for a name that nobody knows.
    pub fn address(self: &Rc<Endpoint>) -> Result<SocketAddr, ErrorClass> {
        let known = *self.known.borrow();
        if known.is_none() {
            self.doubt();
        }
        known.ok_or(ErrorClass::Unreachable)
    }

    /// A connection to it failed: the name may have moved.
    pub fn doubt(self: &Rc<Endpoint>) {
        let due = monotonic_ns().saturating_sub(self.looked_up_ns.get()) >= LOOKUP_EVERY_NS;
        if self.named && due {
            self.looked_up_ns.set(monotonic_ns());
            let endpoint = Rc::clone(self);
            tokio::task::spawn_local(async move { endpoint.prepare().await });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in ["redis", "redis:", ":6379", "http://x:1", "::1:6379", "{{lab.redis}}:1", "a:b"]
        {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
        for text in ["10.0.0.1:1", "[::1]:6379", "localhost:6379"] {
            assert!(Endpoint::parse(text).is_ok(), "{text}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_is_unreachable_until_it_was_looked_up() {
        tokio::task::LocalSet::new()
            .run_until(async {
                let endpoint = Endpoint::parse("localhost:6379").unwrap();
                assert_eq!(endpoint.address(), Err(ErrorClass::Unreachable));
                // Having been asked is enough: it is looked up in the background.
                let found = async {
                    while endpoint.address().is_err() {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::time::timeout(Duration::from_secs(5), found).await.unwrap();
                assert_eq!(endpoint.address().unwrap().port(), 6379);
            })
            .await;
    }
}

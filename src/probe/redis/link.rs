//! One connection to one Redis or Sentinel. It never heals itself: broken once, it is broken.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisConnectionInfo, Value};
use tokio::task::JoinHandle;

use super::failure::{Failure, class_of};
use crate::model::observation::ErrorClass;
use crate::probe::wire::connect::{self, Farewell};
use crate::probe::wire::tls::TlsSetting;

/// More commands than this in flight on one connection wait for their turn.
const IN_FLIGHT_MOST: usize = 16_384;

pub struct Link {
    pub peer: SocketAddr,
    connection: MultiplexedConnection,
    driver: JoinHandle<()>,
}

/// Who we are to the other end.
pub struct Credentials {
    pub tls: Option<TlsSetting>,
    pub login: RedisConnectionInfo,
}

impl Link {
    /// Connects and logs in, within the time given.
    pub async fn open(
        peer: SocketAddr,
        credentials: &Credentials,
        within: Duration,
    ) -> Result<Rc<Link>, ErrorClass> {
        Link::open_as(peer, credentials, &credentials.login, within).await
    }

    /// The same with another login: Sentinels have users of their own.
    pub async fn open_as(
        peer: SocketAddr,
        credentials: &Credentials,
        login: &RedisConnectionInfo,
        within: Duration,
    ) -> Result<Rc<Link>, ErrorClass> {
        let connect = Link::connect(peer, credentials.tls.as_ref(), login);
        let opened = tokio::time::timeout(within, connect).await;
        opened.unwrap_or(Err(ErrorClass::Timeout))
    }

    async fn connect(
        peer: SocketAddr,
        tls: Option<&TlsSetting>,
        login: &RedisConnectionInfo,
    ) -> Result<Rc<Link>, ErrorClass> {
        let (stream, _) = connect::open(peer, Farewell::Polite, tls).await?;
        // The library's own timeout is half a second; ours is the slot's patience.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_pipeline_buffer_size(IN_FLIGHT_MOST);
        let opened = MultiplexedConnection::new_with_config(login, stream, config).await;
        let (connection, driver) = opened.map_err(|e| class_of(&e))?;
        let driver = tokio::task::spawn_local(driver);
        Ok(Rc::new(Link { peer, connection, driver }))
    }

    /// Known to be broken: nothing would be sent any more.
    pub fn is_broken(&self) -> bool {
        self.driver.is_finished()
    }

    pub async fn ask(&self, command: &Cmd) -> Result<Value, Failure> {
        if self.is_broken() {
            return Err(Failure::before_send(ErrorClass::Reset));
        }
        let answer = self.connection.clone().send_packed_command(command).await?;
        Ok(answer.extract_error()?)
    }

    /// All answers; the first error among them is an error.
    pub async fn ask_all(&self, commands: &Pipeline, count: usize) -> Result<Vec<Value>, Failure> {
        if self.is_broken() {
            return Err(Failure::before_send(ErrorClass::Reset));
        }
        let answers = self.connection.clone().send_packed_commands(commands, 0, count).await?;
        answers.into_iter().map(|value| Ok(value.extract_error()?)).collect()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

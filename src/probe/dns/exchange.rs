//! One question and its answer, over a socket that is opened for it: a late answer to an earlier
//! slot never meets a later one.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::params::{Params, Transport};
use super::question::{DATAGRAM_LONGEST, Question};
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::{ErrorClass, Phases};
use crate::probe::wire::connect::{self, Farewell};
use crate::probe::wire::endpoint::Endpoint;
use crate::probe::wire::error::class_of;

pub struct Exchange {
    endpoint: Rc<Endpoint>,
    transport: Transport,
    question: Question,
}

impl Exchange {
    pub fn new(params: &Params) -> Result<Exchange, String> {
        Ok(Exchange {
            endpoint: Endpoint::parse(&params.server)?,
            transport: params.transport,
            question: Question::new(params)?,
        })
    }

    pub async fn prepare(&self) {
        self.endpoint.prepare().await;
    }

    /// The server could not be reached: its own name may have moved.
    pub fn doubt(&self) {
        self.endpoint.doubt();
    }

    /// Waits as long as it takes.
    pub async fn ask(&self, phases: &mut Phases) -> Result<(), ErrorClass> {
        let to = self.endpoint.address()?;
        let (number, bytes) = self.question.ask()?;
        let verdict = match self.transport {
            Transport::Udp => self.by_datagram(to, number, (&bytes, phases)).await,
            Transport::Tcp => self.by_stream(to, number, (&bytes, phases)).await,
        };
        verdict.map_err(|e| class_of(&e))?
    }

    async fn by_datagram(
        &self,
        to: SocketAddr,
        number: u16,
        (bytes, phases): (&[u8], &mut Phases),
    ) -> io::Result<Result<(), ErrorClass>> {
        let any = match to {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        // Connected, so that only the server is heard, and "nobody listens" too.
        socket.connect(to).await?;
        let sent = monotonic_ns();
        socket.send(bytes).await?;
        let mut answer = vec![0; usize::from(DATAGRAM_LONGEST)];
        loop {
            let length = socket.recv(&mut answer).await?;
            phases.first_byte = monotonic_ns() - sent;
            if let Some(verdict) = self.question.judge(number, &answer[..length]) {
                return Ok(verdict);
            }
        }
    }

    async fn by_stream(
        &self,
        to: SocketAddr,
        number: u16,
        (bytes, phases): (&[u8], &mut Phases),
    ) -> io::Result<Result<(), ErrorClass>> {
        let began = monotonic_ns();
        let mut stream = connect::tcp(to, Farewell::Abrupt).await?;
        let connected = monotonic_ns();
        phases.connect = connected - began;
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes()[..], bytes].concat()).await?;
        loop {
            let length = stream.read_u16().await?;
            phases.first_byte = monotonic_ns() - connected;
            let mut answer = vec![0; usize::from(length)];
            stream.read_exact(&mut answer).await?;
            phases.body = monotonic_ns() - connected - phases.first_byte;
            if let Some(verdict) = self.question.judge(number, &answer) {
                return Ok(verdict);
            }
        }
    }
}

//! One question to one instance, over a connection that is kept where the instance lets it be.

use std::io;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::rules::Rules;
use crate::host::linux::netns;
use crate::model::inventory::Role;
use crate::model::lab::{Check, HttpExchange, TcpExchange};
use crate::model::message::RoleWatch;

/// A reply longer than this tells no role.
const REPLY_LONGEST: usize = 1 << 20;

pub struct Asker {
    watch: RoleWatch,
    rules: Rules,
}

/// The connection from one question to the next.
#[derive(Default)]
pub enum Kept {
    #[default]
    Nothing,
    Tcp(TcpStream),
    Http(SendRequest<Full<Bytes>>),
}

impl Asker {
    pub fn new(watch: RoleWatch, rules: Rules) -> Asker {
        Asker { watch, rules }
    }

    /// None: it did not answer, or said nothing that fits a rule. Waits as long as it takes. Drop
    /// what is kept after None, or when this did not finish.
    pub async fn ask(&self, kept: &mut Kept) -> Option<Role> {
        let fresh = matches!(kept, Kept::Nothing);
        let answer = self.ask_once(kept).await;
        if answer.is_err() && !fresh {
            // Servers may close what lies idle; that says nothing about the instance.
            *kept = Kept::Nothing;
            return self.ask_once(kept).await.ok().flatten();
        }
        answer.ok().flatten()
    }

    async fn ask_once(&self, kept: &mut Kept) -> io::Result<Option<Role>> {
        match &self.watch.reader.ask {
            Check::Tcp(exchange) => self.ask_tcp(exchange, kept).await,
            Check::Http(exchange) => self.ask_http(exchange, kept).await,
        }
    }

    async fn ask_tcp(&self, exchange: &TcpExchange, kept: &mut Kept) -> io::Result<Option<Role>> {
        let mut stream = match std::mem::take(kept) {
            Kept::Tcp(stream) => stream,
            _ => self.connect(exchange.port).await?,
        };
        forget_leftovers(&stream)?;
        stream.write_all(exchange.send.as_deref().unwrap_or("").as_bytes()).await?;
        let mut reply = Vec::with_capacity(1024);
        while reply.len() < REPLY_LONGEST {
            let length = stream.read_buf(&mut reply).await?;
            let role = self.rules.role_in(&reply);
            match (role, length, reply.is_empty()) {
                (Some(role), length, _) => {
                    if length > 0 {
                        *kept = Kept::Tcp(stream);
                    }
                    return Ok(Some(role));
                }
                (None, 0, true) => return Err(io::ErrorKind::UnexpectedEof.into()),
                (None, 0, false) => return Ok(None),
                (None, ..) => {}
            }
        }
        Ok(None)
    }

    async fn ask_http(&self, exchange: &HttpExchange, kept: &mut Kept) -> io::Result<Option<Role>> {
        let mut sender = if let Kept::Http(sender) = std::mem::take(kept) {
            sender
        } else {
            let stream = TokioIo::new(self.connect(exchange.port).await?);
            let (sender, driver) = handshake(stream).await.map_err(io::Error::other)?;
            tokio::task::spawn_local(driver);
            sender
        };
        sender.ready().await.map_err(io::Error::other)?;
        let request = self.request(exchange)?;
        let response = sender.send_request(request).await.map_err(io::Error::other)?;
        let right = response.status().as_u16() == exchange.status;
        let body = Limited::new(response.into_body(), REPLY_LONGEST).collect().await;
        let body = body.map_err(io::Error::other)?.to_bytes();
        *kept = Kept::Http(sender);
        Ok(self.rules.role_in(&body).filter(|_| right))
    }

    fn request(&self, exchange: &HttpExchange) -> io::Result<Request<Full<Bytes>>> {
        let body = exchange.body.clone().unwrap_or_default();
        Request::builder()
            .method(exchange.method.as_str())
            .uri(exchange.path.as_str())
            .header(HOST, self.address(exchange.port).to_string())
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)
    }

    fn address(&self, port: Option<u16>) -> SocketAddr {
        SocketAddr::new(self.watch.address, port.unwrap_or(self.watch.port))
    }

    /// The socket is made inside the instance's namespace, on a thread that blocks for it.
    async fn connect(&self, port: Option<u16>) -> io::Result<TcpStream> {
        let (ns, family) = (self.watch.netns.clone(), self.watch.address);
        let made = tokio::task::spawn_blocking(move || netns::tcp_socket(&ns, family)).await;
        let socket = made.map_err(io::Error::other)?.map_err(io::Error::other)?;
        let socket = TcpSocket::from_std_stream(std::net::TcpStream::from(socket));
        socket.set_nodelay(true)?;
        socket.connect(self.address(port)).await
    }
}

/// The end of an earlier reply must not be taken for the next one.
fn forget_leftovers(stream: &TcpStream) -> io::Result<()> {
    let mut waste = [0; 4096];
    loop {
        match stream.try_read(&mut waste) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        }
    }
}

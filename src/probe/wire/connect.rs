//! Opens connections: plain or TLS, each step timed.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

use super::error::class_of;
use super::tls::TlsSetting;
use crate::host::linux::clock::monotonic_ns;
use crate::model::observation::ErrorClass;

/// A connection, whatever it is wrapped in.
pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What opening one took, nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    pub connect: u64,
    pub tls: u64,
}

/// How a connection ends when we drop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// As programs do.
    Polite,
    /// With a reset: it leaves no `TIME_WAIT` behind. A connection per slot at 1 kHz would use up
    /// every local port in half a minute.
    Abrupt,
}

/// Opens one TCP connection.
pub async fn tcp(to: SocketAddr, farewell: Farewell) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    if farewell == Farewell::Abrupt {
        socket.set_zero_linger()?;
    }
    socket.connect(to).await
}

/// Opens a connection, with TLS where there is a setting for it.
pub async fn open(
    to: SocketAddr,
    farewell: Farewell,
    tls: Option<&TlsSetting>,
) -> Result<(Stream, Opening), ErrorClass> {
    let began = monotonic_ns();
    let stream = tcp(to, farewell).await.map_err(|e| class_of(&e))?;
    let connected = monotonic_ns();
    let opening = Opening { connect: connected - began, tls: 0 };
    let Some(tls) = tls else { return Ok((Stream::Plain(stream), opening)) };
    let stream = tls.wrap(stream, to.ip()).await?;
    let opening = Opening { tls: monotonic_ns() - connected, ..opening };
    Ok((Stream::Tls(Box::new(stream)), opening))
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

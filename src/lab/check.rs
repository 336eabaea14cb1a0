//! One look at an instance: does it answer as the lab's document says it should?

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use regex::Regex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::message::Endpoint;
use crate::model::lab::{Check, HttpExchange, TcpExchange};

/// No instance that is well takes longer to answer on its own host.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What is read of a reply at most, bytes.
const LONGEST_REPLY: usize = 1 << 20;

/// Looks once. Errors: what was not as it should be, in words.
pub async fn look(check: &Check, at: Endpoint) -> Result<(), String> {
    let port = match check {
        Check::Tcp(tcp) => tcp.port,
        Check::Http(http) => http.port,
    };
    let port = port.or(at.port).ok_or("the check has no port")?;
    let to = SocketAddr::new(at.address, port);
    let looked = async {
        let stream = TcpStream::connect(to).await.map_err(|e| format!("{to}: {e}"))?;
        match check {
            Check::Tcp(tcp) => talk(stream, tcp).await,
            Check::Http(http) => request(stream, http).await,
        }
        .map_err(|why| format!("{to}: {why}"))
    };
    tokio::time::timeout(ANSWER_WITHIN, looked)
        .await
        .unwrap_or_else(|_| Err(format!("{to}: no answer within {ANSWER_WITHIN:?}")))
}

async fn talk(mut stream: TcpStream, exchange: &TcpExchange) -> Result<(), String> {
    if let Some(text) = &exchange.send {
        stream.write_all(text.as_bytes()).await.map_err(|e| e.to_string())?;
    }
    let Some(expect) = &exchange.expect else { return Ok(()) };
    let expect = Regex::new(expect).map_err(|e| e.to_string())?;
    let mut reply = Vec::new();
    while reply.len() < LONGEST_REPLY {
        let read = stream.read_buf(&mut reply).await.map_err(|e| e.to_string())?;
        if expect.is_match(&String::from_utf8_lossy(&reply)) {
            return Ok(());
        }
        if read == 0 {
            break;
        }
    }
    Err(format!("the reply does not contain `{expect}`"))
}

async fn request(stream: TcpStream, exchange: &HttpExchange) -> Result<(), String> {
    let host = stream.peer_addr().map_err(|e| e.to_string())?;
    let body = Full::new(Bytes::from(exchange.body.clone().unwrap_or_default()));
    let request = Request::builder()
        .method(exchange.method.as_str())
        .uri(&exchange.path)
        .header("host", host.to_string())
        .header("connection", "close")
        .body(body)
        .map_err(|e| e.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| e.to_string())?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = response.status().as_u16();
        if status != exchange.status {
            return Err(format!("status {status} instead of {}", exchange.status));
        }
        let body = Limited::new(response.into_body(), LONGEST_REPLY);
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        match &exchange.expect {
            Some(expect) if !matches(expect, &body)? => {
                Err(format!("the body does not contain `{expect}`"))
            }
            _ => Ok(()),
        }
    };
    // The connection must be driven while the answer is read. When it ends first, what it read is
    // still there.
    tokio::pin!(answer);
    tokio::select! {
        biased;
        answered = &mut answer => return answered,
        _ = connection => {}
    }
    answer.await
}

fn matches(pattern: &str, body: &[u8]) -> Result<bool, String> {
    let pattern = Regex::new(pattern).map_err(|e| e.to_string())?;
    Ok(pattern.is_match(&String::from_utf8_lossy(body)))
}

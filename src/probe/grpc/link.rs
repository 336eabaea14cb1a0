//! One HTTP/2 connection, as gRPC wants to be carried.

use std::task::{Context, Poll};

use futures::future::LocalBoxFuture;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::rt::Executor;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tonic::body::Body;
use tonic::codegen::Service;

use super::class::class_of_hyper;
use crate::model::observation::ErrorClass;
use crate::probe::wire::connect::Stream;

/// Clones share the connection. It ends when the last of them is gone.
#[derive(Clone)]
pub struct Link {
    sender: SendRequest<Body>,
    number: u64,
}

impl Link {
    /// Shakes hands on an open stream. `number` tells connections of one probe apart.
    pub async fn over(stream: Stream, number: u64) -> Result<Link, ErrorClass> {
        let opened = handshake(Here, TokioIo::new(stream)).await;
        let (mut sender, driver) = opened.map_err(|e| class_of_hyper(&e))?;
        tokio::task::spawn_local(driver);
        sender.ready().await.map_err(|e| class_of_hyper(&e))?;
        Ok(Link { sender, number })
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Service<Request<Body>> for Link {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = LocalBoxFuture<'static, Result<Response<Incoming>, hyper::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.sender.send_request(request))
    }
}

/// Everything of a connection runs on the thread of its slots.
#[derive(Clone, Copy)]
struct Here;

impl<F: Future + 'static> Executor<F> for Here {
    fn execute(&self, work: F) {
        tokio::task::spawn_local(async move {
            work.await;
        });
    }
}

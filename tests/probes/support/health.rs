//! A real gRPC health service in this process, whose word the test decides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::codegen::Service;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};

pub struct Health {
    pub address: SocketAddr,
    /// None once it is over; all connections end with it.
    runtime: Option<Runtime>,
    reporter: HealthReporter,
    connections: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

impl Health {
    pub fn start() -> Health {
        Health::start_at(0)
    }

    /// 0: a free port.
    pub fn start_at(port: u16) -> Health {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (reporter, service) = health_reporter();
        let (connections, calls) = (Arc::default(), Arc::default());
        let (made, called) = (Arc::clone(&connections), Arc::clone(&calls));
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                AtomicUsize::fetch_add(&made, 1, Ordering::SeqCst);
                let (service, called) = (service.clone(), Arc::clone(&called));
                let answer = service_fn(move |request| {
                    AtomicUsize::fetch_add(&called, 1, Ordering::SeqCst);
                    service.clone().call(request)
                });
                let serving = http2::Builder::new(TokioExecutor::new());
                tokio::spawn(serving.serve_connection(TokioIo::new(stream), answer));
            }
        });
        Health { address, runtime: Some(runtime), reporter, connections, calls }
    }

    pub fn say(&self, service: &str, status: ServingStatus) {
        let runtime = self.runtime.as_ref().unwrap();
        runtime.block_on(self.reporter.set_service_status(service, status));
    }

    /// How many connections and calls there were.
    pub fn counted(&self) -> (usize, usize) {
        (self.connections.load(Ordering::SeqCst), self.calls.load(Ordering::SeqCst))
    }
}

impl Drop for Health {
    fn drop(&mut self) {
        // Waiting for it would not be allowed in a test that is itself at work on a runtime.
        self.runtime.take().unwrap().shutdown_background();
    }
}

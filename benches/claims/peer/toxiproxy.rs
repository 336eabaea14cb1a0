//! Toxiproxy, built from its Go module by `make bench`, driven by its HTTP interface over one kept
//! connection. All its roads are on the server's loopback: the shortest that there are.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::timing::sleep_until;

use crate::world::Space;

const API: ([u8; 4], u16) = ([127, 0, 0, 1], 8474);
/// Where clients connect.
pub const PROXY: ([u8; 4], u16) = ([127, 0, 0, 1], 7101);
/// Where the service is.
const SERVICE: ([u8; 4], u16) = ([127, 0, 0, 1], 7102);

pub struct Toxiproxy {
    child: Child,
    api: BufReader<TcpStream>,
    pub service: TcpListener,
}

/// The program, where it was built.
pub fn program() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/server");
    path.is_file().then_some(path)
}

impl Toxiproxy {
    /// With one proxy, `stream`, to [`Toxiproxy::service`]. None: it was not built.
    pub fn start(server: &Space) -> Option<Toxiproxy> {
        let program = program()?;
        let child = server.inside(|| {
            let mut command = Command::new(&program);
            let command = command.args(["-host", "127.0.0.1", "-port", "8474"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        });
        let until = monotonic_ns() + 10_000_000_000;
        let api = loop {
            match server.inside(|| TcpStream::connect(SocketAddr::from(API))) {
                Ok(api) => break api,
                Err(why) => assert!(monotonic_ns() < until, "toxiproxy: {why}"),
            }
            sleep_until(monotonic_ns() + 10_000_000);
        };
        api.set_nodelay(true).unwrap();
        let service = server.inside(|| TcpListener::bind(SocketAddr::from(SERVICE)).unwrap());
        let mut started = Toxiproxy { child, api: BufReader::new(api), service };
        started.proxy("stream", PROXY.1);
        Some(started)
    }

    /// One more road to the service.
    pub fn proxy(&mut self, name: &str, port: u16) {
        let body = format!(
            r#"{{"name":"{name}","listen":"127.0.0.1:{port}","upstream":"127.0.0.1:{}","enabled":true}}"#,
            SERVICE.1
        );
        self.ask("POST", "/proxies", &body);
    }

    /// Data is swallowed until the toxic is removed.
    pub fn cut(&mut self, proxy: &str) -> u64 {
        let body =
            r#"{"name":"t","type":"timeout","stream":"upstream","attributes":{"timeout":0}}"#;
        self.ask("POST", &format!("/proxies/{proxy}/toxics"), body)
    }

    pub fn delay(&mut self, ms: u64) {
        let body = format!(
            r#"{{"name":"t","type":"latency","stream":"upstream","attributes":{{"latency":{ms}}}}}"#
        );
        self.ask("POST", "/proxies/stream/toxics", &body);
    }

    pub fn remove(&mut self) {
        self.ask("DELETE", "/proxies/stream/toxics/t", "");
    }

    /// Removes every toxic of every proxy.
    pub fn reset(&mut self) -> u64 {
        self.ask("POST", "/reset", "")
    }

    /// One request; just before it was sent.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> u64 {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let began_ns = monotonic_ns();
        self.api.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.api.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        while line.trim() != "" {
            line.clear();
            self.api.read_line(&mut line).unwrap();
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.api.read_exact(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(status.starts_with('2'), "toxiproxy: {method} {path}: {status} {answer}");
        began_ns
    }
}

impl Drop for Toxiproxy {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

//! Real servers, started by argument vector in scratch folders, ended by their handle.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::wait_for;

pub struct Server {
    pub address: SocketAddr,
    child: Child,
    /// Goes with it.
    _folder: TempDir,
}

/// A port that nobody had a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts it and waits until it takes connections.
    pub fn start(port: u16, folder: TempDir, command: &[&str]) -> Server {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let child = spawn(&folder, command);
        let server = Server { address, child, _folder: folder };
        wait_for(command[0], 20, || TcpStream::connect(address).ok());
        server
    }

    /// Redis without persistence.
    pub fn redis(more: &[&str]) -> Server {
        Server::redis_at(free_port(), more)
    }

    pub fn redis_at(port: u16, more: &[&str]) -> Server {
        let port_text = port.to_string();
        let own = ["redis-server", "--port", &port_text, "--bind", "127.0.0.1", "--save", ""];
        let quiet = ["--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        let command = [&own[..], &quiet[..], more].concat();
        let server = Server::start(port, TempDir::new().unwrap(), &command);
        wait_for("redis to answer", 20, || {
            let answer = ask(server.address, "PING\r\n");
            (answer.contains("PONG") || answer.contains("NOAUTH")).then_some(())
        });
        server
    }

    /// A replica that follows `primary` and has caught up.
    pub fn replica_of(primary: &Server) -> Server {
        let port = primary.address.port().to_string();
        let replica = Server::redis(&["--replicaof", "127.0.0.1", &port]);
        wait_for("the replica to be online", 20, || {
            let info = ask(replica.address, "INFO replication\r\n");
            info.contains("master_link_status:up").then_some(())
        });
        replica
    }

    /// nginx with this inside its `http` block; `PORT` stands for its port.
    pub fn nginx(folder: TempDir, http: &str) -> Server {
        Server::nginx_at(free_port(), folder, http)
    }

    pub fn nginx_at(port: u16, folder: TempDir, http: &str) -> Server {
        let http = http.replace("PORT", &port.to_string());
        let text = format!(
            "daemon off; worker_processes 1; pid nginx.pid; error_log stderr;\n\
             events {{}}\nhttp {{ access_log off; client_body_temp_path t; proxy_temp_path t;\n\
             fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;\n{http} }}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let prefix = folder.path().to_str().unwrap().to_owned();
        let command = ["/usr/sbin/nginx", "-p", &prefix, "-c", "nginx.conf", "-e", "stderr"];
        Server::start(port, folder, &command)
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// `kill -9`, and gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx takes its workers along on TERM; a stopped process takes nothing but KILL.
        if self.child.try_wait().unwrap().is_none() {
            let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGCONT);
            let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
            let gone = (0..500).any(|_| {
                super::let_pass(2);
                self.child.try_wait().unwrap().is_some()
            });
            if !gone {
                self.kill();
            }
        }
    }
}

fn spawn(folder: &TempDir, command: &[&str]) -> Child {
    Command::new(command[0])
        .args(&command[1..])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{} is needed for this test: {e}", command[0]))
}

/// One line to a server, and what it says within a moment; nothing when it does not answer.
pub fn ask(to: SocketAddr, line: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(to) else { return String::new() };
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    if stream.write_all(line.as_bytes()).is_err() {
        return String::new();
    }
    let mut answer = vec![0; 16 << 10];
    let length = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

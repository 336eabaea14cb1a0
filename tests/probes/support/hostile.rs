//! A server that does what no honest one does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use nix::sys::socket::{setsockopt, sockopt};

#[derive(Clone, Copy)]
pub enum Manner {
    /// Takes connections and never says a word.
    Silent,
    /// Reads the question and ends the connection with a reset.
    Resets,
    /// Says this and closes.
    Says(&'static str),
    /// Says this after so many milliseconds, and closes.
    SaysLate(u64, &'static str),
}

pub struct Hostile {
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Hostile {
    pub fn start(manner: Manner) -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let (ends, ears) = (Arc::clone(&over), Arc::clone(&heard));
        let thread = std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                if matches!(manner, Manner::Silent) {
                    silent.push(stream);
                    continue;
                }
                let ears = Arc::clone(&ears);
                std::thread::spawn(move || serve(stream, manner, &ears));
            }
        });
        Hostile { address, over, heard, connections, thread: Some(thread) }
    }

    /// How many were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Everything that was said to it.
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

fn serve(mut stream: TcpStream, manner: Manner, ears: &Mutex<Vec<u8>>) {
    let mut question = [0; 4096];
    let length = stream.read(&mut question).unwrap_or(0);
    ears.lock().unwrap().extend_from_slice(&question[..length]);
    match manner {
        Manner::Resets => {
            let now = libc::linger { l_onoff: 1, l_linger: 0 };
            setsockopt(&stream.as_fd(), sockopt::Linger, &now).unwrap();
        }
        Manner::Says(text) => drop(stream.write_all(text.as_bytes())),
        Manner::SaysLate(ms, text) => {
            super::let_pass(ms);
            drop(stream.write_all(text.as_bytes()));
        }
        Manner::Silent => {}
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

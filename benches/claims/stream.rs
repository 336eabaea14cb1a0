//! Numbered messages at a steady rate from client to server, each stamped when it was sent and
//! when it arrived: what a fault did to whom is read off the stream, not off our own records.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::timing::{quicken, sleep_until};

use crate::world::Space;

/// Ahead of what is measured, which may be `SCHED_FIFO` itself.
const PRIORITY: u32 = 20;
/// A receiver looks this often whether it shall end.
const LOOK: Duration = Duration::from_millis(50);
/// A message is its number.
const LENGTH: usize = 8;

/// When each message was sent and arrived; 0: not.
struct Log {
    sent: Vec<AtomicU64>,
    arrived: Vec<AtomicU64>,
    next: AtomicUsize,
    over: AtomicBool,
}

pub struct Stream {
    log: Arc<Log>,
    threads: Vec<JoinHandle<()>>,
}

/// How fast and how many at most.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    pub interval_ns: u64,
    pub most: usize,
}

impl Pace {
    /// 10 kHz.
    pub const FAST: Pace = Pace { interval_ns: 100_000, most: 1 << 22 };
    /// 1 kHz.
    pub const CALM: Pace = Pace { interval_ns: 1_000_000, most: 1 << 16 };
}

impl Log {
    fn new(most: usize) -> Arc<Log> {
        let zeros = || (0..most).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Log {
            sent: zeros(),
            arrived: zeros(),
            next: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        })
    }

    fn took_in(&self, message: &[u8]) {
        let number = u64::from_ne_bytes(message.try_into().unwrap()) as usize;
        if let Some(arrived) = self.arrived.get(number) {
            arrived.store(monotonic_ns(), Ordering::Release);
        }
    }

    /// A message that could not be sent (the far side is cut) counts as sent and lost.
    fn send(&self, pace: Pace, mut send: impl FnMut(&[u8])) {
        let mut due = monotonic_ns();
        for number in 0..pace.most {
            due = (due + pace.interval_ns).max(monotonic_ns());
            sleep_until(due);
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            self.sent[number].store(monotonic_ns(), Ordering::Release);
            send(&number.to_ne_bytes());
            self.next.store(number + 1, Ordering::Release);
        }
    }
}

impl Stream {
    /// Datagrams to that address of the server.
    pub fn udp(server: &Space, client: &Space, to: SocketAddr, pace: Pace) -> Stream {
        let log = Log::new(pace.most);
        let receiver = server.inside(|| UdpSocket::bind(to).unwrap());
        let sender = client.inside(|| UdpSocket::bind("0.0.0.0:0").unwrap());
        sender.connect(to).unwrap();
        receiver.set_read_timeout(Some(LOOK)).unwrap();
        let taking = spawn(&log, move |log| {
            let mut message = [0; LENGTH];
            while !log.over.load(Ordering::Relaxed) {
                if receiver.recv(&mut message).is_ok() {
                    log.took_in(&message);
                }
            }
        });
        let giving = spawn(&log, move |log| {
            log.send(pace, |message| {
                let _lost = sender.send(message);
            });
        });
        Stream { log, threads: vec![taking, giving] }
    }

    /// Messages on one connection from `client` to `to`, which leads to `listener` by some road.
    pub fn tcp(listener: &TcpListener, client: &Space, to: SocketAddr, pace: Pace) -> Stream {
        let log = Log::new(pace.most);
        let mut sender = client.inside(|| TcpStream::connect(to).unwrap());
        let (mut receiver, _) = listener.accept().unwrap();
        sender.set_nodelay(true).unwrap();
        sender.set_write_timeout(Some(LOOK)).unwrap();
        receiver.set_read_timeout(Some(LOOK)).unwrap();
        let taking = spawn(&log, move |log| {
            let (mut bytes, mut held) = ([0; 1 << 14], 0);
            while !log.over.load(Ordering::Relaxed) {
                let got = match receiver.read(&mut bytes[held..]) {
                    Ok(0) => return,
                    Ok(got) => got,
                    Err(_) => continue,
                };
                let whole = (held + got) / LENGTH * LENGTH;
                bytes[..whole].chunks(LENGTH).for_each(|message| log.took_in(message));
                bytes.copy_within(whole..held + got, 0);
                held = held + got - whole;
            }
        });
        let giving = spawn(&log, move |log| {
            log.send(pace, |message| {
                let _lost = sender.write_all(message);
            });
        });
        Stream { log, threads: vec![taking, giving] }
    }

    /// Waits until messages arrive.
    pub fn flows(&self) {
        let from = monotonic_ns();
        let until = from + 5_000_000_000;
        while self.first_arrival(from).is_none() {
            assert!(monotonic_ns() < until, "the stream does not flow");
            sleep_until(monotonic_ns() + 1_000_000);
        }
    }

    /// When the first message was sent that was sent since then and is lost. What was sent less
    /// than 10 ms ago may still be on its way.
    pub fn first_lost(&self, since_ns: u64) -> Option<u64> {
        let known_ns = monotonic_ns() - 10_000_000;
        let lost = |(sent, arrived): &(u64, u64)| *arrived == 0 && *sent < known_ns;
        self.since(since_ns).find(lost).map(|(sent, _)| sent)
    }

    /// When the first message arrived that was sent since then.
    pub fn first_arrival(&self, since_ns: u64) -> Option<u64> {
        self.since(since_ns).map(|(_, arrived)| arrived).find(|arrived| *arrived > 0)
    }

    /// How many that were sent between the two have not arrived.
    pub fn lost(&self, from_ns: u64, to_ns: u64) -> usize {
        let sent = self.since(from_ns).take_while(|(sent, _)| *sent < to_ns);
        sent.filter(|(_, arrived)| *arrived == 0).count()
    }

    /// One-way times of the messages that were sent between the two and have arrived.
    pub fn delays(&self, from_ns: u64, to_ns: u64) -> Vec<u64> {
        self.since(from_ns)
            .take_while(|(sent, _)| *sent < to_ns)
            .filter(|(_, arrived)| *arrived > 0)
            .map(|(sent, arrived)| arrived - sent)
            .collect()
    }

    fn since(&self, ns: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let end = self.log.next.load(Ordering::Acquire);
        let sent = |at: usize| self.log.sent[at].load(Ordering::Acquire);
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = usize::midpoint(low, high);
            if sent(middle) < ns { low = middle + 1 } else { high = middle }
        }
        (low..end).map(move |at| (sent(at), self.log.arrived[at].load(Ordering::Acquire)))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.log.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _panicked = thread.join();
        }
    }
}

fn spawn(log: &Arc<Log>, work: impl FnOnce(&Log) + Send + 'static) -> JoinHandle<()> {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let _scheduling = quicken(PRIORITY);
        work(&log);
    })
}

//! The kernel's packet queue, by its few messages: bind, settings, a packet's number and mark
//! coming, verdicts going. The netlink crate does not know this subsystem.
//!
//! Packets stay in the kernel; only their numbers travel. When the socket closes, the kernel drops
//! what is queued and lets the rest bypass.

use std::io;
use std::mem::take;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};

use super::socket::{
    HEADER, NetfilterSocket, close_header, flag, outcome, put_attribute, put_header,
};
use crate::host::HostError;

/// The number of our queue in every namespace: "SQ". One drill per namespace, so one is enough.
pub(super) const QUEUE: u16 = 0x5351;

/// At 50 ms and some hundred thousand packets a second the kernel's own 1024 would drop most.
const LONGEST: u32 = 65_536;
/// Room for the numbers of a burst; the kernel counts about 1 KiB for each.
const RECEIVE_BUFFER: usize = 64 << 20;
/// Longer than any message without the packet's bytes.
const LONGEST_MESSAGE: usize = 4096;

const SUBSYSTEM: u16 = 3;
const PACKET: u16 = SUBSYSTEM << 8;
const VERDICT: u16 = (SUBSYSTEM << 8) | 1;
const CONFIG: u16 = (SUBSYSTEM << 8) | 2;

const CONFIG_COMMAND: u16 = 1;
const CONFIG_PARAMETERS: u16 = 2;
const CONFIG_LONGEST: u16 = 3;
const CONFIG_MASK: u16 = 4;
const CONFIG_FLAGS: u16 = 5;
const COMMAND_BIND: u8 = 1;
const COMMAND_UNBIND: u8 = 2;
const COPY_META: u8 = 1;
const FLAG_FAIL_OPEN: u32 = 1;
const FLAG_GSO: u32 = 4;

const PACKET_HEADER: u16 = 1;
const VERDICT_HEADER: u16 = 2;
const MARK: u16 = 3;
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;

/// A packet that waits in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub id: u32,
    pub mark: u32,
}

/// What shall become of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub id: u32,
    /// The mark that it goes on with; None: it is dropped.
    pub mark: Option<u32>,
}

/// One bound queue of one namespace.
#[derive(Debug)]
pub(super) struct Queue {
    socket: NetfilterSocket,
    /// Verdicts that were given and not sent yet.
    pending: Vec<u8>,
    /// Packets that came while a setting was being answered.
    stash: Vec<Waiting>,
    buffer: Vec<u8>,
}

impl Queue {
    /// Binds the queue of this thread's namespace. Errors: `Denied` when somebody else has it.
    pub fn bind() -> Result<Queue, HostError> {
        let socket = NetfilterSocket::open()?;
        socket.set_netlink_option(libc::NETLINK_NO_ENOBUFS)?;
        // Forcing it needs privilege on the whole machine; less is better than nothing.
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BUFFER)
                .map_err(|e| HostError::io("widen a socket's buffer", e))?;
        }
        let (pending, stash, buffer) = (Vec::new(), Vec::new(), vec![0; LONGEST_MESSAGE]);
        let mut queue = Queue { socket, pending, stash, buffer };
        queue.configure(CONFIG_COMMAND, &[COMMAND_BIND, 0, 0, 0]).map_err(|e| {
            match e.raw_os_error() {
                Some(libc::EBUSY | libc::EPERM) => HostError::Denied {
                    what: format!("packet queue {QUEUE}"),
                    remedy: "another program holds it in this namespace; end that first".to_owned(),
                },
                _ => HostError::Lacking {
                    what: format!("packet queues ({e})"),
                    remedy: "load or build nfnetlink_queue".to_owned(),
                },
            }
        })?;
        queue.settle().map_err(|e| HostError::io("set up a packet queue", e))?;
        Ok(queue)
    }

    /// Gives the queue's number free. Closing the socket would do so too, later.
    pub fn unbind(&mut self) {
        let _ = self.configure(CONFIG_COMMAND, &[COMMAND_UNBIND, 0, 0, 0]);
    }

    /// Super-packets as one (fast), or every segment by itself (for loss by packet).
    pub fn set_whole(&mut self, whole: bool) -> io::Result<()> {
        self.configure_flags(FLAG_GSO, if whole { FLAG_GSO } else { 0 })
    }

    /// The next packets, at most `most`; empty when none is waiting.
    pub fn take_waiting(&mut self, most: usize) -> io::Result<Vec<Waiting>> {
        let mut found = take(&mut self.stash);
        while found.len() < most {
            let length = match recv(
                self.socket.as_fd().as_raw_fd(),
                &mut self.buffer,
                MsgFlags::MSG_DONTWAIT,
            ) {
                Ok(length) => length,
                Err(nix::Error::EAGAIN) => break,
                // Packets that found no room passed by themselves.
                Err(nix::Error::EINTR | nix::Error::ENOBUFS) => continue,
                Err(error) => return Err(error.into()),
            };
            found.extend(waiting(&self.buffer[..length]));
        }
        Ok(found)
    }

    /// Adds a verdict to those that the next [`Queue::flush`] sends.
    pub fn give(&mut self, verdict: Verdict) {
        let start = self.pending.len();
        put_header(&mut self.pending, VERDICT, flag(libc::NLM_F_REQUEST), 0);
        self.pending.extend_from_slice(&family_header());
        let word = if verdict.mark.is_some() { NF_ACCEPT } else { NF_DROP };
        let mut body = [0; 8];
        body[..4].copy_from_slice(&word.to_be_bytes());
        body[4..].copy_from_slice(&verdict.id.to_be_bytes());
        put_attribute(&mut self.pending, VERDICT_HEADER, &body);
        if let Some(mark) = verdict.mark {
            put_attribute(&mut self.pending, MARK, &mark.to_be_bytes());
        }
        close_header(&mut self.pending, start);
    }

    /// Sends what was given. The kernel delivers the packets before this returns.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let bytes = take(&mut self.pending);
        let result = self.socket.send(&bytes);
        self.pending = bytes;
        self.pending.clear();
        result
    }

    /// Bytes of verdicts that wait to be sent.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    fn settle(&mut self) -> io::Result<()> {
        self.configure(CONFIG_PARAMETERS, &[0, 0, 0, 0, COPY_META])?;
        self.configure(CONFIG_LONGEST, &LONGEST.to_be_bytes())?;
        self.configure_flags(FLAG_FAIL_OPEN | FLAG_GSO, FLAG_FAIL_OPEN | FLAG_GSO)
    }

    fn configure(&mut self, attribute: u16, value: &[u8]) -> io::Result<()> {
        let mut body = Vec::new();
        put_attribute(&mut body, attribute, value);
        self.exchange(&body)
    }

    fn configure_flags(&mut self, mask: u32, flags: u32) -> io::Result<()> {
        let mut body = Vec::new();
        put_attribute(&mut body, CONFIG_FLAGS, &flags.to_be_bytes());
        put_attribute(&mut body, CONFIG_MASK, &mask.to_be_bytes());
        self.exchange(&body)
    }

    /// One setting, and the kernel's answer to it. Packets that come in between are kept.
    fn exchange(&mut self, attributes: &[u8]) -> io::Result<()> {
        let sequence = self.socket.reserve(1);
        let flags = flag(libc::NLM_F_REQUEST) | flag(libc::NLM_F_ACK);
        let mut bytes = Vec::with_capacity(64);
        put_header(&mut bytes, CONFIG, flags, sequence);
        bytes.extend_from_slice(&family_header());
        bytes.extend_from_slice(attributes);
        close_header(&mut bytes, 0);
        self.socket.send(&bytes)?;
        loop {
            for message in self.socket.receive()? {
                if message.kind == PACKET {
                    self.stash.extend(packet(&message.payload));
                } else if message.sequence == sequence
                    && let Some(result) = outcome(&message)
                {
                    return result;
                }
            }
        }
    }
}

impl AsFd for Queue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Family, version, and the queue's number.
fn family_header() -> [u8; 4] {
    let number = QUEUE.to_be_bytes();
    [0, 0, number[0], number[1]]
}

/// The packets of one datagram. Answers to verdicts about packets long gone are passed over.
fn waiting(datagram: &[u8]) -> impl Iterator<Item = Waiting> + '_ {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let header = rest.first_chunk::<HEADER>()?;
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let payload = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind == PACKET).then(|| packet(payload)).flatten())
    })
    .flatten()
}

/// Number and mark out of the attributes of a packet's message.
fn packet(payload: &[u8]) -> Option<Waiting> {
    let mut rest = payload.get(4..)?;
    let mut id = None;
    let mut mark = 0;
    while let Some(header) = rest.first_chunk::<4>() {
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let value = rest.get(4..length)?;
        let word = value.first_chunk().map(|w| u32::from_be_bytes(*w));
        match u16::from_ne_bytes([header[2], header[3]]) {
            PACKET_HEADER => id = word,
            MARK => mark = word.unwrap_or(0),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    id.map(|id| Waiting { id, mark })
}

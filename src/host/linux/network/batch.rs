//! One transaction of `nf_tables`: all of its messages take effect together, or none does.
//!
//! Only the last message asks for an answer. The kernel sends errors and echoes before that
//! answer, so one exchange settles the batch, however long it is.

use std::io;

use netlink_bindings::nftables::{Nfgenmsg, Request};
use netlink_bindings::traits::{NetlinkRequest, Protocol};

use super::socket::{HEADER, NetfilterSocket, close_header, flag, outcome, put_header};

/// `NFNL_SUBSYS_NFTABLES`, in the header of begin and end.
const SUBSYSTEM: u16 = 10;
const ACK: u16 = 0x4;
const ECHO: u16 = 0x8;

/// Messages in the making.
#[derive(Debug)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// What each message does, for the text of an error.
    names: Vec<&'static str>,
    last: usize,
}

/// A message of the batch as the kernel made it true, by its place in the batch.
#[derive(Debug)]
pub(super) struct Echo {
    pub index: usize,
    pub payload: Vec<u8>,
}

/// Which message failed, and how.
#[derive(Debug)]
pub(super) struct BatchError {
    pub what: &'static str,
    pub source: io::Error,
}

impl Batch {
    pub fn new() -> Batch {
        let mut batch = Batch { bytes: Vec::with_capacity(4096), names: Vec::new(), last: 0 };
        batch.push(&Request::new().op_batch_begin_do(&control()), "begin a transaction");
        batch
    }

    /// Adds a message; `what` completes "failed to".
    pub fn push<R: NetlinkRequest>(&mut self, request: &R, what: &'static str) {
        self.put(request, what, 0);
    }

    /// Adds a message whose result [`Batch::commit`] returns. Its place in the batch.
    pub fn push_echoed<R: NetlinkRequest>(&mut self, request: &R, what: &'static str) -> usize {
        self.put(request, what, ECHO);
        self.names.len() - 1
    }

    fn put<R: NetlinkRequest>(&mut self, request: &R, what: &'static str, extra: u16) {
        let Protocol::Raw { request_type, .. } = request.protocol() else { return };
        let flags = request.flags() | flag(libc::NLM_F_REQUEST) | extra;
        self.last = self.bytes.len();
        // Its sequence number follows in `number_from`.
        put_header(&mut self.bytes, request_type, flags, 0);
        self.bytes.extend_from_slice(request.payload());
        close_header(&mut self.bytes, self.last);
        self.names.push(what);
    }

    /// Sends it all and waits until it is settled.
    pub fn commit(mut self, socket: &mut NetfilterSocket) -> Result<Vec<Echo>, BatchError> {
        self.ask_for_answer();
        let answered = self.names.len() - 1;
        self.push(&Request::new().op_batch_end_do(&control()), "end a transaction");
        let first = socket.reserve(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.number_from(first);
        let failed = |what, source| BatchError { what, source };
        socket.send(&self.bytes).map_err(|e| failed("send a transaction", e))?;
        let mut echoes = Vec::new();
        let mut trouble = None;
        loop {
            for message in socket.receive().map_err(|e| failed("hear of a transaction", e))? {
                let index = message.sequence.wrapping_sub(first) as usize;
                let Some(what) = self.names.get(index) else { continue };
                let Some(result) = outcome(&message) else {
                    echoes.push(Echo { index, payload: message.payload });
                    continue;
                };
                if let Err(error) = result {
                    trouble.get_or_insert(failed(what, error));
                }
                // An error about the beginning is one of the whole; nothing need follow it.
                if index == answered || (index == 0 && trouble.is_some()) {
                    return trouble.map_or(Ok(echoes), Err);
                }
            }
        }
    }

    fn ask_for_answer(&mut self) {
        let at = self.last + 6;
        let flags = u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]]) | ACK;
        self.bytes[at..at + 2].copy_from_slice(&flags.to_ne_bytes());
    }

    /// Turns places in the batch into sequence numbers.
    fn number_from(&mut self, first: u32) {
        let mut at = 0;
        let mut index = 0_u32;
        while let Some(length) = self.bytes.get(at..at + 4) {
            let length = u32::from_ne_bytes([length[0], length[1], length[2], length[3]]) as usize;
            let number = first.wrapping_add(index);
            self.bytes[at + 8..at + 12].copy_from_slice(&number.to_ne_bytes());
            index += 1;
            at += length.max(HEADER).next_multiple_of(4);
        }
    }
}

/// The header of begin and end: it names the subsystem.
fn control() -> Nfgenmsg {
    let mut header = Nfgenmsg::new();
    header.set_res_id(SUBSYSTEM);
    header
}

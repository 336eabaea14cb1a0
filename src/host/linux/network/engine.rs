//! The thread that holds packets: one for all carriers of the process.
//!
//! It waits for packets of any queue, for the next deadline, and for orders; it never waits for
//! anything else, so a packet is late by a wake-up and no more. Orders are answered when done: an
//! order to remove a stage is done when every packet that only this stage held is delivered.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

use super::pipeline::Pipeline;
use super::queue::{Queue, Verdict};
use super::stage::Stage;
use super::urgency;
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;

/// Packets taken from one queue before deadlines are looked at again.
const AT_ONCE: usize = 64;
/// All that a queue can hold: what waits now, without running after what still comes.
const ALL: usize = 1 << 16;
/// Bytes of verdicts sent in one go: some 64 of them.
const FLUSH_BYTES: usize = 64 * 40;

/// The handle of the thread. Dropping it ends the thread and unbinds every queue.
#[derive(Debug)]
pub(super) struct Engine {
    orders: Sender<Order>,
    wake: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

type Answer = Sender<io::Result<()>>;

/// A carrier is known by its key: the cookie of its namespace.
#[derive(Debug)]
enum Order {
    Attach { key: u64, queue: Box<Queue>, answer: Answer },
    Detach { key: u64, answer: Sender<Option<Queue>> },
    Add { key: u64, bit: u32, stage: Box<Stage>, answer: Answer },
    Remove { key: u64, bit: u32, answer: Answer },
}

/// One namespace's queue and its packets.
#[derive(Debug)]
struct Lane {
    queue: Queue,
    pipeline: Pipeline,
    /// Super-packets come as one.
    whole: bool,
    verdicts: Vec<Verdict>,
}

impl Engine {
    pub fn start() -> Result<Engine, HostError> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake =
            EventFd::from_flags(flags).map_err(|e| HostError::io("make an event descriptor", e))?;
        let wake = Arc::new(wake);
        let (orders, inbox) = channel();
        let woken = Arc::clone(&wake);
        let thread = std::thread::Builder::new()
            .name("squall-engine".to_owned())
            .spawn(move || run(&inbox, &woken))
            .map_err(|e| HostError::io("start the engine", e))?;
        Ok(Engine { orders, wake, thread: Some(thread) })
    }

    pub fn attach(&self, key: u64, queue: Queue) -> Result<(), HostError> {
        self.order(|answer| Order::Attach { key, queue: Box::new(queue), answer })
    }

    /// Unbinds the queue and hands it back; what it still holds is delivered first.
    pub fn detach(&self, key: u64) -> Result<Option<Queue>, HostError> {
        let (answer, answered) = channel();
        self.send(Order::Detach { key, answer })?;
        answered.recv().map_err(|_| dead())
    }

    pub fn add(&self, key: u64, bit: u32, stage: Stage) -> Result<(), HostError> {
        self.order(|answer| Order::Add { key, bit, stage: Box::new(stage), answer })
    }

    pub fn remove(&self, key: u64, bit: u32) -> Result<(), HostError> {
        self.order(|answer| Order::Remove { key, bit, answer })
    }

    fn order(&self, make: impl FnOnce(Answer) -> Order) -> Result<(), HostError> {
        let (answer, answered) = channel();
        self.send(make(answer))?;
        let result = answered.recv().map_err(|_| dead())?;
        result.map_err(|e| HostError::io("change what the engine does", e))
    }

    fn send(&self, order: Order) -> Result<(), HostError> {
        self.orders.send(order).map_err(|_| dead())?;
        self.wake.write(1).map(|_| ()).map_err(|e| HostError::io("wake the engine", e))
    }
}

fn dead() -> HostError {
    HostError::io("reach the engine", io::Error::other("its thread is gone"))
}

impl Drop for Engine {
    fn drop(&mut self) {
        let (nobody, _) = channel();
        self.orders = nobody;
        // A failed wake means that the thread is gone already.
        let _ = self.wake.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(inbox: &Receiver<Order>, wake: &EventFd) {
    urgency::raise();
    let mut lanes = BTreeMap::new();
    loop {
        loop {
            match inbox.try_recv() {
                Ok(order) => obey(order, &mut lanes),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    lanes.values_mut().for_each(Lane::let_all_go);
                    return;
                }
            }
        }
        let mut next = None;
        for lane in lanes.values_mut() {
            lane.release();
            next = [next, lane.pipeline.next_due()].into_iter().flatten().min();
        }
        let ready = wait(wake, &lanes, next);
        for (lane, ready) in lanes.values_mut().zip(ready) {
            if ready {
                lane.take_in(AT_ONCE);
            }
        }
    }
}

/// Sleeps until something is to be done; which lanes have packets.
fn wait(wake: &EventFd, lanes: &BTreeMap<u64, Lane>, next: Option<u64>) -> Vec<bool> {
    let mut polled = vec![PollFd::new(wake.as_fd(), PollFlags::POLLIN)];
    polled.extend(lanes.values().map(|l| PollFd::new(l.queue.as_fd(), PollFlags::POLLIN)));
    let timeout = next.map(|due| {
        let left = due.saturating_sub(monotonic_ns());
        let seconds = i64::try_from(left / 1_000_000_000).unwrap_or(i64::MAX);
        TimeSpec::new(seconds, i64::try_from(left % 1_000_000_000).unwrap_or(0))
    });
    // An interrupted wait is a short one: everything is looked at again.
    let _ = ppoll(&mut polled, timeout, None);
    let seen = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
    if seen(&polled[0]) {
        let _ = wake.read();
    }
    polled[1..].iter().map(seen).collect()
}

fn obey(order: Order, lanes: &mut BTreeMap<u64, Lane>) {
    let (result, answer) = match order {
        Order::Attach { key, queue, answer } => {
            lanes.insert(key, Lane::new(*queue));
            (Ok(()), answer)
        }
        Order::Detach { key, answer } => {
            // Closing a socket takes the kernel some 20 ms, so that is not done here: it would
            // make the packets of every other carrier late.
            let queue = lanes.remove(&key).map(|mut lane| {
                lane.let_all_go();
                lane.queue.unbind();
                lane.queue
            });
            let _ = answer.send(queue);
            return;
        }
        Order::Add { key, bit, stage, answer } => {
            let lane = lanes.get_mut(&key).ok_or_else(unknown);
            (lane.and_then(|lane| lane.add(bit, *stage)), answer)
        }
        Order::Remove { key, bit, answer } => {
            let lane = lanes.get_mut(&key).ok_or_else(unknown);
            (lane.and_then(|lane| lane.remove(bit)), answer)
        }
    };
    // Whoever asked may have given up waiting.
    let _ = answer.send(result);
}

fn unknown() -> io::Error {
    io::Error::other("no such carrier")
}

impl Lane {
    fn new(queue: Queue) -> Lane {
        Lane { queue, pipeline: Pipeline::default(), whole: true, verdicts: Vec::new() }
    }

    fn add(&mut self, bit: u32, stage: Stage) -> io::Result<()> {
        self.pipeline.add(bit, stage);
        self.fit_size()
    }

    fn remove(&mut self, bit: u32) -> io::Result<()> {
        // What was marked before the rule went is still the stage's.
        self.take_in(ALL);
        self.pipeline.remove(bit, monotonic_ns(), &mut self.verdicts);
        self.send();
        self.fit_size()
    }

    /// Segments one by one while any stage wants that.
    fn fit_size(&mut self) -> io::Result<()> {
        let whole = !self.pipeline.loses();
        if whole != self.whole {
            self.queue.set_whole(whole)?;
            self.whole = whole;
            // Nobody will be woken for packets that came during the exchange.
            self.take_in(AT_ONCE);
        }
        Ok(())
    }

    fn take_in(&mut self, most: usize) {
        // A queue that cannot be read holds nothing back: the kernel lets its packets pass.
        let waiting = self.queue.take_waiting(most).unwrap_or_default();
        let now = monotonic_ns();
        for packet in waiting {
            self.verdicts.extend(self.pipeline.arrive(packet, now));
        }
        self.send();
    }

    fn release(&mut self) {
        self.pipeline.release(monotonic_ns(), &mut self.verdicts);
        self.send();
    }

    fn let_all_go(&mut self) {
        self.take_in(ALL);
        self.pipeline.release(u64::MAX, &mut self.verdicts);
        self.send();
    }

    fn send(&mut self) {
        for verdict in self.verdicts.drain(..) {
            self.queue.give(verdict);
            if self.queue.pending() >= FLUSH_BYTES {
                let _ = self.queue.flush();
            }
        }
        // A verdict that the kernel refuses is about a packet that is gone.
        let _ = self.queue.flush();
    }
}

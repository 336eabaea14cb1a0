//! The thread that knows what time it is: it sleeps until the next slot or beat is due and hands it
//! over. It does nothing else, so nothing can make it late but the kernel.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use tokio::sync::mpsc::UnboundedSender;

use super::grade::BEAT_NS;
use super::schedule::{Due, Schedule};
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::timing::{Scheduling, quicken, sleep_until};
use crate::model::units::Rate;

/// Ahead of the slots thread, behind the kernel's own.
const PRIORITY: u32 = 20;

/// What the slots thread hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    Due(Due),
    /// Every 5 ms, slots or none.
    Beat {
        sent_ns: u64,
    },
    /// No slot will come after this one.
    Ended,
}

enum Order {
    Start(Schedule),
    Stop,
}

/// Orders to the thread. Dropping it ends the thread. Orders are heard within a beat.
pub struct Metronome {
    orders: Sender<Order>,
    pub scheduling: Scheduling,
}

impl Metronome {
    /// Starts the thread.
    pub fn new(ticks: UnboundedSender<Tick>) -> Result<Metronome, HostError> {
        let (orders, inbox) = channel();
        let (tell, told) = channel();
        std::thread::Builder::new()
            .name("metronome".to_owned())
            .spawn(move || {
                let _ = tell.send(quicken(PRIORITY));
                keep_time(&inbox, &ticks);
            })
            .map_err(|e| HostError::io("start the metronome's thread", e))?;
        let scheduling = told.recv().unwrap_or(Scheduling::Other);
        Ok(Metronome { orders, scheduling })
    }

    /// Slots begin then; at least two beats (10 ms) ahead, or the first are late.
    pub fn start(&self, at_ns: u64, rates: &[Rate]) {
        let _ = self.orders.send(Order::Start(Schedule::new(at_ns, rates)));
    }

    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }
}

fn keep_time(orders: &Receiver<Order>, ticks: &UnboundedSender<Tick>) {
    let mut schedule = None;
    let mut beat_ns = monotonic_ns();
    loop {
        match orders.try_recv() {
            Ok(Order::Start(new)) => schedule = Some(new),
            Ok(Order::Stop) => {
                schedule = None;
                let _ = ticks.send(Tick::Ended);
                // What is complete can be told at once.
                beat_ns = monotonic_ns();
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        let next = schedule.as_ref().and_then(Schedule::next_ns).unwrap_or(u64::MAX);
        sleep_until(next.min(beat_ns));
        let now = monotonic_ns();
        while let Some(due) = schedule.as_mut().and_then(|schedule| schedule.pop(now)) {
            let _ = ticks.send(Tick::Due(due));
        }
        if now >= beat_ns {
            if ticks.send(Tick::Beat { sent_ns: now }).is_err() {
                return;
            }
            // Beats are not slots: those that were missed are not made up for.
            beat_ns = now + BEAT_NS;
        }
    }
}

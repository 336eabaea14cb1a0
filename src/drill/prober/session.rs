//! The thread that speaks with the conductor.
//!
//! It ends when the conductor says goodbye, closes its end, or has been silent for 3 s of our own
//! running time; so a prober never outlives its drill.

use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::MissedTickBehavior;

use super::gather::Gather;
use super::slots::{self, Command};
use super::stand;
use super::watch::{self, Watcher};
use crate::host::HostError;
use crate::host::channel::{Channel, ChannelReader, ChannelWriter};
use crate::host::linux::{netns, timing};
use crate::model::message::{FromProber, ProberHello, ToProber};

/// Between two signs of life, ours and theirs.
const BEAT: Duration = Duration::from_millis(500);
/// So many beats without a word, and the conductor is lost: 3 s.
const SILENT_MOST: u32 = 6;
/// How long a goodbye may take.
const LEAVE_WITHIN: Duration = Duration::from_millis(300);
/// The name under which the prober itself is unfit.
const MYSELF: &str = "prober";

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Goodbye,
    ConductorLost,
    /// A slots thread ended by itself.
    BrokenDown,
}

/// Runs the whole part. Errors: it could not begin at all.
pub fn run(channel: OwnedFd) -> Result<End, HostError> {
    // Where it is refused the lag will show; what is measured stays right.
    let _ = timing::stand_alone();
    let mut channel = Channel::from_fd(channel);
    let Some(hello) = wait_for_hello(&mut channel)? else { return Ok(End::ConductorLost) };
    // Before any thread exists: later ones are born inside.
    if let Some(Err(e)) = hello.netns.as_ref().map(netns::enter) {
        channel.send(&FromProber::Unfit { probe: MYSELF.to_owned(), why: e.to_string() })?;
        return Err(e);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| HostError::io("start the session's runtime", e))?;
    let end = LocalSet::new().block_on(&runtime, converse(channel, hello));
    runtime.shutdown_background();
    end
}

/// None: the conductor went away or said nothing.
fn wait_for_hello(channel: &mut Channel) -> Result<Option<ProberHello>, HostError> {
    let patience = PollTimeout::try_from(BEAT * SILENT_MOST).unwrap_or(PollTimeout::MAX);
    loop {
        let mut waiting = [PollFd::new(channel.as_fd(), PollFlags::POLLIN)];
        let heard = poll(&mut waiting, patience);
        if heard.map_err(|e| HostError::io("wait for the conductor", e))? == 0 {
            return Ok(None);
        }
        match channel.receive()? {
            None | Some(ToProber::Goodbye) => return Ok(None),
            Some(ToProber::Hello(hello)) => return Ok(Some(hello)),
            Some(_) => {}
        }
    }
}

/// The threads and tasks of a session.
struct Session {
    out: UnboundedSender<FromProber>,
    /// One for each stand; none when the drill cannot begin.
    commands: Vec<UnboundedSender<Command>>,
    watchers: Vec<Rc<Watcher>>,
    /// Heard from each slots thread as it ends.
    slots_ended: Receiver<()>,
}

async fn converse(channel: Channel, hello: ProberHello) -> Result<End, HostError> {
    let (reader, writer) = channel.into_async()?.split();
    let (out, outbox) = unbounded_channel();
    let (inbox_sender, inbox) = unbounded_channel();
    let writing = spawn_local(write(writer, outbox));
    let reading = spawn_local(read(reader, inbox_sender));
    let session = Session::begin(hello, out)?;
    let end = session.serve(inbox).await;
    session.leave();
    reading.abort();
    if end != End::ConductorLost {
        let _ = tokio::time::timeout(LEAVE_WITHIN, writing).await;
    }
    Ok(end)
}

impl Session {
    fn begin(hello: ProberHello, out: UnboundedSender<FromProber>) -> Result<Session, HostError> {
        let watchers = watchers(&hello, &out);
        let stands = stand::stands(&hello).map_err(|unknown| {
            for (probe, why) in unknown {
                let _ = out.send(FromProber::Unfit { probe, why });
            }
        });
        let (ended, slots_ended) = channel();
        let mut session = Session { out, commands: Vec::new(), watchers: Vec::new(), slots_ended };
        let (Some(watchers), Ok(stands)) = (watchers, stands) else { return Ok(session) };
        let hello = Arc::new(hello);
        let outs = gathered(stands.len(), &session.out);
        let of = stands.len() as u64;
        for (stand, out) in stands.into_iter().zip(outs) {
            let (commands, orders) = unbounded_channel();
            session.commands.push(commands);
            let (hello, ended) = (Arc::clone(&hello), ended.clone());
            std::thread::Builder::new()
                .name("slots".to_owned())
                .spawn(move || {
                    if let Err(why) = slots::run((&hello, &stand, of), orders, out.clone()) {
                        let _ = out.send(FromProber::Unfit { probe: MYSELF.to_owned(), why });
                    }
                    drop(out);
                    let _ = ended.send(());
                })
                .map_err(|e| HostError::io("start the slots' thread", e))?;
        }
        for watcher in &watchers {
            spawn_local(watch::keep_asking(Rc::clone(watcher), session.out.clone()));
        }
        session.watchers = watchers;
        Ok(session)
    }

    async fn serve(&self, mut inbox: UnboundedReceiver<ToProber>) -> End {
        let mut beat = tokio::time::interval(BEAT);
        // After a pause of our own there is one beat to make up, not many: their silence is
        // counted in our running time.
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent = 0;
        loop {
            tokio::select! {
                biased;
                message = inbox.recv() => {
                    silent = 0;
                    match message {
                        None => return End::ConductorLost,
                        Some(ToProber::Goodbye) => return End::Goodbye,
                        Some(message) => self.obey(&message),
                    }
                }
                _ = beat.tick() => {
                    silent += 1;
                    if self.commands.iter().any(UnboundedSender::is_closed) {
                        return End::BrokenDown;
                    }
                    if silent > SILENT_MOST || self.out.send(FromProber::Beat).is_err() {
                        return End::ConductorLost;
                    }
                }
            }
        }
    }

    fn obey(&self, message: &ToProber) {
        match *message {
            ToProber::Start { at_ns } => self.order(Command::Start { at_ns }),
            ToProber::ReadLedgers { round } => self.order(Command::ReadLedgers { round }),
            ToProber::Stop => self.order(Command::Stop),
            ToProber::ReadRoles => {
                let (watchers, out) = (self.watchers.clone(), self.out.clone());
                spawn_local(async move {
                    let _ = out.send(FromProber::Roles(watch::ask_all(&watchers).await));
                });
            }
            // A second hello changes nothing: the probes are built.
            ToProber::Hello(_) | ToProber::Beat | ToProber::Goodbye => {}
        }
    }

    fn order(&self, command: Command) {
        for commands in &self.commands {
            // Where the thread has ended the next beat ends the session.
            let _ = commands.send(command);
        }
    }

    /// Ends the slots threads, so that programs that they run are killed and not left behind.
    fn leave(self) {
        let threads = self.commands.len();
        drop(self.commands);
        for _ in 0..threads {
            let _ = self.slots_ended.recv_timeout(LEAVE_WITHIN);
        }
    }
}

/// None when a role cannot be asked; each such is reported.
fn watchers(hello: &ProberHello, out: &UnboundedSender<FromProber>) -> Option<Vec<Rc<Watcher>>> {
    let mut watchers = Vec::new();
    for watch in &hello.watches {
        match Watcher::new(watch.clone()) {
            Ok(watcher) => watchers.push(Rc::new(watcher)),
            Err(why) => {
                let probe = format!("the role of {}", watch.instance);
                let _ = out.send(FromProber::Unfit { probe, why });
            }
        }
    }
    (watchers.len() == hello.watches.len()).then_some(watchers)
}

/// The ears of so many stands. What one alone says goes out as it is.
fn gathered(stands: usize, out: &UnboundedSender<FromProber>) -> Vec<UnboundedSender<FromProber>> {
    if stands == 1 {
        return vec![out.clone()];
    }
    let gather = Rc::new(RefCell::new(Gather::of(stands)));
    let listen = |stand: usize| {
        let (ear, mut heard) = unbounded_channel();
        let (gather, out) = (Rc::clone(&gather), out.clone());
        spawn_local(async move {
            while let Some(message) = heard.recv().await {
                for message in gather.borrow_mut().take(stand, message) {
                    let _ = out.send(message);
                }
            }
        });
        ear
    };
    (0..stands).map(listen).collect()
}

async fn read(mut reader: ChannelReader, inbox: UnboundedSender<ToProber>) {
    // A closed end, a message that cannot be read: both are the end of the conversation.
    while let Ok(Some(message)) = reader.receive().await {
        if inbox.send(message).is_err() {
            return;
        }
    }
}

async fn write(mut writer: ChannelWriter, mut outbox: UnboundedReceiver<FromProber>) {
    while let Some(message) = outbox.recv().await {
        if writer.send(&message).await.is_err() {
            return;
        }
    }
}

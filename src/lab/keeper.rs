//! Keeps a lab standing: answers those who come by its socket, one drill at a time.

use std::collections::HashMap;
use std::os::fd::OwnedFd;

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::error::LabError;
use super::message::{FromLab, LabEvent, ToLab};
use super::standing::Lab;
use crate::host::HostError;
use crate::host::channel::{Channel, ChannelReader, ChannelWriter};

/// Why a lab's keeping ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Somebody asked for its end, and it is gone.
    Down,
    /// It ended by itself.
    Died(String),
}

type Visitor = u64;

/// A visitor said something; None: it left.
type Said = (Visitor, Option<ToLab>);

struct Keeper {
    lab: Lab,
    visitors: HashMap<Visitor, UnboundedSender<FromLab>>,
    /// The drill in the lab, and how it calls itself.
    attached: Option<(Visitor, String)>,
    said: UnboundedSender<Said>,
    next: Visitor,
}

enum Heard {
    Came(UnixStream),
    Said(Visitor, Option<ToLab>),
    Happened(LabEvent),
    Told,
}

/// Serves until the lab is ended: by a visitor, by `until`, or by itself.
pub async fn keep(
    lab: Lab,
    listener: std::os::unix::net::UnixListener,
    until: impl Future<Output = ()>,
) -> Result<Kept, LabError> {
    let listen = |e| HostError::io("listen for visitors", e);
    listener.set_nonblocking(true).map_err(listen)?;
    let listener = UnixListener::from_std(listener).map_err(listen)?;
    let (said, mut heard) = unbounded_channel();
    let mut keeper = Keeper { lab, visitors: HashMap::new(), attached: None, said, next: 0 };
    tokio::pin!(until);
    loop {
        let event = tokio::select! {
            () = &mut until => Heard::Told,
            came = listener.accept() => Heard::Came(came.map_err(listen)?.0),
            Some((visitor, said)) = heard.recv() => Heard::Said(visitor, said),
            Some(event) = keeper.lab.next_event() => Heard::Happened(event),
        };
        match event {
            Heard::Told => break,
            Heard::Came(stream) => keeper.admit(stream),
            Heard::Said(visitor, None) => keeper.farewell(visitor),
            Heard::Said(visitor, Some(message)) => {
                if keeper.answer(visitor, message).await? {
                    break;
                }
            }
            Heard::Happened(LabEvent::Died { why, .. }) => return Ok(Kept::Died(why)),
            Heard::Happened(event) => keeper.tell(FromLab::Event(event)),
        }
    }
    keeper.lab.down().await?;
    Ok(Kept::Down)
}

impl Keeper {
    /// Only our own user and root may speak; anybody else is hung up on.
    fn admit(&mut self, stream: UnixStream) {
        let uid = getsockopt(&stream, PeerCredentials).map(|c| c.uid());
        if !uid.is_ok_and(|uid| uid == 0 || uid == geteuid().as_raw()) {
            return;
        }
        let Ok(channel) = stream
            .into_std()
            .map_err(|e| HostError::io("admit a visitor", e))
            .and_then(|s| Channel::from_fd(OwnedFd::from(s)).into_async())
        else {
            return;
        };
        let (reader, writer) = channel.split();
        let (sender, outbox) = unbounded_channel();
        self.next += 1;
        self.visitors.insert(self.next, sender);
        // Tasks of their own: a visitor that stands still must not hold up the lab.
        tokio::spawn(read(reader, self.next, self.said.clone()));
        tokio::spawn(write(writer, outbox));
    }

    fn farewell(&mut self, visitor: Visitor) {
        self.visitors.remove(&visitor);
        self.attached.take_if(|(holder, _)| *holder == visitor);
    }

    /// True: the lab shall end.
    async fn answer(&mut self, visitor: Visitor, message: ToLab) -> Result<bool, LabError> {
        let others = self.attached.as_ref().filter(|(who, _)| *who != visitor);
        let busy = others.map(|(_, holder)| FromLab::Busy { holder: holder.clone() });
        let answer = match (message, busy) {
            (ToLab::Attach { .. } | ToLab::Down { force: false }, Some(busy)) => busy,
            (ToLab::Attach { holder }, None) => {
                self.attached = Some((visitor, holder));
                FromLab::Attached
            }
            (ToLab::Down { .. }, _) => return Ok(true),
            (ToLab::Targets { serial }, _) => {
                FromLab::Targets { serial, targets: self.lab.targets().await? }
            }
            (ToLab::Raise(_), _) => return Ok(false),
        };
        if let Some(outbox) = self.visitors.get(&visitor) {
            let _ = outbox.send(answer);
        }
        Ok(false)
    }

    /// To the drill in the lab; without one nobody listens.
    fn tell(&self, message: FromLab) {
        let outbox = self.attached.as_ref().and_then(|(who, _)| self.visitors.get(who));
        if let Some(outbox) = outbox {
            let _ = outbox.send(message);
        }
    }
}

async fn read(mut reader: ChannelReader, visitor: Visitor, said: UnboundedSender<Said>) {
    while let Ok(Some(message)) = reader.receive().await {
        if said.send((visitor, Some(message))).is_err() {
            return;
        }
    }
    let _ = said.send((visitor, None));
}

async fn write(mut writer: ChannelWriter, mut outbox: UnboundedReceiver<FromLab>) {
    while let Some(message) = outbox.recv().await {
        if writer.send(&message).await.is_err() {
            return;
        }
    }
}

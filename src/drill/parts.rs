//! The parts of a drill: born, greeted, listened to as one stream, and known by who still lives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::event::{Event, Part, Signal};
use crate::backend::Backend;
use crate::host::HostError;
use crate::host::channel::{Channel, ChannelReader, ChannelWriter};
use crate::host::linux::{clock::monotonic_ns, part, pidfd};
use crate::host::part::{Manner, PartSpec};
use crate::injection::journal::{Journal, JournalError};
use crate::model::message::{FromProber, ToInjector, ToProber};

/// How long a part may take to take in a message: what it does not read fills its socket.
const HEARS_WITHIN: Duration = Duration::from_secs(1);

/// Why the parts could not be started; nothing was injected.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

pub struct Parts {
    /// None once goodbye is said, or it did not hear.
    injector: Option<ChannelWriter>,
    prober: Option<ChannelWriter>,
    living: BTreeMap<Part, Living>,
    /// Whose last word has not come yet.
    speaking: BTreeSet<Part>,
    events: UnboundedReceiver<Event>,
    sender: UnboundedSender<Event>,
    /// Where the words of those go that outlive us.
    log: Option<File>,
}

/// A part whose process has not ended.
struct Living {
    pid: i32,
    process: OwnedFd,
}

impl Parts {
    /// Starts injector, guardian and prober where the targets live.
    pub fn start<B: Backend>(
        backend: &mut B,
        journal: &Journal,
        signals: UnboundedReceiver<Signal>,
        log: Option<File>,
    ) -> Result<Parts, PartsError> {
        let (sender, events) = unbounded_channel();
        let (living, speaking) = (BTreeMap::new(), BTreeSet::new());
        let mut parts =
            Parts { injector: None, prober: None, living, speaking, events, sender, log };
        let (injector, injector_end) = Channel::pair()?;
        let (guardian, guardian_end) = Channel::pair()?;
        let (prober, prober_end) = Channel::pair()?;
        let (injector_side, guardian_side) = Channel::pair()?;
        let fds = vec![injector_end.into_fd(), injector_side.into_fd(), journal.share()?];
        let watched = parts.bear(backend, Part::Injector, fds)?;
        let fds = vec![guardian_end.into_fd(), guardian_side.into_fd(), watched, journal.share()?];
        parts.bear(backend, Part::Guardian, fds)?;
        parts.bear(backend, Part::Prober, vec![prober_end.into_fd()])?;
        let (reader, writer) = injector.into_async()?.split();
        parts.injector = Some(writer);
        parts.listen(Part::Injector, reader, Event::Injector);
        let (reader, _) = guardian.into_async()?.split();
        parts.listen(Part::Guardian, reader, Event::Guardian);
        let (reader, writer) = prober.into_async()?.split();
        parts.prober = Some(writer);
        parts.listen(Part::Prober, reader, |m: FromProber| Event::Prober(Box::new(m)));
        forward(backend.events(), parts.sender.clone(), Event::Backend);
        forward(signals, parts.sender.clone(), Event::Signal);
        Ok(parts)
    }

    /// Injector and guardian are both dead: whoever reads the journal undoes the rest.
    pub fn start_recovery<B: Backend>(
        &mut self,
        backend: &B,
        journal: &Journal,
    ) -> Result<(), PartsError> {
        let (conductor, end) = Channel::pair()?;
        self.bear(backend, Part::Recovery, vec![end.into_fd(), journal.share()?])?;
        let (reader, _) = conductor.into_async()?.split();
        self.listen(Part::Recovery, reader, Event::Injector);
        Ok(())
    }

    /// Starts a part, and sees to it that it is reaped. Returns a descriptor of its process.
    fn bear<B: Backend>(
        &mut self,
        backend: &B,
        part: Part,
        fds: Vec<OwnedFd>,
    ) -> Result<OwnedFd, PartsError> {
        // Those that undo see our end by their channels, and outlive us for it.
        let manner = if part.undoes() { Manner::Detached } else { Manner::Tied };
        let log = self.log.as_ref().map(File::try_clone).transpose();
        let log = log.map_err(|e| HostError::io("share the log of the parts", e))?;
        // A busy machine must not keep the guardian from acting: no fault begins before it answers.
        let realtime = part != Part::Recovery;
        let log = log.map(OwnedFd::from);
        let born =
            backend.spawn(PartSpec { fds, realtime, manner, log, ..PartSpec::new(part.name()) })?;
        let share = || {
            let copy = born.pidfd().try_clone_to_owned();
            copy.map_err(|e| HostError::io("share a process descriptor", e))
        };
        let (process, watched) = (share()?, share()?);
        self.living.insert(part, Living { pid: born.pid(), process });
        tend(part, born, self.sender.clone());
        Ok(watched)
    }

    /// A part that does not hear is found out by its silence and its closed channel, not here.
    pub async fn tell_injector(&mut self, message: &ToInjector) {
        tell(&mut self.injector, Part::Injector, message).await;
    }

    pub async fn tell_prober(&mut self, message: &ToProber) {
        tell(&mut self.prober, Part::Prober, message).await;
    }

    /// The last that they hear of us: those who do not listen any more see the end of the channel.
    pub async fn goodbye(&mut self) {
        self.tell_injector(&ToInjector::Goodbye).await;
        self.tell_prober(&ToProber::Goodbye).await;
        (self.injector, self.prober) = (None, None);
    }

    /// The next event, or `Tick` at the given time.
    pub async fn next(&mut self, until_ns: u64) -> Event {
        let left = Duration::from_nanos(until_ns.saturating_sub(monotonic_ns()));
        match tokio::time::timeout(left, self.events.recv()).await {
            Ok(Some(event)) => {
                match &event {
                    Event::Closed(part) => {
                        self.speaking.remove(part);
                    }
                    Event::Ended(part) => {
                        self.living.remove(part);
                    }
                    _ => {}
                }
                event
            }
            // We hold a sender ourselves; time passes all the same.
            Ok(None) => {
                tokio::time::sleep(left).await;
                Event::Tick
            }
            Err(_) => Event::Tick,
        }
    }

    /// Those whose process has not ended, each with its number as counted here.
    #[must_use]
    pub fn living(&self) -> Vec<(Part, i32)> {
        self.living.iter().map(|(part, living)| (*part, living.pid)).collect()
    }

    #[must_use]
    pub fn lives(&self, part: Part) -> bool {
        self.living.contains_key(&part)
    }

    /// Has everybody ended, and said the last word?
    #[must_use]
    pub fn all_over(&self) -> bool {
        self.living.is_empty() && self.speaking.is_empty()
    }

    /// Sends SIGKILL to exactly that process; one that has ended is left alone.
    pub fn kill(&self, part: Part) {
        let Some(living) = self.living.get(&part) else { return };
        if let Err(error) = pidfd::kill(living.process.as_fd()) {
            tracing::debug!(%error, part = part.name(), "it cannot be killed");
        }
    }

    fn listen<T: serde::de::DeserializeOwned + Send + 'static>(
        &mut self,
        part: Part,
        reader: ChannelReader,
        wrap: impl Fn(T) -> Event + Send + 'static,
    ) {
        self.speaking.insert(part);
        listen(part, reader, self.sender.clone(), wrap);
    }
}

async fn tell<T: serde::Serialize>(to: &mut Option<ChannelWriter>, part: Part, message: &T) {
    let Some(writer) = to else { return };
    match tokio::time::timeout(HEARS_WITHIN, writer.send(message)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => tracing::debug!(%error, part = part.name(), "it does not hear"),
        Err(_) => tracing::warn!(part = part.name(), "it takes in no message any more"),
    }
    // Half a message may have gone: nothing that follows would be understood.
    *to = None;
}

/// Waits for the end of a part and reaps it: a lab ends only after everything in it is reaped.
fn tend(part: Part, mut born: part::Part, events: UnboundedSender<Event>) {
    tokio::spawn(async move {
        if let Err(error) = born.ended().await {
            tracing::warn!(%error, part = part.name(), "its end cannot be seen");
        }
        let _over = events.send(Event::Ended(part));
    });
}

fn listen<T: serde::de::DeserializeOwned + Send + 'static>(
    part: Part,
    mut reader: ChannelReader,
    events: UnboundedSender<Event>,
    wrap: impl Fn(T) -> Event + Send + 'static,
) {
    tokio::spawn(async move {
        loop {
            match reader.receive::<T>().await {
                Ok(Some(message)) => {
                    if events.send(wrap(message)).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(part = part.name(), %error, "it speaks nonsense");
                    break;
                }
            }
        }
        let _over = events.send(Event::Closed(part));
    });
}

fn forward<T: Send + 'static>(
    mut from: UnboundedReceiver<T>,
    to: UnboundedSender<Event>,
    wrap: impl Fn(T) -> Event + Send + 'static,
) {
    tokio::spawn(async move {
        while let Some(item) = from.recv().await {
            if to.send(wrap(item)).is_err() {
                return;
            }
        }
    });
}

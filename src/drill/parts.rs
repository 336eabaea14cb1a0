//! The three parts of a drill: born, greeted, listened to as one stream, and seen to their end.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::event::{Event, Part, Signal};
use crate::backend::Backend;
use crate::host::HostError;
use crate::host::channel::{Channel, ChannelReader, ChannelWriter};
use crate::host::linux::{clock::monotonic_ns, part};
use crate::host::part::{Manner, PartSpec};
use crate::injection::journal::{Journal, JournalError};
use crate::model::message::{FromProber, ToInjector, ToProber};

/// How long the parts may take to end by themselves.
const ENDS_WITHIN: Duration = Duration::from_secs(3);

/// Why the parts could not be started; nothing was injected.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

pub struct Parts {
    injector: ChannelWriter,
    prober: ChannelWriter,
    handles: Vec<(Part, part::Part)>,
    events: UnboundedReceiver<Event>,
    sender: UnboundedSender<Event>,
}

impl Parts {
    /// Starts injector, guardian and prober where the targets live.
    pub fn start<B: Backend>(
        backend: &mut B,
        journal: &Journal,
        signals: UnboundedReceiver<Signal>,
    ) -> Result<Parts, PartsError> {
        let (injector, injector_end) = Channel::pair()?;
        let (guardian, guardian_end) = Channel::pair()?;
        let (prober, prober_end) = Channel::pair()?;
        let (injector_side, guardian_side) = Channel::pair()?;
        // Injector and guardian outlive us: they see our end by their channels, and revert.
        let born_injector = backend.spawn(PartSpec {
            fds: vec![injector_end.into_fd(), injector_side.into_fd(), journal.share()?],
            realtime: true,
            manner: Manner::Detached,
            ..PartSpec::new(Part::Injector.name())
        })?;
        let watched = born_injector.pidfd().try_clone_to_owned();
        let watched = watched.map_err(|e| HostError::io("share a process descriptor", e))?;
        let born_guardian = backend.spawn(PartSpec {
            fds: vec![guardian_end.into_fd(), guardian_side.into_fd(), watched, journal.share()?],
            // No fault begins before it has answered; a busy machine must not keep it from that.
            realtime: true,
            manner: Manner::Detached,
            ..PartSpec::new(Part::Guardian.name())
        })?;
        let born_prober = backend.spawn(PartSpec {
            fds: vec![prober_end.into_fd()],
            realtime: true,
            ..PartSpec::new(Part::Prober.name())
        })?;
        let (sender, events) = unbounded_channel();
        let (reader, injector) = injector.into_async()?.split();
        listen(Part::Injector, reader, sender.clone(), Event::Injector);
        let (reader, _) = guardian.into_async()?.split();
        listen(Part::Guardian, reader, sender.clone(), Event::Guardian);
        let (reader, prober) = prober.into_async()?.split();
        listen(Part::Prober, reader, sender.clone(), |m: FromProber| Event::Prober(Box::new(m)));
        forward(backend.events(), sender.clone(), Event::Backend);
        forward(signals, sender.clone(), Event::Signal);
        let handles = vec![
            (Part::Injector, born_injector),
            (Part::Guardian, born_guardian),
            (Part::Prober, born_prober),
        ];
        Ok(Parts { injector, prober, handles, events, sender })
    }

    /// Injector and guardian are both dead: whoever reads the journal undoes the rest.
    pub fn start_recovery<B: Backend>(
        &mut self,
        backend: &B,
        journal: &Journal,
    ) -> Result<(), PartsError> {
        let (conductor, end) = Channel::pair()?;
        let fds = vec![end.into_fd(), journal.share()?];
        let manner = Manner::Detached;
        let born =
            backend.spawn(PartSpec { fds, manner, ..PartSpec::new(Part::Recovery.name()) })?;
        let (reader, _) = conductor.into_async()?.split();
        listen(Part::Recovery, reader, self.sender.clone(), Event::Injector);
        self.handles.push((Part::Recovery, born));
        Ok(())
    }

    /// A part that does not hear is found out by its closed channel, not here.
    pub async fn tell_injector(&mut self, message: &ToInjector) {
        if let Err(error) = self.injector.send(message).await {
            tracing::debug!(%error, "the injector does not hear");
        }
    }

    pub async fn tell_prober(&mut self, message: &ToProber) {
        if let Err(error) = self.prober.send(message).await {
            tracing::debug!(%error, "the prober does not hear");
        }
    }

    /// The next event, or `Tick` at the given time.
    pub async fn next(&mut self, until_ns: u64) -> Event {
        let left = Duration::from_nanos(until_ns.saturating_sub(monotonic_ns()));
        match tokio::time::timeout(left, self.events.recv()).await {
            Ok(Some(event)) => event,
            // All senders gone cannot be while the signals' one lives; time still passes.
            Ok(None) => {
                tokio::time::sleep(left).await;
                Event::Tick
            }
            Err(_) => Event::Tick,
        }
    }

    /// Waits for every part to end, and kills what does not: they hold nothing any more.
    pub async fn end(mut self) {
        let limit = monotonic_ns() + u64::try_from(ENDS_WITHIN.as_nanos()).unwrap_or(0);
        self.tell_injector(&ToInjector::Goodbye).await;
        self.tell_prober(&ToProber::Goodbye).await;
        drop((self.injector, self.prober));
        for (part, mut handle) in self.handles {
            let left = Duration::from_nanos(limit.saturating_sub(monotonic_ns()));
            if tokio::time::timeout(left, handle.ended()).await.is_err() {
                tracing::warn!(part = part.name(), "it did not end by itself and is killed");
                if let Err(error) = handle.kill() {
                    tracing::warn!(%error, part = part.name(), "it cannot be killed");
                }
                let _killed = tokio::time::timeout(ENDS_WITHIN, handle.ended()).await;
            }
        }
    }
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

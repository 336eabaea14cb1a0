//! What the operator says by signal: revert; skip the watch; out.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::drill::Signal;

use super::failure::Failure;

/// From here on a signal ends nothing by itself: it is told to whoever listens.
pub fn listen() -> Result<UnboundedReceiver<Signal>, Failure> {
    let (sender, receiver) = unbounded_channel();
    for (kind, name) in [
        (SignalKind::interrupt(), "Ctrl-C"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "the closed terminal"),
    ] {
        let mut stream = signal(kind)
            .map_err(|e| Failure::internal(format!("failed to listen for {name}: {e}")))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while stream.recv().await.is_some() {
                if sender.send(Signal { name: name.to_owned() }).is_err() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

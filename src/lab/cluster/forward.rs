//! The door to a lab's API server: what comes to a port of the machine's loopback goes on to an
//! address in the lab.
//!
//! A socket stays in the namespace in which it was made: the listener was made outside and handed
//! to the init, which connects from where it stands. So the door is gone when the lab is.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::host::HostError;

/// Before whoever waits at the door is let in again, where nobody more could be.
const PAUSE: Duration = Duration::from_millis(10);

/// Serves on a thread of its own until the process ends.
pub fn serve(listener: TcpListener, to: SocketAddr) -> Result<(), HostError> {
    let failed = |e| HostError::io("open the door to the API server", e);
    listener.set_nonblocking(true).map_err(failed)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let body = move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            loop {
                let Ok((outer, _)) = listener.accept().await else {
                    // Out of descriptors: others have to end first.
                    tokio::time::sleep(PAUSE).await;
                    continue;
                };
                tokio::spawn(lead(outer, to));
            }
        });
    };
    let thread = std::thread::Builder::new().name("door".to_owned());
    thread.spawn(body).map_err(failed)?;
    Ok(())
}

/// Whoever cannot be led on is hung up on, as by an API server that is down.
async fn lead(mut outer: TcpStream, to: SocketAddr) {
    let Ok(mut inner) = TcpStream::connect(to).await else { return };
    let _ = (outer.set_nodelay(true), inner.set_nodelay(true));
    let _ended = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
}

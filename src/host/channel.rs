//! How the parts of a drill speak: JSON values over an inherited pair of stream sockets, each with
//! its length in front (4 bytes, little endian). The other end's death is an end of file.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::HostError;

/// No message of ours comes near this; a longer one is noise.
const LONGEST: u32 = 64 << 20;

/// The blocking end, for parts that do one thing at a time.
#[derive(Debug)]
pub struct Channel {
    stream: UnixStream,
}

/// The same for the conductor and the prober, which wait for many things at once.
#[derive(Debug)]
pub struct AsyncChannel {
    reader: ChannelReader,
    writer: ChannelWriter,
}

#[derive(Debug)]
pub struct ChannelReader(tokio::net::unix::OwnedReadHalf);

#[derive(Debug)]
pub struct ChannelWriter(tokio::net::unix::OwnedWriteHalf);

impl Channel {
    /// Two connected ends, both close-on-exec.
    pub fn pair() -> Result<(Channel, Channel), HostError> {
        let (a, b) = UnixStream::pair().map_err(|e| HostError::io("make a pair of sockets", e))?;
        Ok((Channel { stream: a }, Channel { stream: b }))
    }

    #[must_use]
    pub fn from_fd(fd: OwnedFd) -> Channel {
        Channel { stream: UnixStream::from(fd) }
    }

    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        OwnedFd::from(self.stream)
    }

    pub fn into_async(self) -> Result<AsyncChannel, HostError> {
        let wrap = |e| HostError::io("watch a socket", e);
        self.stream.set_nonblocking(true).map_err(wrap)?;
        let stream = tokio::net::UnixStream::from_std(self.stream).map_err(wrap)?;
        let (reader, writer) = stream.into_split();
        Ok(AsyncChannel { reader: ChannelReader(reader), writer: ChannelWriter(writer) })
    }

    pub fn send<T: Serialize>(&mut self, message: &T) -> Result<(), HostError> {
        self.stream.write_all(&frame(message)?).map_err(|e| HostError::io("send a message", e))
    }

    /// From here on the other end may be silent so long at most: then [`Channel::receive`] fails.
    pub fn limit_silence(&self, within: Duration) -> Result<(), HostError> {
        let limited = self.stream.set_read_timeout(Some(within));
        limited.map_err(|e| HostError::io("watch a socket", e))
    }

    /// Waits for the next message; None when the other end is closed.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, HostError> {
        let mut length = [0; 4];
        if !whole(self.stream.read_exact(&mut length))? {
            return Ok(None);
        }
        let mut body = vec![0; bounded(length)?];
        if !whole(self.stream.read_exact(&mut body))? {
            return Ok(None);
        }
        parse(&body).map(Some)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsyncChannel {
    #[must_use]
    pub fn split(self) -> (ChannelReader, ChannelWriter) {
        (self.reader, self.writer)
    }

    pub async fn send<T: Serialize>(&mut self, message: &T) -> Result<(), HostError> {
        self.writer.send(message).await
    }

    /// Not cancel-safe: let it finish, or give up the channel.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, HostError> {
        self.reader.receive().await
    }
}

impl ChannelReader {
    /// Not cancel-safe: let it finish, or give up the channel.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, HostError> {
        let mut length = [0; 4];
        if !whole(self.0.read_exact(&mut length).await)? {
            return Ok(None);
        }
        let mut body = vec![0; bounded(length)?];
        if !whole(self.0.read_exact(&mut body).await)? {
            return Ok(None);
        }
        parse(&body).map(Some)
    }
}

impl ChannelWriter {
    pub async fn send<T: Serialize>(&mut self, message: &T) -> Result<(), HostError> {
        let frame = frame(message)?;
        self.0.write_all(&frame).await.map_err(|e| HostError::io("send a message", e))
    }
}

fn frame<T: Serialize>(message: &T) -> Result<Vec<u8>, HostError> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)
        .map_err(|e| HostError::io("write a message", std::io::Error::from(e)))?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|l| *l <= LONGEST);
    let length = length.ok_or_else(|| {
        HostError::io("write a message", std::io::Error::from(ErrorKind::FileTooLarge))
    })?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

fn bounded(length: [u8; 4]) -> Result<usize, HostError> {
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(HostError::io(
            "read a message",
            std::io::Error::new(ErrorKind::InvalidData, "its length is noise"),
        ));
    }
    Ok(length as usize)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, HostError> {
    serde_json::from_slice(body)
        .map_err(|e| HostError::io("read a message", std::io::Error::from(e)))
}

/// True: read. False: the other end is closed or gone.
fn whole<N>(result: std::io::Result<N>) -> Result<bool, HostError> {
    match result {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            Ok(false)
        }
        Err(e) if e.kind() == ErrorKind::WouldBlock => {
            let silent = std::io::Error::new(ErrorKind::TimedOut, "the other end is silent");
            Err(HostError::io("read a message", silent))
        }
        Err(e) => Err(HostError::io("read a message", e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_whole_and_a_death_is_an_end() {
        let (mut a, mut b) = Channel::pair().unwrap();
        a.send(&vec!["x".repeat(100); 3]).unwrap();
        assert_eq!(b.receive::<Vec<String>>().unwrap().unwrap().len(), 3);
        drop(a);
        assert!(b.receive::<String>().unwrap().is_none());
    }

    #[test]
    fn a_silence_that_is_too_long_is_an_error() {
        let (mut a, mut b) = Channel::pair().unwrap();
        b.limit_silence(Duration::from_millis(20)).unwrap();
        a.send(&"x").unwrap();
        assert_eq!(b.receive::<String>().unwrap().as_deref(), Some("x"));
        let error = b.receive::<String>().unwrap_err().to_string();
        assert!(error.contains("the other end is silent"), "{error}");
    }

    #[test]
    fn a_length_that_is_noise_is_an_error() {
        let (a, mut b) = Channel::pair().unwrap();
        (&a.stream).write_all(&[0xff; 8]).unwrap();
        assert!(b.receive::<String>().is_err());
    }
}

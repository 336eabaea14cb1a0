//! The standard output as commands write to it: a reader that has gone (`| head`) is no failure of
//! ours, and whatever a command found out it exits with all the same.

use std::io::{self, Stdout, Write};

/// Takes everything; what nobody reads any more is thrown away.
#[derive(Debug)]
pub struct Pipe<W: Write> {
    to: W,
    deaf: bool,
}

impl Pipe<Stdout> {
    #[must_use]
    pub fn stdout() -> Pipe<Stdout> {
        Pipe::to(io::stdout())
    }
}

impl<W: Write> Pipe<W> {
    #[must_use]
    pub fn to(to: W) -> Pipe<W> {
        Pipe { to, deaf: false }
    }

    fn heard<T>(&mut self, written: io::Result<T>, unheard: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.deaf = true;
                Ok(unheard)
            }
            other => other,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.deaf {
            return Ok(bytes.len());
        }
        let written = self.to.write(bytes);
        self.heard(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.deaf {
            return Ok(());
        }
        let flushed = self.to.flush();
        self.heard(flushed, ())
    }
}

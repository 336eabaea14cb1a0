//! From the kernel's error to the class that a report speaks of.

use std::io::{self, ErrorKind};

use crate::model::observation::ErrorClass;

/// The class of a failed connect, read or write. What only our own machine can be guilty of (no
/// descriptor, no port, no memory) is `Ours`, so that it is never held against the system.
#[must_use]
pub fn class_of(error: &io::Error) -> ErrorClass {
    if let Some(inner) = error.get_ref()
        && inner.is::<rustls::Error>()
    {
        return ErrorClass::Tls;
    }
    match error.raw_os_error() {
        Some(
            libc::EMFILE
            | libc::ENFILE
            | libc::ENOMEM
            | libc::ENOBUFS
            | libc::EADDRNOTAVAIL
            | libc::EADDRINUSE
            | libc::EAFNOSUPPORT,
        ) => return ErrorClass::Ours,
        // EPERM: a rule of the sender's own host dropped the packet on its way out.
        Some(
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EPERM
            | libc::EACCES,
        ) => return ErrorClass::Unreachable,
        _ => {}
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => ErrorClass::Refused,
        ErrorKind::TimedOut => ErrorClass::Timeout,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::NotConnected
        | ErrorKind::UnexpectedEof
        | ErrorKind::WriteZero => ErrorClass::Reset,
        ErrorKind::InvalidData => ErrorClass::WrongAnswer,
        _ => ErrorClass::Ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_the_kernel_has_its_class() {
        for (number, class) in [
            (libc::ECONNREFUSED, ErrorClass::Refused),
            (libc::ECONNRESET, ErrorClass::Reset),
            (libc::EPIPE, ErrorClass::Reset),
            (libc::ENETUNREACH, ErrorClass::Unreachable),
            (libc::EHOSTUNREACH, ErrorClass::Unreachable),
            (libc::EPERM, ErrorClass::Unreachable),
            (libc::ETIMEDOUT, ErrorClass::Timeout),
            (libc::EMFILE, ErrorClass::Ours),
            (libc::EADDRNOTAVAIL, ErrorClass::Ours),
        ] {
            assert_eq!(class_of(&io::Error::from_raw_os_error(number)), class, "{number}");
        }
        let tls = io::Error::new(ErrorKind::InvalidData, rustls::Error::DecryptError);
        assert_eq!(class_of(&tls), ErrorClass::Tls);
    }
}

//! From what gRPC and HTTP/2 say to the class that a report speaks of.

use std::error::Error;
use std::io;

use tonic::{Code, Status};

use crate::model::observation::ErrorClass;
use crate::probe::wire::error::class_of;

/// A status is the server's own word, or stands for a connection that failed under the call.
pub fn class_of_status(status: &Status) -> ErrorClass {
    if let Some(cause) = status.source() {
        return class_of_cause(cause);
    }
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted | Code::Internal | Code::Aborted => {
            ErrorClass::Unavailable
        }
        Code::DeadlineExceeded => ErrorClass::Timeout,
        Code::Unauthenticated | Code::PermissionDenied => ErrorClass::Denied,
        // No health service, a name that it does not know, or no gRPC at all.
        _ => ErrorClass::WrongAnswer,
    }
}

/// Of a connection that failed.
pub fn class_of_hyper(error: &hyper::Error) -> ErrorClass {
    class_of_cause(error)
}

/// The innermost cause that says something counts.
fn class_of_cause(error: &(dyn Error + 'static)) -> ErrorClass {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return class_of(error);
        }
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            return class_of_h2(error);
        }
        cause = error.source();
    }
    ErrorClass::Reset
}

fn class_of_h2(error: &h2::Error) -> ErrorClass {
    match error.get_io() {
        Some(error) => class_of(error),
        // The other side spoke, but not HTTP/2.
        None if error.is_library() => ErrorClass::WrongAnswer,
        None => ErrorClass::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_a_server_has_its_class() {
        for (code, class) in [
            (Code::Unavailable, ErrorClass::Unavailable),
            (Code::Internal, ErrorClass::Unavailable),
            (Code::DeadlineExceeded, ErrorClass::Timeout),
            (Code::Unauthenticated, ErrorClass::Denied),
            (Code::PermissionDenied, ErrorClass::Denied),
            (Code::Unimplemented, ErrorClass::WrongAnswer),
            (Code::NotFound, ErrorClass::WrongAnswer),
            (Code::Unknown, ErrorClass::WrongAnswer),
        ] {
            assert_eq!(class_of_status(&Status::new(code, "")), class, "{code:?}");
        }
    }

    #[test]
    fn under_a_call_the_cause_counts_and_not_the_code() {
        let reset = io::Error::from_raw_os_error(libc::ECONNRESET);
        assert_eq!(class_of_status(&Status::from_error(Box::new(reset))), ErrorClass::Reset);
        let full = io::Error::from_raw_os_error(libc::EMFILE);
        assert_eq!(class_of_status(&Status::from_error(Box::new(full))), ErrorClass::Ours);
    }
}

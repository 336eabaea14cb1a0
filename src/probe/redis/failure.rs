//! Why an exchange with Redis failed, and what that says about the write in it.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::model::observation::{ErrorClass, WriteFate};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub class: ErrorClass,
    pub fate: WriteFate,
}

impl Failure {
    /// Nothing had been sent.
    pub fn before_send(class: ErrorClass) -> Failure {
        Failure { class, fate: WriteFate::Failed }
    }

    /// It was sent, or may have been, and nobody said what became of it.
    pub fn after_send(class: ErrorClass) -> Failure {
        Failure { class, fate: WriteFate::Indeterminate }
    }
}

/// The server said no: a command that Redis answers with an error has changed nothing. Without an
/// answer nobody knows.
impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Failure {
        let said_no = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
        let class = class_of(&error);
        if said_no { Failure::before_send(class) } else { Failure::after_send(class) }
    }
}

/// By the first word of the server's answer; its text goes nowhere.
pub fn class_of(error: &RedisError) -> ErrorClass {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly) => ErrorClass::ReadOnly,
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::MasterDown
            | ServerErrorKind::TryAgain,
        ) => ErrorClass::Unavailable,
        ErrorKind::Server(ServerErrorKind::NoPerm) | ErrorKind::AuthenticationFailed => {
            ErrorClass::Denied
        }
        ErrorKind::Extension => match error.code() {
            Some("NOAUTH" | "WRONGPASS" | "DENIED") => ErrorClass::Denied,
            Some("MISCONF" | "NOREPLICAS" | "OOM" | "BUSY" | "UNKILLABLE") => {
                ErrorClass::Unavailable
            }
            _ => ErrorClass::WrongAnswer,
        },
        ErrorKind::Io if error.is_timeout() => ErrorClass::Timeout,
        ErrorKind::Io => ErrorClass::Reset,
        _ => ErrorClass::WrongAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Failure {
        let error = redis::parse_redis_value(format!("-{text}\r\n").as_bytes())
            .and_then(redis::Value::extract_error)
            .unwrap_err();
        Failure::from(error)
    }

    #[test]
    fn a_no_of_the_server_means_that_nothing_was_written() {
        for (text, class) in [
            ("READONLY You can't write against a read only replica.", ErrorClass::ReadOnly),
            ("LOADING Redis is loading the dataset in memory", ErrorClass::Unavailable),
            ("MASTERDOWN Link with MASTER is down", ErrorClass::Unavailable),
            ("CLUSTERDOWN Hash slot not served", ErrorClass::Unavailable),
            ("TRYAGAIN later", ErrorClass::Unavailable),
            ("MISCONF Redis is configured to save RDB snapshots", ErrorClass::Unavailable),
            ("NOREPLICAS Not enough good replicas to write.", ErrorClass::Unavailable),
            ("OOM command not allowed", ErrorClass::Unavailable),
            ("NOAUTH Authentication required.", ErrorClass::Denied),
            ("WRONGPASS invalid username-password pair", ErrorClass::Denied),
            ("NOPERM this user has no permissions", ErrorClass::Denied),
            ("WRONGTYPE Operation against a key", ErrorClass::WrongAnswer),
            ("ERR unknown command", ErrorClass::WrongAnswer),
        ] {
            assert_eq!(answer(text), Failure::before_send(class), "{text}");
        }
    }

    #[test]
    fn a_broken_connection_leaves_the_write_open() {
        let broken = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
        assert_eq!(Failure::from(broken), Failure::after_send(ErrorClass::Reset));
        let slow = RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        assert_eq!(Failure::from(slow), Failure::after_send(ErrorClass::Timeout));
    }
}

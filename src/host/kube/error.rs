//! Why an API server did not do what it was asked.

use std::time::Duration;

use kube::core::Status;

use crate::host::HostError;

/// One failed request; the text completes "failed to …".
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// 404.
    #[error("{what}: not found")]
    NotFound { what: String },
    /// 401: the credentials are not known, or no more.
    #[error(
        "{what}: the API server does not know these credentials, or no more ({why}); log in again, \
         or renew them in the kubeconfig"
    )]
    Unauthorized { what: String, why: String },
    /// 403.
    #[error("{what}: forbidden: {why}")]
    Forbidden { what: String, why: String },
    /// 429. A refusal by a `PodDisruptionBudget` is one, and is told by its cause.
    #[error("{what}: refused for now: {why}")]
    TooMany { what: String, why: String, budget: bool, retry_after: Option<Duration> },
    /// Any other answer that is no success: 409, 422, 500.
    #[error("{what}: {code} {reason}: {why}")]
    Refused { what: String, code: u16, reason: String, why: String },
    /// No answer at all.
    #[error("{what}: {why}")]
    Unreachable { what: String, why: String },
    #[error("{what}: no answer within {within:?}")]
    Late { what: String, within: Duration },
    /// The context leads to another cluster than it did.
    #[error("context {context} leads to cluster {found}, not to {wanted} any more")]
    Moved { context: String, wanted: String, found: String },
    /// What the file says of the cluster cannot be: its own words.
    #[error("{0}")]
    Unusable(String),
    /// It can be, but not now.
    #[error("{0}")]
    NotNow(String),
    #[error("{0}")]
    Kubeconfig(String),
}

impl ApiError {
    pub(super) fn of(what: &str, error: kube::Error) -> ApiError {
        match error {
            kube::Error::Api(status) => ApiError::of_status(what, &status),
            other => {
                let why = chain(&other);
                let remedy = remedy(&why);
                ApiError::Unreachable { what: what.to_owned(), why: format!("{why}; {remedy}") }
            }
        }
    }

    fn of_status(what: &str, status: &Status) -> ApiError {
        let (what, why) = (what.to_owned(), status.message.clone());
        match status.code {
            401 => ApiError::Unauthorized { what, why },
            403 => ApiError::Forbidden { what, why },
            404 => ApiError::NotFound { what },
            429 => {
                let details = status.details.as_ref();
                let causes = details.map_or(&[][..], |details| &details.causes);
                // What the message leaves out: which budget, what it needs, and what there is.
                let told: Vec<&str> = causes
                    .iter()
                    .filter(|cause| cause.reason == "DisruptionBudget")
                    .map(|cause| cause.message.as_str())
                    .collect();
                let budget = !told.is_empty();
                let why = if budget { told.join("; ") } else { why };
                let seconds = details.map_or(0, |d| u64::from(d.retry_after_seconds));
                let retry_after = (seconds > 0).then(|| Duration::from_secs(seconds));
                ApiError::TooMany { what, why, budget, retry_after }
            }
            code => ApiError::Refused { what, code, reason: status.reason.clone(), why },
        }
    }
}

/// What helps where no answer came, by the words of those who tried.
fn remedy(why: &str) -> &'static str {
    if why.contains("certificate") {
        "the certificate authority of the kubeconfig is not this server's: is it of another cluster?"
    } else {
        "check `server` of the context, and whether it can be reached from here"
    }
}

/// An error and what it came of, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !words.contains(&next) {
            words = format!("{words}: {next}");
        }
        source = error.source();
    }
    words
}

impl From<ApiError> for HostError {
    fn from(error: ApiError) -> HostError {
        let why = error.to_string();
        match error {
            ApiError::NotFound { what } => HostError::Gone(what),
            ApiError::Unauthorized { what, .. } => HostError::Denied {
                what,
                remedy: format!("{why}; renew the credentials of the kubeconfig"),
            },
            ApiError::Forbidden { what, .. } => HostError::Denied {
                what,
                remedy: format!("{why}; give the user the verb, `squall plan` lists all it needs"),
            },
            // The owner's own words, which name the budget.
            ApiError::TooMany { budget: true, why, .. } => HostError::Refused { why, budget: true },
            ApiError::TooMany { .. } => HostError::Refused { why, budget: false },
            // A fault in a cluster that is out of reach is not gone with the way there.
            ApiError::Moved { .. } | ApiError::Refused { .. } => {
                HostError::Refused { why, budget: false }
            }
            ApiError::Unreachable { .. }
            | ApiError::Late { .. }
            | ApiError::Unusable(_)
            | ApiError::NotNow(_)
            | ApiError::Kubeconfig(_) => {
                HostError::io("ask the API server", std::io::Error::other(why))
            }
        }
    }
}

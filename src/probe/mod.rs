//! The catalogue of probes. A new probe is one file (or folder) and one line in [`catalogue!`].
//!
//! A probe looks and never judges whether a claim held. It is asked once a slot, concurrently with
//! earlier slots that are still waiting, and says what it saw and when. It never retries.

use std::time::Duration;

use futures::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::cluster::ClusterAccess;
use crate::model::experiment::ProbeSpec;
use crate::model::observation::{ErrorClass, LedgerRead, Phases, WriteFate};
use crate::model::units::{Percent, Rate, Span};

mod secret;
mod wire;

pub use secret::{SecretRef, Secrets};

/// What one slot saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub answer: Result<(), ErrorClass>,
    /// `CLOCK_MONOTONIC` nanoseconds when the answer or the error came.
    pub done_ns: u64,
    pub phases: Option<Phases>,
    pub write: Option<WriteFate>,
    pub peer: Option<String>,
    /// How old what was seen was by then, nanoseconds; None: it was seen as it happened.
    pub age_ns: Option<u64>,
}

/// What a probe is built with.
pub struct Setting {
    /// The session of this drill: part of everything that a ledger writes.
    pub session: String,
    pub deadline: Duration,
    /// How long a slot may wait before it gives up; longer than the deadline, so that a late
    /// answer is known to be late and not lost.
    pub patience: Duration,
    pub secrets: Secrets,
    /// The clusters of the drill, as the prober reaches them.
    pub clusters: Vec<ClusterAccess>,
}

/// A probe at work. It lives on one thread, inside a tokio `LocalSet`; its slots run concurrently
/// on it.
pub trait Probe {
    /// Connects ahead of the first slot where that is the probe's way. Its failure is no error:
    /// slots will say what is wrong.
    fn prepare(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Is the question itself understood? Asked once, ahead of the first slot. Whoever cannot be
    /// asked is no error: that is what slots are for.
    ///
    /// Errors: in words, what is wrong with the question; the drill does not begin.
    fn check(&self) -> LocalBoxFuture<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }

    /// One look. Ends within the setting's patience.
    fn observe(&self, slot: u64, due_ns: u64) -> LocalBoxFuture<'_, Seen>;

    /// Reads every entry back. None: this probe keeps no ledger.
    fn read_ledger(&self, _round: u8) -> Option<LocalBoxFuture<'_, LedgerRead>> {
        None
    }
}

/// One probe, typed. Each file of this folder has one.
pub trait ProbeKind: Sync {
    type Params: Serialize + DeserializeOwned + JsonSchema;

    const KIND: &'static str;
    const SUMMARY: &'static str;
    /// As it would stand under a probe's name.
    const EXAMPLE: &'static str;

    /// Every secret that the parameters refer to.
    fn secrets(_params: &Self::Params) -> Vec<SecretRef> {
        Vec::new()
    }

    /// What is wrong with the parameters beyond their types, in words.
    fn faults_of(_params: &Self::Params) -> Vec<String> {
        Vec::new()
    }

    /// The parameters with what is left out said aloud, where a default depends on another
    /// parameter. Templates in it are filled.
    #[must_use]
    fn completed(params: &Self::Params) -> Self::Params
    where
        Self::Params: Clone,
    {
        params.clone()
    }

    /// Does it write entries and read them back?
    fn keeps_ledger(_params: &Self::Params) -> bool {
        false
    }

    /// Errors: in words, what cannot be used.
    fn build(params: Self::Params, setting: Setting) -> Result<Box<dyn Probe>, String>;
}

/// The same probe for those who know no kind.
pub trait ProbeEntry: Sync {
    fn kind(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn example(&self) -> &'static str;
    fn secrets(&self, params: &Value) -> Result<Vec<SecretRef>, String>;
    fn faults_of(&self, params: &Value) -> Result<Vec<String>, String>;
    fn keeps_ledger(&self, params: &Value) -> Result<bool, String>;
    fn build(&self, params: &Value, setting: Setting) -> Result<Box<dyn Probe>, String>;
}

impl Seen {
    /// An answer, right or wrong, that came just now.
    #[must_use]
    pub fn now(answer: Result<(), ErrorClass>) -> Seen {
        let done_ns = crate::host::linux::clock::monotonic_ns();
        Seen { answer, done_ns, phases: None, write: None, peer: None, age_ns: None }
    }
}

impl<P: ProbeKind> ProbeEntry for P {
    fn kind(&self) -> &'static str {
        P::KIND
    }

    fn summary(&self) -> &'static str {
        P::SUMMARY
    }

    fn example(&self) -> &'static str {
        P::EXAMPLE
    }

    fn secrets(&self, params: &Value) -> Result<Vec<SecretRef>, String> {
        P::Params::deserialize(params).map(|p| P::secrets(&p)).map_err(|e| e.to_string())
    }

    fn faults_of(&self, params: &Value) -> Result<Vec<String>, String> {
        P::Params::deserialize(params).map(|p| P::faults_of(&p)).map_err(|e| e.to_string())
    }

    fn keeps_ledger(&self, params: &Value) -> Result<bool, String> {
        P::Params::deserialize(params).map(|p| P::keeps_ledger(&p)).map_err(|e| e.to_string())
    }

    fn build(&self, params: &Value, setting: Setting) -> Result<Box<dyn Probe>, String> {
        P::build(P::Params::deserialize(params).map_err(|e| e.to_string())?, setting)
    }
}

/// Declares the modules, the document that YAML is read into, and the slice. A module's name is
/// its probe's kind.
macro_rules! catalogue {
    ($($module:ident::$entry:ident,)*) => {
        $(pub mod $module;)*

        /// A probe as it stands under its name: `{tcp: {...}, rate: 200/s, deadline: 250ms}`.
        /// Exactly one kind is given.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct ProbeDocument {
            $(
                #[doc = concat!("See `squall probes` for `", stringify!($module), "`.")]
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $module: Option<<$module::$entry as ProbeKind>::Params>,
            )*
            /// How often it looks.
            #[serde(default = "default_rate")]
            pub rate: Rate,
            /// An answer after this is `late`.
            #[serde(default = "default_deadline")]
            pub deadline: Span,
            /// Must it be good before anything breaks?
            #[serde(default = "default_steady")]
            pub steady: bool,
            /// The objective that its error budget is counted against.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub slo: Option<Percent>,
            /// The lab's host whose network it looks from; the client's unless given. A fault on
            /// that host is then in its way.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub from: Option<String>,
        }

        /// Every probe there is, in the order of the reference page.
        pub const CATALOGUE: &[&dyn ProbeEntry] = &[$(&$module::$entry,)*];

        impl ProbeDocument {
            /// Kind and canonical JSON, as the model keeps a probe. Errors: not exactly one kind.
            pub fn canonical(&self) -> Result<(&'static str, Value), String> {
                let mut given = Vec::new();
                $(if let Some(params) = &self.$module {
                    let params = <$module::$entry as ProbeKind>::completed(params);
                    let params = serde_json::to_value(params).map_err(|e| e.to_string())?;
                    given.push((<$module::$entry as ProbeKind>::KIND, params));
                })*
                only(given)
            }
        }
    };
}

catalogue! {
    http::Http,
    tcp::Tcp,
    redis::Redis,
    grpc::Grpc,
    dns::Dns,
    prometheus::Prometheus,
    kubernetes::Kubernetes,
    command::Command,
}

impl ProbeDocument {
    /// As the model keeps it. Errors: not exactly one kind.
    pub fn spec(&self) -> Result<ProbeSpec, String> {
        let (kind, params) = self.canonical()?;
        Ok(ProbeSpec {
            kind: kind.to_owned(),
            params,
            rate: self.rate,
            deadline: self.deadline,
            steady: self.steady,
            slo: self.slo,
            from: self.from.clone(),
        })
    }

    /// What is wrong beyond the types, in words.
    #[must_use]
    pub fn faults_of(&self) -> Vec<String> {
        let faults = self.canonical().and_then(|(kind, params)| {
            find(kind).map_or(Ok(Vec::new()), |probe| probe.faults_of(&params))
        });
        faults.unwrap_or_else(|why| vec![why])
    }
}

fn only(mut given: Vec<(&'static str, Value)>) -> Result<(&'static str, Value), String> {
    match (given.pop(), given.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => {
            let kinds: Vec<_> = CATALOGUE.iter().map(|probe| probe.kind()).collect();
            Err(format!("a probe needs a kind; give one of {}", kinds.join(", ")))
        }
        (Some((last, _)), false) => Err(format!(
            "a probe has one kind, and `{}` and `{last}` are given; make them two probes",
            given[0].0
        )),
    }
}

fn default_rate() -> Rate {
    Rate(20.0)
}

fn default_deadline() -> Span {
    Span::millis(250)
}

fn default_steady() -> bool {
    true
}

/// The entry of that kind, if there is one.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn ProbeEntry> {
    CATALOGUE.iter().copied().find(|probe| probe.kind() == kind)
}

#[cfg(test)]
mod tests;

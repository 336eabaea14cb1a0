//! The catalogue of faults. A new fault is one file and one line in [`catalogue!`] below; the
//! schema, `squall faults`, the reference page, the capability table and the conformance suite
//! follow from it.
//!
//! A fault has four verbs. *arm* only reads, and yields the undo recipe, which is durable before
//! anything happens. *inject* puts it in force. *revert* removes what this injection created and
//! nothing else, from the recipe alone, as often as it is asked. *verify* looks at the world.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::network::Took;
use crate::host::{Host, HostError};
use crate::model::binding::Order;
use crate::model::cluster::Resource;
use crate::model::expectation::Impact;
use crate::model::experiment::{Defence, Footprint, Peers, Restore, StepFacts};
use crate::model::inventory::Target;

mod running;

/// What `verify` should find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    InForce,
    Gone,
}

/// What a kernel must offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Capability {
    /// `pidfd_open`, `pidfd_send_signal` (Linux 5.3).
    Pidfd,
    /// `nf_tables` with owned tables (Linux 5.12).
    OwnedTable,
    /// netdev egress chains (Linux 5.16).
    EgressChain,
    /// NFQUEUE, native or as a compat target.
    Queue,
}

impl Capability {
    pub const ALL: [Capability; 4] =
        [Capability::Pidfd, Capability::OwnedTable, Capability::EgressChain, Capability::Queue];

    /// Under which key `squall doctor` finds out about it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Capability::Pidfd => "pidfd",
            Capability::OwnedTable => "owner",
            Capability::EgressChain => "egress",
            Capability::Queue => "queue",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Capability::Pidfd => "process descriptors, Linux 5.3",
            Capability::OwnedTable => "owned nftables tables, Linux 5.12",
            Capability::EgressChain => "netdev egress chains, Linux 5.16",
            Capability::Queue => "NFQUEUE, native or as an xt target",
        }
    }
}

/// One thing that a user of a cluster may be allowed to do, as roles name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    pub verb: &'static str,
    pub resource: Resource,
    /// `eviction`, `scale`; empty for the object itself.
    pub subresource: &'static str,
    /// Only where the target is one of these; None: wherever the fault is used.
    pub target: Option<Resource>,
}

impl Access {
    #[must_use]
    pub const fn of(verb: &'static str, resource: Resource) -> Access {
        Access { verb, resource, subresource: "", target: None }
    }

    #[must_use]
    pub const fn subresource(self, subresource: &'static str) -> Access {
        Access { subresource, ..self }
    }

    #[must_use]
    pub const fn on(self, target: Resource) -> Access {
        Access { target: Some(target), ..self }
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// The target is gone or replaced: close the injection as void and touch nothing.
    #[error("{0}")]
    Void(String),
    /// State of somebody else is in the way.
    #[error("{0}")]
    Foreign(String),
    /// `verify` did not find what it should.
    #[error("{0}")]
    Unexpected(String),
    #[error(transparent)]
    Host(HostError),
    #[error("the record of this {kind} cannot be read: {why}")]
    Unreadable { kind: &'static str, why: String },
}

impl From<HostError> for FaultError {
    fn from(error: HostError) -> FaultError {
        match error {
            HostError::Gone(what) => FaultError::Void(format!("{what} is gone")),
            other => FaultError::Host(other),
        }
    }
}

/// One fault, typed. Each file of this folder has one.
pub trait FaultKind: Sync {
    /// What a user writes under the kind's name.
    type Params: Serialize + DeserializeOwned + JsonSchema;
    /// The recipe. It is read one version back: fields are only added, with defaults.
    type Undo: Serialize + DeserializeOwned;

    const KIND: &'static str;
    /// One line for `squall faults`.
    const SUMMARY: &'static str;
    /// A step in YAML, as it would stand under `inject:`.
    const EXAMPLE: &'static str;
    const NEEDS: &'static [Capability];
    /// Which objects of a cluster it is for; none: it is for instances of a lab.
    const ON: &'static [Resource] = &[];
    /// What the user of a cluster must be allowed to do there, for the undo as well.
    const ASKS: &'static [Access] = &[];
    const RESTORE: Restore;
    /// Which lines of defence cover it.
    const DEFENCE: &'static [Defence];

    fn facts(params: &Self::Params) -> StepFacts;
    /// The facts of a step that hits one target and has no far end.
    fn on_target(target: &str, footprint: Footprint, summary: String) -> StepFacts {
        StepFacts {
            subjects: vec![target.to_owned()],
            peers: Peers::None,
            restore: Self::RESTORE,
            defence: Self::DEFENCE.to_vec(),
            footprint,
            summary,
        }
    }
    /// What a cluster that looks after the target counts the seconds of.
    fn impact(_params: &Self::Params) -> Impact {
        Impact::Uncounted
    }
    /// What is wrong with the parameters beyond their types, in words.
    fn faults_of(_params: &Self::Params) -> Vec<String> {
        Vec::new()
    }
    fn arm(
        host: &mut dyn Host,
        order: &Order,
        params: &Self::Params,
    ) -> Result<Self::Undo, FaultError>;
    fn inject(
        host: &mut dyn Host,
        order: &Order,
        params: &Self::Params,
        undo: &Self::Undo,
    ) -> Result<Took, FaultError>;
    fn revert(host: &mut dyn Host, target: &Target, undo: &Self::Undo) -> Result<(), FaultError>;
    /// Evidence in words, or `Unexpected`.
    fn verify(
        host: &mut dyn Host,
        target: &Target,
        undo: &Self::Undo,
        expect: Expect,
    ) -> Result<String, FaultError>;
    /// Is it in force to the end of its hold? The undo waits for the answer: 100 ms at most.
    fn lasted(
        host: &mut dyn Host,
        target: &Target,
        undo: &Self::Undo,
    ) -> Result<String, FaultError> {
        Self::verify(host, target, undo, Expect::InForce)
    }
    /// A look in passing while it is in force, every half second: what costs next to nothing.
    fn glance(_: &mut dyn Host, _: &Target, _: &Self::Undo) -> Result<(), FaultError> {
        Ok(())
    }
}

/// The same fault for those who know no kind: parameters and recipe are JSON.
pub trait Fault: Sync {
    fn kind(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn example(&self) -> &'static str;
    fn needs(&self) -> &'static [Capability];
    /// Which objects of a cluster it is for; none: it is for instances of a lab.
    fn on(&self) -> &'static [Resource];
    fn asks(&self) -> &'static [Access];
    fn restore(&self) -> Restore;
    fn defence(&self) -> &'static [Defence];
    /// Errors: parameters that are not this fault's.
    fn facts(&self, params: &Value) -> Result<StepFacts, FaultError>;
    /// What is wrong with the parameters beyond their types. Errors: as for `facts`.
    fn faults_of(&self, params: &Value) -> Result<Vec<String>, FaultError>;
    fn arm(&self, host: &mut dyn Host, order: &Order) -> Result<Value, FaultError>;
    fn inject(&self, host: &mut dyn Host, order: &Order, undo: &Value) -> Result<Took, FaultError>;
    fn revert(&self, host: &mut dyn Host, target: &Target, undo: &Value) -> Result<(), FaultError>;
    fn verify(
        &self,
        host: &mut dyn Host,
        target: &Target,
        undo: &Value,
        expect: Expect,
    ) -> Result<String, FaultError>;
    fn lasted(
        &self,
        host: &mut dyn Host,
        target: &Target,
        undo: &Value,
    ) -> Result<String, FaultError>;
    fn glance(&self, host: &mut dyn Host, target: &Target, undo: &Value) -> Result<(), FaultError>;
}

fn read<T: DeserializeOwned>(kind: &'static str, value: &Value) -> Result<T, FaultError> {
    T::deserialize(value).map_err(|e| FaultError::Unreadable { kind, why: e.to_string() })
}

impl<F: FaultKind> Fault for F {
    fn kind(&self) -> &'static str {
        F::KIND
    }

    fn summary(&self) -> &'static str {
        F::SUMMARY
    }

    fn example(&self) -> &'static str {
        F::EXAMPLE
    }

    fn needs(&self) -> &'static [Capability] {
        F::NEEDS
    }

    fn on(&self) -> &'static [Resource] {
        F::ON
    }

    fn asks(&self) -> &'static [Access] {
        F::ASKS
    }

    fn restore(&self) -> Restore {
        F::RESTORE
    }

    fn defence(&self) -> &'static [Defence] {
        F::DEFENCE
    }

    fn facts(&self, params: &Value) -> Result<StepFacts, FaultError> {
        Ok(F::facts(&read(F::KIND, params)?))
    }

    fn faults_of(&self, params: &Value) -> Result<Vec<String>, FaultError> {
        Ok(F::faults_of(&read(F::KIND, params)?))
    }

    fn arm(&self, host: &mut dyn Host, order: &Order) -> Result<Value, FaultError> {
        let undo = F::arm(host, order, &read(F::KIND, &order.params)?)?;
        serde_json::to_value(undo)
            .map_err(|e| FaultError::Unreadable { kind: F::KIND, why: e.to_string() })
    }

    fn inject(&self, host: &mut dyn Host, order: &Order, undo: &Value) -> Result<Took, FaultError> {
        F::inject(host, order, &read(F::KIND, &order.params)?, &read(F::KIND, undo)?)
    }

    fn revert(&self, host: &mut dyn Host, target: &Target, undo: &Value) -> Result<(), FaultError> {
        F::revert(host, target, &read(F::KIND, undo)?)
    }

    fn verify(
        &self,
        host: &mut dyn Host,
        target: &Target,
        undo: &Value,
        expect: Expect,
    ) -> Result<String, FaultError> {
        F::verify(host, target, &read(F::KIND, undo)?, expect)
    }

    fn lasted(
        &self,
        host: &mut dyn Host,
        target: &Target,
        undo: &Value,
    ) -> Result<String, FaultError> {
        F::lasted(host, target, &read(F::KIND, undo)?)
    }

    fn glance(&self, host: &mut dyn Host, target: &Target, undo: &Value) -> Result<(), FaultError> {
        F::glance(host, target, &read(F::KIND, undo)?)
    }
}

/// Declares the modules, the tagged enum that YAML is read into, and the slice.
macro_rules! catalogue {
    ($($module:ident::$entry:ident,)*) => {
        $(pub mod $module;)*

        /// A fault with its parameters, as it stands under `inject:`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub enum FaultParams {
            $($entry(<$module::$entry as FaultKind>::Params),)*
        }

        /// Every fault there is, in the order of the reference page.
        pub const CATALOGUE: &[&dyn Fault] = &[$(&$module::$entry,)*];

        impl FaultParams {
            #[must_use]
            pub fn facts(&self) -> StepFacts {
                match self {
                    $(FaultParams::$entry(params) => <$module::$entry as FaultKind>::facts(params),)*
                }
            }

            #[must_use]
            pub fn impact(&self) -> Impact {
                match self {
                    $(FaultParams::$entry(params) => <$module::$entry as FaultKind>::impact(params),)*
                }
            }

            /// What is wrong beyond the types, in words.
            #[must_use]
            pub fn faults_of(&self) -> Vec<String> {
                match self {
                    $(FaultParams::$entry(params) => <$module::$entry as FaultKind>::faults_of(params),)*
                }
            }

            /// Kind and canonical JSON, as the model keeps a step.
            #[must_use]
            pub fn canonical(&self) -> (&'static str, Value) {
                match self {
                    $(FaultParams::$entry(params) => (
                        <$module::$entry as FaultKind>::KIND,
                        serde_json::to_value(params).unwrap_or(Value::Null),
                    ),)*
                }
            }
        }
    };
}

catalogue! {
    process_kill::ProcessKill,
    process_pause::ProcessPause,
    network_partition::NetworkPartition,
    network_latency::NetworkLatency,
    network_loss::NetworkLoss,
    pod_delete::PodDelete,
    pod_evict::PodEvict,
    node_cordon::NodeCordon,
    node_drain::NodeDrain,
    node_taint::NodeTaint,
    scale::Scale,
    rollout_restart::RolloutRestart,
    config_map_remove::ConfigMapRemove,
    secret_remove::SecretRemove,
}

mod cordon;
mod eviction;
mod marked;
mod network_kind;
mod network_recipe;
mod network_witness;
mod object;
mod removal;

/// The entry of that kind, if there is one.
#[must_use]
pub fn find(kind: &str) -> Option<&'static dyn Fault> {
    CATALOGUE.iter().copied().find(|fault| fault.kind() == kind)
}

//! Everything that a fault may ask of this machine, in one value for one drill.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::clock::monotonic_ns;
use super::network::{LinuxNetwork, Probing};
use super::process::LinuxProcesses;
use super::timing;
use crate::host::cluster::{ApiRequest, Clusters};
use crate::host::kube::BlockingClusters;
use crate::host::network::{Canary, CanaryReport, Survey, Took};
use crate::host::process::RunState;
use crate::host::{Host, HostError, Network, Processes};
use crate::model::cluster::{ClusterAccess, ClusterIdentity};
use crate::model::history::Finding;
use crate::model::id::{DrillId, InjectionId};
use crate::model::identity::{NetnsIdentity, ProcessIdentity};
use crate::model::network::Impairment;

/// Dropping it, or ending the process in any way, ends every network fault that it holds.
pub struct LinuxHost {
    processes: LinuxProcesses,
    network: LinuxNetwork,
    clusters: BlockingClusters,
}

impl LinuxHost {
    pub fn new(drill: DrillId) -> Result<LinuxHost, HostError> {
        LinuxHost::probed(drill, None)
    }

    /// As [`LinuxHost::new`], with a probe of the network's means that was begun before.
    pub fn probed(drill: DrillId, probing: Option<Probing>) -> Result<LinuxHost, HostError> {
        let network = LinuxNetwork::probed(drill, probing);
        let clusters = BlockingClusters::default();
        Ok(LinuxHost { processes: LinuxProcesses::new()?, network, clusters })
    }

    /// The same, and these clusters can be asked.
    #[must_use]
    pub fn reaching(self, clusters: Vec<ClusterAccess>) -> LinuxHost {
        LinuxHost { clusters: BlockingClusters::new(clusters), ..self }
    }
}

impl Processes for LinuxHost {
    fn identify(&self, pid: i32) -> Result<ProcessIdentity, HostError> {
        self.processes.identify(pid)
    }

    fn state(&self, who: &ProcessIdentity) -> Result<RunState, HostError> {
        self.processes.state(who)
    }

    fn tree(&self, root: &ProcessIdentity) -> Result<Vec<ProcessIdentity>, HostError> {
        self.processes.tree(root)
    }

    fn signal(&self, who: &ProcessIdentity, signal: i32) -> Result<(), HostError> {
        self.processes.signal(who, signal)
    }

    fn wait(
        &self,
        who: &ProcessIdentity,
        state: RunState,
        within: Duration,
    ) -> Result<Option<u64>, HostError> {
        self.processes.wait(who, state, within)
    }
}

impl Network for LinuxHost {
    fn identify_netns(&self, path: &str) -> Result<NetnsIdentity, HostError> {
        self.network.identify_netns(path)
    }

    fn impair(
        &mut self,
        ns: &NetnsIdentity,
        impairment: &Impairment,
        deadline: Duration,
    ) -> Result<Took, HostError> {
        self.network.impair(ns, impairment, deadline)
    }

    fn relieve(&mut self, ns: &NetnsIdentity, id: &InjectionId) -> Result<Took, HostError> {
        self.network.relieve(ns, id)
    }

    fn gather(&mut self) {
        self.network.gather();
    }

    fn relieve_gathered(&mut self) -> Result<(), HostError> {
        self.network.relieve_gathered()
    }

    fn ours(&self, ns: &NetnsIdentity, drill: Option<&DrillId>) -> Result<Vec<String>, HostError> {
        self.network.ours(ns, drill)
    }

    fn in_the_way(&self, ns: &NetnsIdentity) -> Result<Vec<String>, HostError> {
        self.network.in_the_way(ns)
    }

    fn disturbed(&mut self) -> Result<Vec<(NetnsIdentity, String)>, HostError> {
        self.network.disturbed()
    }

    fn canary(&self, canary: &Canary) -> Result<CanaryReport, HostError> {
        self.network.canary(canary)
    }

    fn canaries(&self, canaries: &[Canary]) -> Vec<Result<CanaryReport, HostError>> {
        self.network.canaries(canaries)
    }

    fn survey(&self, ns: &NetnsIdentity, canaries: &[Canary]) -> Survey {
        self.network.survey(ns, canaries)
    }
}

impl Clusters for LinuxHost {
    fn ask(&mut self, cluster: &ClusterIdentity, request: &ApiRequest) -> Result<Value, HostError> {
        self.clusters.ask(cluster, request)
    }

    fn find(&mut self, finding: Finding) {
        self.clusters.find(finding);
    }

    fn found(&mut self) -> Vec<Finding> {
        self.clusters.found()
    }
}

impl Host for LinuxHost {
    fn now_ns(&self) -> u64 {
        monotonic_ns()
    }

    fn wall(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    fn pause(&self, length: Duration) {
        let span = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        timing::sleep_until(monotonic_ns().saturating_add(span));
    }

    fn carriers(&self) -> BTreeMap<String, String> {
        self.network.carriers()
    }
}

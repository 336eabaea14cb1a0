//! A cluster during a drill: asked who is there whenever a step is bound, and watched all along.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::found::Look;
use super::watch::{self, Scope, Watching};
use crate::backend::{Happened, Seen};
use crate::host::kube::{ApiClient, ApiError};
use crate::model::cluster::{ClusterAccess, PlannedCluster};
use crate::model::experiment::Experiment;
use crate::model::inventory::{Candidate, Target};
use crate::model::selector::{Selector, Where};

/// A step waits for the answer.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1500);

pub struct ClusterSite {
    client: ApiClient,
    /// How the parts reach it.
    access: ClusterAccess,
    prefix: bool,
    selectors: BTreeMap<String, Selector>,
    scope: Scope,
}

impl ClusterSite {
    /// `inside`: the kubeconfig as the parts see it, where that is not as we do.
    /// Errors: it cannot be reached, or is another cluster than the plan's.
    pub async fn open(
        planned: &PlannedCluster,
        experiment: &Experiment,
        inside: Option<&Path>,
        several: bool,
    ) -> Result<ClusterSite, ApiError> {
        let (cluster, kubeconfig) = (planned.cluster.clone(), planned.kubeconfig.clone());
        let ours = ClusterAccess { cluster, kubeconfig };
        let client = ApiClient::of(&ours, ANSWERS_WITHIN).await?;
        let here = |selector: &Selector| match selector.place() {
            Where::Lab => false,
            Where::LabCluster => planned.lab,
            Where::Context(context) => !planned.lab && context == planned.cluster.context,
        };
        let selectors = experiment.targets.iter().filter(|(_, spec)| here(&spec.selector));
        let selectors: BTreeMap<String, Selector> =
            selectors.map(|(name, spec)| (name.clone(), spec.selector.clone())).collect();
        let scope = Scope::of(planned, &selectors);
        let mut access = ours;
        if let Some(inside) = inside {
            access.kubeconfig = inside.display().to_string();
        }
        Ok(ClusterSite { client, access, prefix: several, selectors, scope })
    }

    #[must_use]
    pub fn access(&self) -> &ClusterAccess {
        &self.access
    }

    /// Tells what happens to everything that bears on the targets, for as long as the answer is
    /// kept. To be called within a runtime.
    #[must_use]
    pub fn watch(&self, out: UnboundedSender<Happened>) -> Watching {
        watch::begin(&self.client, self.scope.clone(), out)
    }

    /// Adds everything that is there now. Errors: no answer in time.
    pub async fn look(&self, seen: &mut Seen) -> Result<(), ApiError> {
        let mut look = Look::at(&self.client, &self.access.cluster, ANSWERS_WITHIN).await?;
        look.prefix = self.prefix;
        for (name, selector) in &self.selectors {
            let found = look.find(selector, None).await?;
            seen.selected.insert(name.clone(), found.now);
            let targets = found.candidates.into_iter().map(|c| (c.name.0.clone(), target(c)));
            seen.targets.extend(targets);
        }
        Ok(())
    }
}

fn target(candidate: Candidate) -> Target {
    let Candidate { name, service, host, port, object, .. } = candidate;
    Target { name, service, host, port, process: None, netns: None, object }
}

//! The clusters of an experiment: which contexts it names, and what is in them now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::backend::kubernetes::ClusterSite;
use crate::backend::kubernetes::inventory::{Wanted, inventory};
use crate::host::kube::{ApiError, kubeconfig};
use crate::lab::Lab;
use crate::lab::cluster::ADMIN;
use crate::lab::registry::Standing;
use crate::model::cluster::PlannedCluster;
use crate::model::experiment::{Experiment, Selector};
use crate::model::outcome::ExitCode;
use crate::model::plan::Plan;
use crate::model::selector::Where;

use super::failure::Failure;
use super::output::keep_private;

/// The name of a lab's kubeconfig in the folder of a drill.
pub const KUBECONFIG: &str = "kubeconfig";

/// The way into the cluster of a lab that stands.
#[derive(Debug, Clone)]
pub struct ClusterDoor {
    /// The lab's name, and the context's.
    pub name: String,
    /// The kubeconfig as we see it.
    pub outside: PathBuf,
    /// The kubeconfig as whoever is born in the lab sees it.
    pub inside: PathBuf,
}

impl ClusterDoor {
    /// Of a lab that we raised or attached to. None: it has no cluster. Its kubeconfig lies in the
    /// folder of the drill for as long as the drill runs.
    pub fn of(lab: &Lab, folder: &Path) -> Result<Option<ClusterDoor>, Failure> {
        let Some(cluster) = lab.cluster() else { return Ok(None) };
        let outside = keep_private(folder, KUBECONFIG, &cluster.kubeconfig_outside)?;
        Ok(Some(ClusterDoor::at(&lab.identity().name, outside)))
    }

    /// Of a lab that stands. None: it has no cluster.
    #[must_use]
    pub fn standing(standing: &Standing) -> Option<ClusterDoor> {
        let outside = standing.kubeconfig()?;
        Some(ClusterDoor::at(&standing.record.identity.name, outside))
    }

    fn at(name: &str, outside: PathBuf) -> ClusterDoor {
        ClusterDoor { name: name.to_owned(), outside, inside: PathBuf::from(ADMIN) }
    }
}

/// For the few requests that a command makes by itself.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::internal(format!("failed to begin: {e}")))
}

/// Does any target live in the cluster of the experiment's lab?
#[must_use]
pub fn wants_lab(experiment: &Experiment) -> bool {
    experiment.targets.values().any(|spec| spec.selector.place() == Where::LabCluster)
}

/// Looks into every cluster that the experiment names. `given`: a kubeconfig in place of those of
/// the environment.
pub async fn look(
    experiment: &Experiment,
    given: Option<&Path>,
    lab: Option<&ClusterDoor>,
) -> Result<Vec<PlannedCluster>, Failure> {
    let places: BTreeSet<Where<'_>> =
        experiment.targets.values().map(|spec| spec.selector.place()).collect();
    let several = places.iter().filter(|place| **place != Where::Lab).count() > 1;
    let mut clusters = Vec::new();
    for place in places {
        let (file, context) = match place {
            Where::Lab => continue,
            Where::LabCluster => {
                let lab = lab.ok_or_else(no_lab)?;
                (lab.outside.clone(), lab.name.as_str())
            }
            Where::Context(context) => {
                let files = given.map_or_else(kubeconfig::files, |file| vec![file.to_owned()]);
                (kubeconfig::find(context, &files)?, context)
            }
        };
        let wanted = Wanted {
            kubeconfig: &file,
            context,
            lab: place == Where::LabCluster,
            several,
            selectors: selectors(experiment, &place),
        };
        clusters.push(inventory(&wanted).await?);
    }
    Ok(clusters)
}

fn selectors<'a>(experiment: &'a Experiment, place: &Where<'_>) -> BTreeMap<&'a str, &'a Selector> {
    let here = experiment.targets.iter().filter(|(_, spec)| spec.selector.place() == *place);
    here.map(|(name, spec)| (name.as_str(), &spec.selector)).collect()
}

/// The clusters of a plan, ready for its drill.
pub async fn open(plan: &Plan, lab: Option<&ClusterDoor>) -> Result<Vec<ClusterSite>, Failure> {
    let several = plan.clusters.len() > 1;
    let mut sites = Vec::new();
    for planned in &plan.clusters {
        let inside = lab.filter(|_| planned.lab).map(|lab| lab.inside.as_path());
        sites.push(ClusterSite::open(planned, &plan.experiment, inside, several).await?);
    }
    Ok(sites)
}

fn no_lab() -> Failure {
    Failure::usage(
        "the pods of a lab are known once its cluster stands; raise it with `squall lab up LAB`, \
         and plan again (`squall run` raises one of its own)",
    )
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        let code = match error {
            ApiError::Kubeconfig(_) => ExitCode::Usage,
            // What cannot be found out refuses.
            _ => ExitCode::Refused,
        };
        Failure::new(code, format!("failed to {error}; nothing was injected"))
    }
}

//! The clusters of an experiment: which contexts it names, and what is in them now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::backend::kubernetes::ClusterSite;
use crate::backend::kubernetes::access::{self, Need};
use crate::backend::kubernetes::inventory::{Wanted, inventory};
use crate::fault::{self, Access, Fault};
use crate::host::kube::{ApiClient, ApiError, kubeconfig};
use crate::lab::Lab;
use crate::lab::cluster::ADMIN;
use crate::lab::registry::Standing;
use crate::model::cluster::{PlannedCluster, Resource};
use crate::model::experiment::{Experiment, Selector};
use crate::model::outcome::ExitCode;
use crate::model::plan::Plan;
use crate::model::selector::Where;

use super::failure::Failure;
use super::output::{Private, keep_private};

/// The name of a lab's kubeconfig in the folder of a drill.
const KUBECONFIG: &str = "kubeconfig";

/// The way into the cluster of a lab that stands.
#[derive(Debug)]
pub struct ClusterDoor {
    /// The lab's name, and the context's.
    pub name: String,
    /// The kubeconfig as we see it.
    pub outside: PathBuf,
    /// The kubeconfig as whoever is born in the lab sees it.
    pub inside: PathBuf,
    /// The kubeconfig, where it was written for this door alone.
    _written: Option<Private>,
}

impl ClusterDoor {
    /// Of a lab that we raised or attached to. None: it has no cluster. Its kubeconfig lies in the
    /// folder for as long as the door is kept.
    pub fn of(lab: &Lab, folder: &Path) -> Result<Option<ClusterDoor>, Failure> {
        let Some(cluster) = lab.cluster() else { return Ok(None) };
        let written = keep_private(folder, KUBECONFIG, &cluster.kubeconfig_outside)?;
        let outside = written.path.clone();
        Ok(Some(ClusterDoor::at(&lab.identity().name, outside, Some(written))))
    }

    /// Of a lab that stands. None: it has no cluster.
    #[must_use]
    pub fn standing(standing: &Standing) -> Option<ClusterDoor> {
        let outside = standing.kubeconfig()?;
        Some(ClusterDoor::at(&standing.record.identity.name, outside, None))
    }

    fn at(name: &str, outside: PathBuf, written: Option<Private>) -> ClusterDoor {
        let inside = PathBuf::from(ADMIN);
        ClusterDoor { name: name.to_owned(), outside, inside, _written: written }
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
    let places = places(experiment, given, lab)?;
    let several = places.len() > 1;
    let mut clusters = Vec::new();
    for Place { at: place, file, context } in &places {
        let wanted = Wanted {
            kubeconfig: file,
            context,
            lab: *place == Where::LabCluster,
            several,
            with_hosts: *place == Where::LabCluster && hits_hosts(experiment),
            selectors: selectors(experiment, place),
        };
        clusters.push(inventory(&wanted).await?);
    }
    Ok(clusters)
}

/// What the user of each cluster lacks of all that the experiment needs there, for its undo as
/// well. Asked before anything is looked at: everything that is missing is said at once.
pub async fn lacking(
    experiment: &Experiment,
    given: Option<&Path>,
    lab: Option<&ClusterDoor>,
) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    for Place { at: place, file, context } in places(experiment, given, lab)? {
        let client = ApiClient::open(&file, context).await?;
        for need in access::lacking(&client, &needs(experiment, &place)).await? {
            words.push(format!("the user of context {context} may not {need}"));
        }
    }
    Ok(words)
}

/// As a refusal, where anything is lacking.
pub fn refuse_lacking(lacking: &[String]) -> Result<(), Failure> {
    if lacking.is_empty() {
        return Ok(());
    }
    let list = lacking.join("\n  ");
    let remedy = "give the user these verbs in a role; nothing was injected";
    Err(Failure::new(ExitCode::Refused, format!("refused:\n  {list}\n{remedy}")))
}

/// What is done in one cluster: each look at a target, and each fault with its undo.
fn needs(experiment: &Experiment, place: &Where<'_>) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    for (name, selector) in selectors(experiment, place) {
        needs.extend(access::reads(selector));
        let steps = experiment.method.iter();
        for step in steps.filter(|step| step.facts.subjects.iter().any(|subject| subject == name)) {
            let asks = fault::find(&step.kind).map_or(&[][..], Fault::asks);
            let asked =
                asks.iter().filter(|a| a.target.is_none() || a.target == selector.resource());
            needs.extend(asked.map(|access| need(*access, selector.namespace())));
        }
    }
    needs
}

fn need(access: Access, namespace: Option<&str>) -> Need {
    let plural = access.resource.plural();
    // What a node needs of pods it needs of all of them.
    let everywhere = access.resource == Resource::Node;
    Need {
        verb: access.verb.to_owned(),
        group: access.resource.group().to_owned(),
        resource: match access.subresource {
            "" => plural,
            sub => format!("{plural}/{sub}"),
        },
        namespace: namespace.filter(|_| !everywhere).map(str::to_owned),
    }
}

/// One cluster of an experiment, and where the way there is written.
struct Place<'a> {
    at: Where<'a>,
    file: PathBuf,
    context: &'a str,
}

fn places<'a>(
    experiment: &'a Experiment,
    given: Option<&Path>,
    lab: Option<&'a ClusterDoor>,
) -> Result<Vec<Place<'a>>, Failure> {
    let wanted: BTreeSet<Where<'a>> =
        experiment.targets.values().map(|spec| spec.selector.place()).collect();
    let mut places = Vec::new();
    for place in wanted {
        let (file, context) = match place {
            Where::Lab => continue,
            Where::LabCluster => {
                let lab = lab.ok_or_else(no_lab)?;
                (lab.outside.clone(), lab.name.as_str())
            }
            Where::Context(context) => (file_of(context, given)?, context),
        };
        places.push(Place { at: place, file, context });
    }
    Ok(places)
}

/// The kubeconfig that has the context. `given`: a file in place of those of the environment.
pub fn file_of(context: &str, given: Option<&Path>) -> Result<PathBuf, Failure> {
    let files = given.map_or_else(kubeconfig::files, |file| vec![file.to_owned()]);
    Ok(kubeconfig::find(context, &files)?)
}

/// Is anything hit of the lab itself? Its hosts are nodes, and take their pods with them.
fn hits_hosts(experiment: &Experiment) -> bool {
    experiment.targets.values().any(|spec| spec.selector.place() == Where::Lab)
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
            ApiError::Kubeconfig(_) | ApiError::Unusable(_) => ExitCode::Usage,
            // What cannot be found out refuses.
            _ => ExitCode::Refused,
        };
        Failure::new(code, format!("failed to {error}; nothing was injected"))
    }
}

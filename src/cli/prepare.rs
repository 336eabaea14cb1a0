//! From files to a plan: what `plan` and `run` have in common.

use std::path::{Path, PathBuf};

use crate::guard;
use crate::model::cluster::PlannedCluster;
use crate::model::lab::LabSpec;
use crate::model::plan::{Plan, Source};
use crate::model::policy::Policy;
use crate::plan::{self, PlanInput};
use crate::spec::{self, Declared, Findings, Look, Surroundings};

use super::failure::Failure;
use super::plan_file;
use super::surroundings::{chance, variable};

/// What is planned, and from which files.
#[derive(Debug, Clone, clap::Args)]
pub struct Inputs {
    /// An experiment in YAML, or a plan that `squall plan -o` wrote.
    pub file: PathBuf,
    /// Makes the picks; the same seed picks the same of the same.
    #[arg(long)]
    pub seed: Option<u64>,
    /// A lab that takes the place of the one that the experiment names.
    #[arg(long, value_name = "FILE")]
    pub lab: Option<PathBuf>,
    /// A policy that must admit the plan; may be given more than once. Without any: labs only.
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// One person's consent to the plan's intent, as a policy may ask for; may be given more than
    /// once. It is YAML: `{by: NAME, intentDigest: DIGEST, at: TIME, until: TIME}`.
    #[arg(long, value_name = "FILE")]
    pub approval: Vec<PathBuf>,
    /// Where the contexts are that the experiment names; else the files of KUBECONFIG, or
    /// ~/.kube/config. Its current context is never used.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

pub struct Prepared {
    pub plan: Plan,
    pub lab: Option<LabSpec>,
    pub policies: Vec<Policy>,
    /// The experiment's own folder: secrets' files are relative to it.
    pub folder: PathBuf,
}

/// The files as read. A plan needs to know beside them what is in the clusters that they name.
pub struct Files {
    pub declared: Declared,
    policies: Vec<Policy>,
    source: Source,
    warnings: Vec<String>,
    seed: u64,
    /// The plan that was kept, and its file.
    kept: Option<(Plan, PathBuf)>,
}

impl Inputs {
    /// Reads everything. Errors: every finding, with its place.
    pub fn read(&self) -> Result<Files, Failure> {
        if self.file.extension().is_some_and(|e| e == "json") {
            return self.read_kept();
        }
        let seed = self.seed.map_or_else(chance, Ok)?;
        self.files(&self.file, self.lab.as_deref(), seed)
    }

    fn read_kept(&self) -> Result<Files, Failure> {
        let kept = plan_file::read(&self.file)?;
        if self.seed.is_some_and(|seed| seed != kept.seed) {
            let why = "a kept plan has its own seed; leave --seed out, or plan again";
            return Err(Failure::usage(why));
        }
        let lab = self.lab.clone().or_else(|| kept.lab.as_ref().map(|l| PathBuf::from(&l.path)));
        let files = self.files(Path::new(&kept.source.path), lab.as_deref(), kept.seed)?;
        Ok(Files { kept: Some((kept, self.file.clone())), ..files })
    }

    fn files(&self, file: &Path, lab: Option<&Path>, seed: u64) -> Result<Files, Failure> {
        let policies: Vec<Policy> = self
            .policy
            .iter()
            .map(|path| spec::policy(path).map(|loaded| loaded.value).map_err(found))
            .collect::<Result<_, _>>()?;
        let surroundings = Surroundings { lab, env: &variable };
        let loaded = spec::experiment(file, &surroundings).map_err(found)?;
        Ok(Files {
            policies,
            source: Source { path: file.display().to_string(), sha256: loaded.sha256.clone() },
            warnings: loaded.warnings.iter().map(|w| w.message.clone()).collect(),
            declared: loaded.value,
            seed,
            kept: None,
        })
    }
}

impl Files {
    /// Makes the plan. One that was kept is made again, and refused where it no longer is the same.
    pub fn prepare(self, clusters: Vec<PlannedCluster>) -> Result<Prepared, Failure> {
        let kept = self.kept.clone();
        let fresh = self.make(clusters)?;
        let Some((kept, file)) = kept else { return Ok(fresh) };
        plan::check_stale(&kept, &fresh.plan).map_err(|changes| {
            let list = changes.join("\n  ");
            Failure::new(
                crate::model::outcome::ExitCode::Refused,
                format!("the plan {} is stale:\n  {list}\nplan again", file.display()),
            )
        })?;
        Ok(fresh)
    }

    fn make(self, clusters: Vec<PlannedCluster>) -> Result<Prepared, Failure> {
        let Files { declared, policies, source, warnings, seed, .. } = self;
        let planned = declared.lab.as_ref().map(|lab| {
            let path = lab.path.display().to_string();
            plan::lab(&lab.name, &path, &lab.sha256, &lab.value)
        });
        let planned = planned
            .transpose()
            .map_err(|wrong| Failure::usage(format!("the lab cannot be: {}", wrong.join("; "))))?;
        let in_force = guard::in_force(&policies);
        let file = PathBuf::from(&source.path);
        let input = PlanInput {
            experiment: &declared.experiment,
            source,
            lab: planned,
            clusters,
            seed,
            policies: in_force.iter().map(|p| (p.name.clone(), p.sha256.clone())).collect(),
            warnings,
        };
        let plan = plan::plan(input).map_err(|errors| {
            let list: Vec<String> = errors.iter().map(|e| format!("{}: {e}", e.place())).collect();
            Failure::usage(format!(
                "{} cannot be planned:\n  {}",
                file.display(),
                list.join("\n  ")
            ))
        })?;
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let policies = in_force.into_owned();
        Ok(Prepared { plan, lab: declared.lab.map(|l| l.value), policies, folder })
    }
}

/// Findings as a failure: everything at once.
pub fn found(findings: Findings) -> Failure {
    let look = if super::screen::colour(&std::io::stderr()) { Look::Colour } else { Look::Plain };
    Failure::usage(format!(
        "the file cannot be used\n{}",
        spec::render(&findings.0, look).trim_end()
    ))
}

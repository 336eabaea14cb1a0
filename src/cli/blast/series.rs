//! The drills of a map, one after the other, on one lab that is raised once.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::backend::{LabBackend, System};
use crate::drill::{self, Signal};
use crate::judge::blast::{self as judge, Series as Head};
use crate::lab::Lab;
use crate::model::blast::Loss;
use crate::model::history::Record;
use crate::model::id::DrillId;
use crate::model::outcome::{ExitCode, Outcome};
use crate::model::plan::Plan;
use crate::report::blast::sentence;
use crate::spec::{DeclaredMap, Loaded};

use super::super::clusters::{self, ClusterDoor};
use super::super::confirm;
use super::super::failure::Failure;
use super::super::judge::judge_records;
use super::super::leftovers;
use super::super::output::Output;
use super::super::prepare::Prepared;
use super::super::progress::Progress;
use super::super::run::{self, Ground};
use super::super::signals;
use super::super::state::StateFolder;
use super::super::surroundings::{chance, secrets};
use super::{Args, faces, overview};
use crate::model::lab::LabSpec;

/// Where the experiment of a drill lies, in the drill's folder.
const EXPERIMENT: &str = "experiment.yaml";

/// A map about to be drawn.
pub struct Series<'a> {
    pub args: &'a Args,
    pub state: &'a StateFolder,
    pub declared: DeclaredMap,
    pub folder: PathBuf,
    pub seed: u64,
}

/// Where the drills take place, for as long as the series lasts.
struct Site {
    lab: Option<Lab>,
    door: Option<ClusterDoor>,
    /// To a lab that another process keeps.
    attached: bool,
}

/// One drill of the series, before it is planned.
struct Turn {
    service: String,
    args: run::Args,
    /// Of its history and its report.
    folder: PathBuf,
}

type Signals = UnboundedReceiver<Signal>;

impl Series<'_> {
    pub async fn run(self, progress: &mut Progress) -> Result<ExitCode, Failure> {
        let mut signals = signals::listen()?;
        let started = jiff::Timestamp::now().to_string();
        leftovers::end(self.state, progress).await?;
        let turns = self.write_out()?;
        let mut site = self.stand(progress, &mut signals).await?;
        let admitted = self.admit_all(&turns, &site, (progress, &mut signals)).await;
        let lost = match &admitted {
            Ok(plans) => self.lose_all(&turns, plans, &mut site, (progress, &mut signals)).await,
            Err(_) => Vec::new(),
        };
        site.door.take();
        let removed = match site.lab.take() {
            Some(lab) => lab.down().await,
            None => Ok(()),
        };
        admitted?;
        let squall = env!("CARGO_PKG_VERSION").to_owned();
        let head = Head { squall, started, seed: self.seed };
        let report = judge::map(&self.declared.map, lost, head);
        let code = faces::show(&report, &self.folder, progress)?;
        run::read_out(progress).await?;
        match removed {
            Err(error) if code == ExitCode::Held => Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "the lab did not go");
                Ok(code)
            }
            Ok(()) => Ok(code),
        }
    }

    /// Every drill's experiment becomes a file, which can be run again by itself.
    fn write_out(&self) -> Result<Vec<Turn>, Failure> {
        let mut turns = Vec::new();
        for experiment in &self.declared.experiments {
            let folder = self.folder.join(&experiment.service);
            let path = folder.join(EXPERIMENT);
            let failed = |e: std::io::Error| {
                let shown = path.display();
                Failure::usage(format!("failed to write {shown}: {e}; give another --out"))
            };
            std::fs::create_dir_all(&folder).map_err(failed)?;
            if path.exists() {
                let why = "holds a map already; give another --out";
                return Err(Failure::usage(format!("{} {why}", self.folder.display())));
            }
            std::fs::write(&path, &experiment.text).map_err(failed)?;
            let (service, args) = (experiment.service.clone(), self.args.of_drill(path, self.seed));
            turns.push(Turn { service, args, folder });
        }
        Ok(turns)
    }

    fn ground<'t>(&'t self, args: &'t run::Args) -> Result<Ground<'t>, Failure> {
        Ok(Ground { args, state: self.state, drill: DrillId::from_bits(chance()?) })
    }

    /// The lab, attached to or raised.
    async fn stand(&self, progress: &mut Progress, signals: &mut Signals) -> Result<Site, Failure> {
        let nowhere = Site { lab: None, door: None, attached: false };
        let Some(declared) = &self.declared.lab else { return Ok(nowhere) };
        let args = self.args.of_drill(self.args.file.clone(), self.seed);
        let ground = self.ground(&args)?;
        let standing = ground.standing(Some(declared))?;
        let attached = standing.is_some();
        let lab = match &standing {
            Some(standing) => ground.attach(standing, progress, signals).await?,
            None => self.raise(&ground, declared, (progress, signals)).await?,
        };
        let door = ClusterDoor::of(&lab, &self.folder)?;
        Ok(Site { lab: Some(lab), door, attached })
    }

    async fn raise(
        &self,
        ground: &Ground<'_>,
        declared: &Loaded<LabSpec>,
        said: (&mut Progress, &mut Signals),
    ) -> Result<Lab, Failure> {
        ground.raise(declared, self.folder.join("logs"), said).await
    }

    /// Nothing is lost before everything that will be was shown, admitted and agreed to. Returns
    /// the plans that were.
    async fn admit_all(
        &self,
        turns: &[Turn],
        site: &Site,
        (progress, signals): (&mut Progress, &mut Signals),
    ) -> Result<Vec<Plan>, Failure> {
        let mut plans = Vec::new();
        for turn in turns {
            plans.push(self.plan(turn, site).await?);
        }
        let shown: Vec<&Plan> = plans.iter().map(|prepared| &prepared.plan).collect();
        progress.plan(&overview::text(&self.declared.map, &shown));
        for (turn, prepared) in turns.iter().zip(&plans) {
            let ground = self.ground(&turn.args)?;
            ground.admitted(prepared, site.attached, signals).await.map_err(|failure| Failure {
                why: format!("{}: {}", turn.service, failure.why),
                ..failure
            })?;
        }
        let asked = plans.iter().find(|prepared| confirm::asks(&prepared.plan, self.args.yes));
        if let Some(prepared) = asked {
            // Nobody is asked about a plan that is not on the screen yet.
            let _gone = progress.said().await;
            confirm::confirm(&prepared.plan, self.args.yes)?;
        }
        for prepared in &plans {
            secrets(&prepared.plan.experiment.probes, &prepared.folder)?;
        }
        Ok(plans.into_iter().map(|prepared| prepared.plan).collect())
    }

    async fn plan(&self, turn: &Turn, site: &Site) -> Result<Prepared, Failure> {
        let files = turn.args.inputs.read()?;
        let given = self.args.kubeconfig.as_deref();
        let found = clusters::look(&files.declared.experiment, given, site.door.as_ref()).await?;
        let prepared = files.prepare(found)?;
        // Files of secrets are named from where the map is.
        let folder = self.args.file.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Prepared { folder, ..prepared })
    }

    /// A row for each service, whatever happens: what comes after an end is not lost any more.
    async fn lose_all(
        &self,
        turns: &[Turn],
        plans: &[Plan],
        site: &mut Site,
        (progress, signals): (&mut Progress, &mut Signals),
    ) -> Vec<Loss> {
        let mut losses: Vec<Loss> = Vec::new();
        let mut over: Option<String> = None;
        for (number, (turn, plan)) in turns.iter().zip(plans).enumerate() {
            if let Some(why) = &over {
                losses.push(judge::spared(&turn.service, why));
                continue;
            }
            progress.say(&format!("losing {} ({} of {})", turn.service, number + 1, turns.len()));
            let drilled = self.lose(turn, plan, site, (progress, signals)).await;
            let loss = drilled.unwrap_or_else(|failure| judge::spared(&turn.service, &failure.why));
            progress.say(&format!("  {}", sentence::loss(&loss, &self.declared.map.journeys)));
            over = ends(&loss, signals);
            losses.push(loss);
        }
        losses
    }

    /// One drill, by the way of any other. Errors: nothing was injected.
    async fn lose(
        &self,
        turn: &Turn,
        agreed: &Plan,
        site: &mut Site,
        (progress, signals): (&mut Progress, &mut Signals),
    ) -> Result<Loss, Failure> {
        let prepared = self.plan(turn, site).await?;
        if prepared.plan.intent_digest != agreed.intent_digest {
            let why = "what would be done is no longer what was shown; begin the map again";
            return Err(Failure::new(ExitCode::Refused, why));
        }
        let ground = self.ground(&turn.args)?;
        let (clearance, seat) = ground.admitted(&prepared, site.attached, signals).await?;
        if self.declared.lab.is_some() && site.lab.is_none() {
            return Err(Failure::internal("the lab is gone, by what became of an earlier loss"));
        }
        let mut output = Output::create(&turn.folder)?;
        let secrets = secrets(&prepared.plan.experiment.probes, &prepared.folder)?;
        let sites = clusters::open(&prepared.plan, site.door.as_ref()).await?;
        let lab = site.lab.take().zip(prepared.lab.clone());
        let lab = lab.map(|(lab, spec)| LabBackend::new(lab, &spec));
        let mut system = System::new(lab, sites);
        let request = ground.request(prepared, (clearance, secrets), &output)?;
        let mut observer = |record: &Record| {
            output.add(record);
            progress.pass(record);
        };
        let drilled = drill::run(request, &mut system, signals::listen()?, &mut observer).await;
        progress.done();
        site.lab = system.release().await;
        drop(seat);
        let report = judge_records(&drilled?)?;
        if let Err(failure) = output.finish(&report) {
            tracing::error!(%failure, "the reports of {} could not be written", turn.service);
        }
        Ok(judge::loss(&turn.service, &report, &turn.service))
    }
}

/// Why the series does not go on. A signal ended the drill and was told to us as well.
fn ends(loss: &Loss, signals: &mut Signals) -> Option<String> {
    if let Ok(signal) = signals.try_recv() {
        return Some(format!("{} ended the map", signal.name));
    }
    match loss.outcome {
        Some(Outcome::Stuck) => Some(format!("the loss of {} is stuck", loss.service)),
        _ => None,
    }
}

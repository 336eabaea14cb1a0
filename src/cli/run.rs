//! `squall run`: the plan is shown, admitted and confirmed; the drill runs; the verdict is shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::backend::{LabBackend, System};
use crate::drill::{self, Request, Signal};
use crate::guard::{Clearance, Running, admit};
use crate::lab::registry::{Registry, Standing};
use crate::lab::{Lab, LabEvent, LabPlace};
use crate::model::history::Record;
use crate::model::id::DrillId;
use crate::model::lab::LabSpec;
use crate::model::outcome::ExitCode;
use crate::model::plan::Plan;
use crate::plan;
use crate::report;
use crate::spec::Loaded;

use super::Loudness;
use super::clusters::{self, ClusterDoor};
use super::confirm;
use super::facts::{cluster_places, facts, running};
use super::failure::Failure;
use super::judge::judge_records;
use super::leftovers;
use super::output::Output;
use super::prepare::{Files, Inputs, Prepared};
use super::progress::{Mode, Progress};
use super::screen;
use super::seat::{Door, Seat};
use super::signals;
use super::state::StateFolder;
use super::surroundings::{chance, environment, secrets};

const ASKS: &str = "A lab needs no asking: squall starts it and the kernel removes it. Clusters \
that squall did not start need a yes, and a policy that admits their environment.\n\nExit codes: 0 held, \
1 internal error, 2 usage, 3 refused, 4 deviated, 5 inconclusive, 6 aborted and undone, 7 stuck.";

/// Arguments of `squall run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = ASKS)]
pub struct Args {
    #[command(flatten)]
    pub inputs: Inputs,
    /// Do not ask. Labs need no asking.
    #[arg(short, long)]
    pub yes: bool,
    /// All the machinery, no fault: the figures that come of nothing.
    #[arg(long)]
    pub null: bool,
    /// The folder for history, logs and reports; it must not hold a drill already.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Every record of the history as a line of JSON, instead of words.
    #[arg(long)]
    pub events: bool,
    /// Raise a lab of our own even where a standing one of the same file could be attached to.
    #[arg(long)]
    pub fresh: bool,
}

/// Exit code: the verdict's; 2, 3 and 1 where nothing was injected.
pub fn run(args: &Args, state: &StateFolder, loudness: Loudness) -> Result<ExitCode, Failure> {
    let files = args.inputs.read()?;
    let mode = Mode::of(args.events, loudness);
    let mut progress = Progress::new(mode)?;
    let drill = DrillId::from_bits(chance()?);
    clusters::runtime()?.block_on(async {
        let ground = Ground { args, state, drill };
        Box::pin(ground.drill(files, &mut progress)).await
    })
}

/// What a drill stands on before it begins.
pub(super) struct Ground<'a> {
    pub(super) args: &'a Args,
    pub(super) state: &'a StateFolder,
    pub(super) drill: DrillId,
}

/// Admitted, confirmed, and with the lab standing where there is one.
struct Ready {
    prepared: Prepared,
    clearance: Clearance,
    seat: Seat,
    lab: Option<Lab>,
    /// Into the lab's cluster, where it has one.
    door: Option<ClusterDoor>,
    output: Output,
}

impl Ground<'_> {
    async fn drill(self, files: Files, progress: &mut Progress) -> Result<ExitCode, Failure> {
        let mut signals = signals::listen()?;
        let ready = if clusters::wants_lab(&files.declared.experiment) {
            self.lab_first(files, progress, &mut signals).await?
        } else {
            self.plan_first(files, progress, &mut signals).await?
        };
        let Ready { prepared, clearance, seat, lab, door, mut output } = ready;
        let secrets = secrets(&prepared.plan.experiment.probes, &prepared.folder)?;
        let sites = clusters::open(&prepared.plan, door.as_ref()).await?;
        let lab = lab.zip(prepared.lab.as_ref()).map(|(lab, spec)| LabBackend::new(lab, spec));
        let mut system = System::new(lab, sites);
        let request = self.request(prepared, (clearance, secrets), &output)?;
        let mut observer = |record: &Record| {
            output.add(record);
            progress.take(record);
        };
        let drilled = drill::run(request, &mut system, signals, &mut observer).await;
        drop(door);
        progress.done();
        let removed = system.down().await;
        drop(seat);
        if let Some(path) = output.parts_said() {
            progress.say(&format!("the parts had something to say: {}", path.display()));
        }
        let records = drilled?;
        let code = finish(&records, output, progress)?;
        read_out(progress).await?;
        if let Err(error) = removed {
            // The verdict is what counts; what is wrong besides is said.
            tracing::error!(%error, "the lab did not go");
            if code == ExitCode::Held {
                return Err(error.into());
            }
        }
        Ok(code)
    }

    /// What the drill is asked to do.
    pub(super) fn request(
        &self,
        prepared: Prepared,
        (clearance, secrets): (Clearance, BTreeMap<String, String>),
        output: &Output,
    ) -> Result<Request, Failure> {
        Ok(Request {
            places: cluster_places(&prepared.plan),
            plan: prepared.plan,
            clearance,
            drill: self.drill.clone(),
            policy_files: self.args.inputs.policy.iter().map(|p| p.display().to_string()).collect(),
            null: self.args.null,
            journals: self.state.journals(),
            environment: environment(),
            now: jiff::Timestamp::now(),
            secrets,
            log: Some(output.parts_log()?),
        })
    }

    /// The plan is shown before anything else happens.
    async fn plan_first(
        &self,
        files: Files,
        progress: &mut Progress,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> Result<Ready, Failure> {
        let declared = files.declared.lab.clone();
        let prepared = self.plan(files, None, progress).await?;
        // Before anything can refuse: what a dead drill holds must not stay for a policy's sake.
        leftovers::end(self.state, progress).await?;
        let standing = self.standing(declared.as_ref())?;
        let (clearance, seat) = self.admitted(&prepared, standing.is_some(), signals).await?;
        self.confirm(&prepared, progress).await?;
        // What is missing of them is said before anything is started.
        secrets(&prepared.plan.experiment.probes, &prepared.folder)?;
        if declared.is_none() && prepared.plan.clusters.is_empty() {
            return Err(Failure::usage(
                "this experiment names no lab; give one with --lab, or `lab:` in its spec",
            ));
        }
        let (lab, output) = self.stand(declared.as_ref(), standing, (progress, signals)).await?;
        let door = door(lab.as_ref(), &output)?;
        Ok(Ready { prepared, clearance, seat, lab, door, output })
    }

    /// Who may be hit is known once the lab's cluster stands. A lab needs no asking.
    async fn lab_first(
        &self,
        files: Files,
        progress: &mut Progress,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> Result<Ready, Failure> {
        let declared = files.declared.lab.clone();
        leftovers::end(self.state, progress).await?;
        let standing = self.standing(declared.as_ref())?;
        let attached = standing.is_some();
        let (lab, output) = self.stand(declared.as_ref(), standing, (progress, signals)).await?;
        let door = door(lab.as_ref(), &output)?;
        let prepared = self.plan(files, door.as_ref(), progress).await?;
        let (clearance, seat) = self.admitted(&prepared, attached, signals).await?;
        self.confirm(&prepared, progress).await?;
        Ok(Ready { prepared, clearance, seat, lab, door, output })
    }

    async fn plan(
        &self,
        files: Files,
        lab: Option<&ClusterDoor>,
        progress: &mut Progress,
    ) -> Result<Prepared, Failure> {
        let given = self.args.inputs.kubeconfig.as_deref();
        let experiment = &files.declared.experiment;
        clusters::refuse_lacking(&clusters::lacking(experiment, given, lab).await?)?;
        let found = clusters::look(experiment, given, lab).await?;
        let prepared = files.prepare(found)?;
        let style = plan::Style::of(screen::style().colour);
        progress.plan(&plan::render::text(&prepared.plan, style));
        Ok(prepared)
    }

    async fn confirm(&self, prepared: &Prepared, progress: &mut Progress) -> Result<(), Failure> {
        if confirm::asks(&prepared.plan, self.args.yes) {
            // Nobody is asked about a plan that is not on the screen yet.
            let _gone = progress.said().await;
        }
        confirm::confirm(&prepared.plan, self.args.yes)
    }

    /// The lab, attached to or raised, and the folder of the drill.
    async fn stand(
        &self,
        declared: Option<&Loaded<LabSpec>>,
        standing: Option<Standing>,
        (progress, signals): (&mut Progress, &mut UnboundedReceiver<Signal>),
    ) -> Result<(Option<Lab>, Output), Failure> {
        let attached = match &standing {
            Some(standing) => Some(self.attach(standing, progress, signals).await?),
            None => None,
        };
        let output = Output::create(&self.folder())?;
        let lab = match (attached, declared) {
            (None, Some(declared)) => {
                Some(self.raise(declared, output.logs(), (progress, signals)).await?)
            }
            (attached, _) => attached,
        };
        Ok((lab, output))
    }

    /// A standing lab that was made from the very same file, unless we want our own.
    pub(super) fn standing(
        &self,
        declared: Option<&Loaded<LabSpec>>,
    ) -> Result<Option<Standing>, Failure> {
        let Some(lab) = declared.filter(|_| !self.args.fresh) else { return Ok(None) };
        Ok(Registry::at(self.state.labs()).find_made_from(&lab.name, &lab.sha256)?)
    }

    /// Nobody else may begin there from here on, and nobody may still be at it.
    pub(super) async fn attach(
        &self,
        standing: &Standing,
        progress: &mut Progress,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> Result<Lab, Failure> {
        let (identity, holder) = (&standing.record.identity, format!("drill {}", self.drill));
        let lab = tokio::select! {
            lab = Lab::attach(standing, &holder) => lab?,
            Some(signal) = signals.recv() => return Err(aborted(&signal, "the lab was attached to")),
        };
        leftovers::refuse_beside(self.state, identity)?;
        progress.say(&format!("attached to standing lab {}", identity.name));
        Ok(lab)
    }

    /// One at a time: whoever is admitted next sees that we are.
    pub(super) async fn admitted(
        &self,
        prepared: &Prepared,
        attached: bool,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> Result<(Clearance, Seat), Failure> {
        let door = tokio::select! {
            door = Door::hold(self.state.seats()) => door?,
            Some(signal) = signals.recv() => {
                return Err(aborted(&signal, "another drill was being admitted"));
            }
        };
        let running = running(self.state, &door)?;
        refuse_beside(&prepared.plan, &running)?;
        let facts = facts(prepared, running, &self.args.inputs.approval, attached)?;
        let clearance = admit(&prepared.plan, &prepared.policies, &facts)
            .map_err(|refusal| Failure::new(ExitCode::Refused, refusal.to_string()))?;
        let seat = door.seat(&self.drill, &cluster_places(&prepared.plan))?;
        Ok((clearance, seat))
    }

    fn folder(&self) -> PathBuf {
        let kept = || self.state.drills().join(self.drill.as_str());
        self.args.out.clone().unwrap_or_else(kept)
    }

    pub(super) async fn raise(
        &self,
        declared: &Loaded<LabSpec>,
        logs: PathBuf,
        (progress, signals): (&mut Progress, &mut UnboundedReceiver<Signal>),
    ) -> Result<Lab, Failure> {
        let name = &declared.name;
        progress.say(&format!("raising lab {name} from {}", declared.path.display()));
        let place = LabPlace { logs };
        let up = Lab::up(name, &declared.value, &place, |event| {
            if let LabEvent::Ready { instance, .. } = event {
                progress.detail(&format!("{instance} is ready"));
            }
        });
        tokio::select! {
            lab = up => Ok(lab?),
            Some(signal) = signals.recv() => Err(aborted(&signal, "the lab came up")),
        }
    }
}

/// Two drills on one workload would each be blamed for what the other does.
fn refuse_beside(plan: &Plan, running: &[Running]) -> Result<(), Failure> {
    let places = cluster_places(plan);
    for other in running {
        let shared: Vec<&str> = other.places.intersection(&places).map(String::as_str).collect();
        if !shared.is_empty() {
            let why = format!(
                "refused: drill {} is at {} already; wait for its end, or end it",
                other.drill,
                shared.join(", ")
            );
            return Err(Failure::new(ExitCode::Refused, why));
        }
    }
    Ok(())
}

fn door(lab: Option<&Lab>, output: &Output) -> Result<Option<ClusterDoor>, Failure> {
    lab.map_or(Ok(None), |lab| ClusterDoor::of(lab, output.folder()))
}

fn aborted(by: &Signal, meanwhile: &str) -> Failure {
    let why = format!("aborted by {} while {meanwhile}; nothing was injected", by.name);
    Failure::new(ExitCode::Aborted, why)
}

/// Waits until the verdict is read: everything is undone and kept by now, so that whoever stopped
/// the terminal may take their time. Any signal ends the wait.
pub(super) async fn read_out(progress: &mut Progress) -> Result<(), Failure> {
    let mut signals = signals::listen()?;
    tokio::select! {
        _read = progress.said() => {}
        _ended = signals.recv() => {}
    }
    Ok(())
}

/// Judges, writes every face, and shows the verdict.
fn finish(
    records: &[Record],
    output: Output,
    progress: &mut Progress,
) -> Result<ExitCode, Failure> {
    let report = judge_records(records)?;
    let written = output.finish(&report);
    let files: Vec<String> = written
        .as_ref()
        .map(|paths| paths.iter().map(|p| p.display().to_string()).collect())
        .unwrap_or_default();
    let render = if progress.is_quiet() { report::text::brief } else { report::text::render };
    progress.verdict(&render(&report, &screen::style(), &files));
    let code = report.verdict.exit_code();
    match written {
        // A full disk must not hide that something is stuck, or deviated.
        Err(failure) if code != ExitCode::Held => {
            tracing::error!(%failure, "the reports could not be written");
            Ok(code)
        }
        written => written.map(|_| code),
    }
}

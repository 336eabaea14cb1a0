//! `squall run`: the plan is shown, admitted and confirmed; the drill runs; the verdict is shown.

use std::path::PathBuf;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::backend::LabBackend;
use crate::drill::{self, Request, Signal};
use crate::guard::{Clearance, admit};
use crate::lab::registry::{Registry, Standing};
use crate::lab::{Lab, LabEvent, LabPlace};
use crate::model::history::Record;
use crate::model::id::DrillId;
use crate::model::outcome::ExitCode;
use crate::plan;
use crate::report;

use super::Loudness;
use super::confirm;
use super::facts::{facts, running};
use super::failure::Failure;
use super::judge::judge_records;
use super::leftovers;
use super::output::Output;
use super::prepare::{Inputs, Prepared};
use super::progress::{Mode, Progress};
use super::screen;
use super::seat::{Door, Seat};
use super::signals;
use super::state::StateFolder;
use super::surroundings::{chance, environment, secrets};

const ASKS: &str = "A lab needs no asking: squall starts it and the kernel removes it. In this \
version labs are the only targets; `--yes` is for what squall did not start.\n\nExit codes: 0 held, \
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
    let prepared = args.inputs.prepare()?;
    let mode = Mode::of(args.events, loudness);
    let mut progress = Progress::new(mode)?;
    progress.plan(&plan::render::text(&prepared.plan, plan::Style::of(screen::style().colour)));
    let drill = DrillId::from_bits(chance()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::internal(format!("failed to begin: {e}")))?;
    runtime.block_on(async {
        let ground = Ground { args, state, prepared, drill };
        ground.drill(&mut progress).await
    })
}

/// What a drill stands on before it begins.
struct Ground<'a> {
    args: &'a Args,
    state: &'a StateFolder,
    prepared: Prepared,
    drill: DrillId,
}

impl Ground<'_> {
    async fn drill(self, progress: &mut Progress) -> Result<ExitCode, Failure> {
        let mut signals = signals::listen()?;
        // Before anything can refuse: what a dead drill holds must not stay for a policy's sake.
        leftovers::end(self.state, progress).await?;
        let standing = self.standing()?;
        let (clearance, seat) = self.admitted(standing.is_some(), &mut signals).await?;
        if confirm::asks(&self.prepared.plan, self.args.yes) {
            // Nobody is asked about a plan that is not on the screen yet.
            let _gone = progress.said().await;
        }
        confirm::confirm(&self.prepared.plan, self.args.yes)?;
        let secrets = secrets(&self.prepared.plan.experiment.probes, &self.prepared.folder)?;
        let Some(spec) = self.prepared.lab.clone() else {
            return Err(Failure::usage(
                "this experiment names no lab; give one with --lab, or `lab:` in its spec",
            ));
        };
        let attached = match standing {
            Some(standing) => Some(self.attach(&standing, progress, &mut signals).await?),
            None => None,
        };
        let mut output = Output::create(&self.folder())?;
        let lab = match attached {
            Some(lab) => lab,
            None => self.raise(&output, progress, &mut signals).await?,
        };
        let mut backend = LabBackend::new(lab, &spec);
        let request = Request {
            plan: self.prepared.plan.clone(),
            clearance,
            drill: self.drill.clone(),
            policy_files: self.args.inputs.policy.iter().map(|p| p.display().to_string()).collect(),
            null: self.args.null,
            journals: self.state.journals(),
            environment: environment(),
            now: jiff::Timestamp::now(),
            secrets,
            log: Some(output.parts_log()?),
        };
        let mut observer = |record: &Record| {
            output.add(record);
            progress.take(record);
        };
        let drilled = drill::run(request, &mut backend, signals, &mut observer).await;
        progress.done();
        let removed = backend.down().await;
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

    /// A standing lab that was made from the very same file, unless we want our own.
    fn standing(&self) -> Result<Option<Standing>, Failure> {
        let Some(lab) = self.prepared.plan.lab.as_ref().filter(|_| !self.args.fresh) else {
            return Ok(None);
        };
        let found = Registry::at(self.state.labs()).find(&lab.name)?;
        Ok(found.filter(|standing| standing.record.sha256 == lab.sha256))
    }

    /// Nobody else may begin there from here on, and nobody may still be at it.
    async fn attach(
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
    async fn admitted(
        &self,
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
        let facts = facts(&self.prepared, running, &self.args.inputs.approval, attached)?;
        let clearance = admit(&self.prepared.plan, &self.prepared.policies, &facts)
            .map_err(|refusal| Failure::new(ExitCode::Refused, refusal.to_string()))?;
        let seat = door.seat(&self.drill)?;
        Ok((clearance, seat))
    }

    fn folder(&self) -> PathBuf {
        let kept = || self.state.drills().join(self.drill.as_str());
        self.args.out.clone().unwrap_or_else(kept)
    }

    async fn raise(
        &self,
        output: &Output,
        progress: &mut Progress,
        signals: &mut UnboundedReceiver<Signal>,
    ) -> Result<Lab, Failure> {
        let (Some(planned), Some(spec)) = (&self.prepared.plan.lab, &self.prepared.lab) else {
            return Err(Failure::usage("this experiment names no lab; give one with --lab"));
        };
        progress.say(&format!("raising lab {} from {}", planned.name, planned.path));
        let place = LabPlace { logs: output.logs() };
        let up = Lab::up(&planned.name, spec, &place, |event| {
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

fn aborted(by: &Signal, meanwhile: &str) -> Failure {
    let why = format!("aborted by {} while {meanwhile}; nothing was injected", by.name);
    Failure::new(ExitCode::Aborted, why)
}

/// Waits until the verdict is read: everything is undone and kept by now, so that whoever stopped
/// the terminal may take their time. Any signal ends the wait.
async fn read_out(progress: &mut Progress) -> Result<(), Failure> {
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

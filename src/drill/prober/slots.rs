//! The thread that runs the probes.
//!
//! Each slot is a task of its own, begun when the metronome says so; nothing waits for an earlier
//! one. What is complete is graded at the next beat and sent on in batches.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

use super::grade::Stalls;
use super::lag::LagRecorder;
use super::lane::{Complete, Lane, patience};
use super::metronome::{Metronome, Tick};
use super::schedule::Due;
use super::stand::Stand;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::netns;
use crate::host::linux::timing::{Scheduling, lift_descriptor_limit, quicken};
use crate::model::experiment::ProbeSpec;
use crate::model::history::Entry;
use crate::model::message::{FromProber, ProberHello};
use crate::model::observation::ErrorClass;
use crate::model::units::Rate;
use crate::probe::{self, Secrets, Seen, Setting};

/// Behind the metronome: the time comes first.
const PRIORITY: u32 = 10;
/// Slots under way at once, over all probes; a slot beyond is invalid. Fewer where there are not
/// enough descriptors.
const UNDER_WAY_MOST: u64 = 16_384;
/// Descriptors that are not for slots.
const DESCRIPTORS_KEPT: u64 = 128;
/// A probe that overruns its patience by this is broken, and its slot ours.
const OVERRUN: Duration = Duration::from_secs(1);
/// How long probes may connect ahead before the first slot.
const PREPARE_WITHIN: Duration = Duration::from_secs(1);
const LAG_EVERY_NS: u64 = 1_000_000_000;
const AWAKE_EVERY_NS: u64 = 50_000_000;
/// Beyond the longest deadline: how long slots that a standstill held up may take to be told.
const CATCHES_UP_WITHIN: Duration = Duration::from_millis(100);

/// Orders from the session.
#[derive(Debug, Clone, Copy)]
pub enum Command {
    Start { at_ns: u64 },
    ReadLedgers { round: u8 },
    Stop,
}

/// Runs the probes of one of so many stands until the session drops its end of `commands`; what is
/// under way then is dropped too. Where a probe is unfit it only waits for that. Its end at any
/// other time is a breakdown. The thread stays in the stand's namespace.
pub fn run(
    (hello, stand, of): (&ProberHello, &Stand, u64),
    mut commands: UnboundedReceiver<Command>,
    out: UnboundedSender<FromProber>,
) -> Result<(), String> {
    // Before the runtime: whatever it starts is born inside.
    stand.netns.as_ref().map_or(Ok(()), netns::enter_thread).map_err(|e| e.to_string())?;
    let own = quicken(PRIORITY);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| format!("the slots' runtime did not start: {e}"))?;
    let Some(lanes) = build((hello, stand), &out) else {
        while commands.blocking_recv().is_some() {}
        return Ok(());
    };
    let (ticks, inbox) = unbounded_channel();
    let metronome = Metronome::new(ticks).map_err(|e| e.to_string())?;
    let fifo = own == Scheduling::Fifo && metronome.scheduling == Scheduling::Fifo;
    let scheduling = if fifo { Scheduling::Fifo } else { Scheduling::Other };
    let longest = lanes.iter().map(|(_, spec)| patience(spec.deadline.0)).max();
    let deadline = lanes.iter().map(|(_, spec)| spec.deadline.0).max().unwrap_or_default();
    let slots = Slots {
        settles: deadline + CATCHES_UP_WITHIN,
        rates: lanes.iter().map(|(_, spec)| spec.rate).collect(),
        longest: longest.unwrap_or_default() + OVERRUN,
        state: Rc::new(RefCell::new(State {
            lanes: lanes.into_iter().map(|(lane, _)| lane).collect(),
            lag: LagRecorder::new()?,
        })),
        room: (lift_descriptor_limit().saturating_sub(DESCRIPTORS_KEPT) / of.max(1))
            .clamp(16, UNDER_WAY_MOST),
        metronome,
        out,
    };
    LocalSet::new().block_on(&runtime, slots.serve(scheduling, inbox, commands));
    runtime.shutdown_background();
    Ok(())
}

/// None when any probe cannot be built; each that cannot is reported.
fn build<'a>(
    (hello, stand): (&ProberHello, &'a Stand),
    out: &UnboundedSender<FromProber>,
) -> Option<Vec<(Lane, &'a ProbeSpec)>> {
    let mut lanes = Vec::new();
    for (name, spec) in &stand.probes {
        let built = probe::find(&spec.kind)
            .ok_or_else(|| format!("there is no probe `{}`", spec.kind))
            .and_then(|entry| entry.build(&spec.params, setting(hello, name, spec)));
        match built {
            Ok(probe) => lanes.push((Lane::new(name.clone(), spec, probe), spec)),
            Err(why) => {
                let _ = out.send(FromProber::Unfit { probe: name.clone(), why });
            }
        }
    }
    (lanes.len() == stand.probes.len()).then_some(lanes)
}

fn setting(hello: &ProberHello, name: &str, spec: &ProbeSpec) -> Setting {
    Setting {
        // Two probes of one drill never share a ledger.
        session: format!("{}:{name}", hello.drill),
        deadline: spec.deadline.0,
        patience: patience(spec.deadline.0),
        secrets: Secrets::new(BTreeMap::clone(&hello.secrets)),
        clusters: hello.clusters.clone(),
    }
}

struct Slots {
    /// How long after a standstill all that it held up is told.
    settles: Duration,
    rates: Vec<Rate>,
    longest: Duration,
    state: Rc<RefCell<State>>,
    room: u64,
    metronome: Metronome,
    out: UnboundedSender<FromProber>,
}

/// What slots that are under way come back to.
struct State {
    lanes: Vec<Lane>,
    lag: LagRecorder,
}

/// How far the drill is.
#[derive(Default)]
struct Progress {
    lag_told_ns: Option<u64>,
    awake_told_ns: u64,
    ended: bool,
}

impl Slots {
    async fn serve(
        self,
        scheduling: Scheduling,
        mut ticks: UnboundedReceiver<Tick>,
        mut commands: UnboundedReceiver<Command>,
    ) {
        if !self.prepare(&mut ticks).await {
            while commands.recv().await.is_some() {}
            return;
        }
        self.tell(FromProber::Ready { scheduling: scheduling.word().to_owned() });
        let mut stalls = Stalls::new(monotonic_ns(), self.longest);
        let mut progress = Progress::default();
        loop {
            tokio::select! {
                biased;
                tick = ticks.recv() => match tick {
                    Some(Tick::Due(due)) => self.begin(due),
                    Some(Tick::Beat { sent_ns }) => self.beat(sent_ns, &mut stalls, &mut progress),
                    Some(Tick::Ended) => progress.ended = true,
                    None => return,
                },
                command = commands.recv() => match command {
                    Some(Command::Start { at_ns }) => {
                        progress.lag_told_ns = Some(at_ns);
                        self.metronome.start(at_ns, &self.rates);
                    }
                    Some(Command::Stop) => self.metronome.stop(),
                    Some(Command::ReadLedgers { round }) => self.read_ledgers(round),
                    None => return,
                },
            }
        }
    }

    /// False when a probe's question is not understood; each is reported. The beats of that time
    /// are thrown away: nothing was measured in it.
    async fn prepare(&self, ticks: &mut UnboundedReceiver<Tick>) -> bool {
        let probes: Vec<_> = {
            let lanes = &self.state.borrow().lanes;
            lanes.iter().map(|lane| (lane.name.clone(), Rc::clone(&lane.probe))).collect()
        };
        let prepare = join_all(probes.iter().map(|(_, probe)| probe.prepare()));
        let _ = tokio::time::timeout(PREPARE_WITHIN, prepare).await;
        let checks = probes.iter().map(|(name, probe)| async move {
            let checked = tokio::time::timeout(PREPARE_WITHIN, probe.check()).await;
            checked.ok().and_then(Result::err).map(|why| (name.clone(), why))
        });
        let unfit: Vec<_> = join_all(checks).await.into_iter().flatten().collect();
        while ticks.try_recv().is_ok() {}
        let fit = unfit.is_empty();
        for (probe, why) in unfit {
            self.tell(FromProber::Unfit { probe, why });
        }
        fit
    }

    fn begin(&self, due: Due) {
        let probe = {
            let mut state = self.state.borrow_mut();
            let under_way: usize = state.lanes.iter().map(|lane| lane.under_way).sum();
            let lane = &mut state.lanes[due.lane];
            if under_way as u64 >= self.room {
                lane.refuse(due);
                return;
            }
            lane.under_way += 1;
            Rc::clone(&lane.probe)
        };
        let state = Rc::clone(&self.state);
        let longest = self.longest;
        spawn_local(async move {
            let started_ns = monotonic_ns();
            state.borrow_mut().lag.record(started_ns.saturating_sub(due.at_ns));
            let seen = tokio::time::timeout(longest, probe.observe(due.slot, due.at_ns)).await;
            let seen = seen.unwrap_or_else(|_| Seen::now(Err(ErrorClass::Ours)));
            let lane = &mut state.borrow_mut().lanes[due.lane];
            lane.under_way -= 1;
            lane.complete(Complete { due, started_ns, seen });
        });
    }

    fn beat(&self, sent_ns: u64, stalls: &mut Stalls, progress: &mut Progress) {
        let now = monotonic_ns();
        stalls.heard(now);
        let mut state = self.state.borrow_mut();
        for lane in &mut state.lanes {
            lane.settle(sent_ns, stalls);
            let all = progress.ended && lane.under_way == 0;
            if let Some(slots) = lane.take(sent_ns, all) {
                let probe = lane.name.clone();
                self.saw(now, Entry::Slots { probe, slots });
            }
        }
        let over = progress.ended && state.lanes.iter().all(Lane::is_empty);
        let told = progress.lag_told_ns;
        if told.is_some_and(|told| over || now.saturating_sub(told) >= LAG_EVERY_NS) {
            progress.lag_told_ns = Some(now);
            self.saw(now, Entry::Lag(state.lag.take(stalls.take_total())));
        }
        // Behind what was told above, and by the metronome's time: what was due is begun.
        let again = sent_ns.saturating_sub(progress.awake_told_ns) >= AWAKE_EVERY_NS;
        if told.is_some() && again && stalls.settled(self.settles) {
            progress.awake_told_ns = sent_ns;
            self.tell(FromProber::Awake { at_ns: sent_ns });
        }
        if over {
            *progress = Progress::default();
            self.tell(FromProber::Finished);
        }
    }

    fn read_ledgers(&self, round: u8) {
        let lanes: Vec<_> = {
            let state = self.state.borrow();
            state.lanes.iter().map(|lane| (lane.name.clone(), Rc::clone(&lane.probe))).collect()
        };
        let out = self.out.clone();
        spawn_local(async move {
            let reads = join_all(lanes.into_iter().map(|(probe, keeper)| async move {
                match keeper.read_ledger(round) {
                    Some(reading) => Some(Entry::Ledger { probe, read: reading.await }),
                    None => None,
                }
            }));
            for entry in reads.await.into_iter().flatten() {
                let saw = FromProber::Saw { at_ns: monotonic_ns(), entry: Box::new(entry) };
                let _ = out.send(saw);
            }
            let _ = out.send(FromProber::LedgersRead { round });
        });
    }

    fn saw(&self, at_ns: u64, entry: Entry) {
        self.tell(FromProber::Saw { at_ns, entry: Box::new(entry) });
    }

    fn tell(&self, message: FromProber) {
        // The session ends first; then nobody is left to be told.
        let _ = self.out.send(message);
    }
}

//! The prober as a drill has it, a process of the release binary; and this program in the
//! conductor's place.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use squall::host::channel::Channel;
use squall::host::linux::clock::monotonic_ns;
use squall::host::linux::part::{self, Part};
use squall::host::linux::timing::sleep_until;
use squall::host::part::PartSpec;
use squall::model::history::Entry;
use squall::model::id::DrillId;
use squall::model::identity::NetnsIdentity;
use squall::model::message::{FromProber, ProberHello, ToProber};
use squall::model::observation::Observation;

/// The name of its only probe.
const PROBE: &str = "p";
const BEAT_NS: u64 = 200_000_000;
const WITHIN: Duration = Duration::from_secs(20);

pub struct Prober {
    to: Channel,
    from: Receiver<FromProber>,
    seen: Vec<Observation>,
    part: Part,
}

impl Prober {
    /// Ready when this returns, and how it is scheduled.
    pub fn start(
        client: &NetnsIdentity,
        kind: &str,
        params: Value,
        rate: &str,
    ) -> (Prober, String) {
        let (ours, theirs) = Channel::pair().unwrap();
        let ours = ours.into_fd();
        let mut ear = Channel::from_fd(ours.try_clone().unwrap());
        let spec =
            PartSpec { fds: vec![theirs.into_fd()], realtime: true, ..PartSpec::new("prober") };
        let part = part::spawn(spec).unwrap();
        let (heard, from) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = ear.receive::<FromProber>() {
                if heard.send(message).is_err() {
                    return;
                }
            }
        });
        let probe = json!({"kind": kind, "params": params, "rate": rate, "deadline": "250ms",
                           "steady": true, "slo": null});
        let probe = serde_json::from_value(probe).unwrap();
        let hello = ProberHello {
            drill: DrillId::from_bits(7),
            probes: BTreeMap::from([(PROBE.to_owned(), probe)]),
            watches: Vec::new(),
            netns: Some(client.clone()),
            hosts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            clusters: Vec::new(),
            seed: 1,
        };
        let mut prober = Prober { to: Channel::from_fd(ours), from, seen: Vec::new(), part };
        prober.to.send(&ToProber::Hello(hello)).unwrap();
        let scheduling = prober.wait(|message| match message {
            FromProber::Ready { scheduling } => Some(scheduling.clone()),
            FromProber::Unfit { why, .. } => panic!("unfit: {why}"),
            _ => None,
        });
        (prober, scheduling)
    }

    /// Slots begin 50 ms from now.
    pub fn begin(&mut self) {
        self.to.send(&ToProber::Start { at_ns: monotonic_ns() + 50_000_000 }).unwrap();
    }

    /// Lets time pass, and tells the prober that we live.
    pub fn beat_until(&mut self, until_ns: u64) {
        while monotonic_ns() < until_ns {
            self.to.send(&ToProber::Beat).unwrap();
            while let Ok(message) = self.from.try_recv() {
                self.take(message);
            }
            sleep_until(until_ns.min(monotonic_ns() + BEAT_NS));
        }
    }

    /// Ends the slots; all of them, in the order of their numbers.
    pub fn finish(mut self) -> Vec<Observation> {
        self.to.send(&ToProber::Stop).unwrap();
        self.wait(|message| matches!(message, FromProber::Finished).then_some(()));
        self.to.send(&ToProber::Goodbye).unwrap();
        let _end = self.part.wait(WITHIN).unwrap();
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_by_key(|slot| slot.slot);
        seen
    }

    fn take(&mut self, message: FromProber) {
        if let FromProber::Saw { entry, .. } = message
            && let Entry::Slots { slots, .. } = *entry
        {
            self.seen.extend(slots);
        }
    }

    fn wait<T>(&mut self, is: impl Fn(&FromProber) -> Option<T>) -> T {
        loop {
            let message = self.from.recv_timeout(WITHIN).expect("the prober speaks");
            let found = is(&message);
            self.take(message);
            if let Some(found) = found {
                return found;
            }
        }
    }
}

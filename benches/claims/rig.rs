//! Injector and guardian as a drill has them: processes of the release binary with a journal on
//! disk; and this program in the conductor's place.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use squall::host::channel::Channel;
use squall::host::linux::clock::{boot, monotonic_ns};
use squall::host::linux::part::{self, Part};
use squall::host::part::{Manner, PartSpec};
use squall::injection::journal::{JOURNAL_VERSION, Journal, Opened};
use squall::model::binding::{Order, PeerHost, PeerSet};
use squall::model::history::Effective;
use squall::model::id::{DrillId, InjectionId};
use squall::model::identity::NetnsIdentity;
use squall::model::inventory::{InstanceName, Target};
use squall::model::message::{FromInjector, InjectorHello, ToInjector};
use squall::model::units::Span;

use crate::world::host;

/// Longer than any measurement: neither lease nor deadline ends a fault here.
const LONG: Span = Span(Duration::from_mins(10));

pub struct Rig {
    pub drill: DrillId,
    server: NetnsIdentity,
    client: NetnsIdentity,
    conductor: Channel,
    /// Ours of the guardian's road to the conductor; it must stay open.
    _guardian: OwnedFd,
    _journal: Journal,
    parts: [Part; 2],
    next: u16,
}

impl Rig {
    /// Starts both parts; the journal lies in `folder`.
    pub fn start(server: &NetnsIdentity, client: &NetnsIdentity, folder: &Path) -> Rig {
        let drill = DrillId::from_bits(monotonic_ns() ^ (u64::from(std::process::id()) << 34));
        let namespaces = vec![server.clone(), client.clone()];
        let opened = Opened {
            version: JOURNAL_VERSION,
            drill: drill.clone(),
            boot: boot().unwrap(),
            lab: None,
            namespaces: namespaces.clone(),
            clusters: Vec::new(),
            places: [].into(),
        };
        let journal = Journal::create(folder, opened).unwrap();
        let (mut conductor, injector_end) = Channel::pair().unwrap();
        let (guardian, guardian_end) = Channel::pair().unwrap();
        let (injector_side, guardian_side) = Channel::pair().unwrap();
        let injector = part::spawn(PartSpec {
            fds: vec![injector_end.into_fd(), injector_side.into_fd(), journal.share().unwrap()],
            realtime: true,
            manner: Manner::Detached,
            ..PartSpec::new("injector")
        });
        let injector = injector.unwrap();
        let watched = injector.pidfd().try_clone_to_owned().unwrap();
        let journal_end = journal.share().unwrap();
        let guardian_part = part::spawn(PartSpec {
            fds: vec![guardian_end.into_fd(), guardian_side.into_fd(), watched, journal_end],
            realtime: true,
            manner: Manner::Detached,
            ..PartSpec::new("guardian")
        });
        let beat = Span::millis(500);
        let hello = InjectorHello {
            drill: drill.clone(),
            lease: LONG,
            beat,
            lab: None,
            namespaces,
            clusters: Vec::new(),
        };
        conductor.send(&ToInjector::Hello(hello)).unwrap();
        let mut rig = Rig {
            drill,
            server: server.clone(),
            client: client.clone(),
            conductor,
            _guardian: guardian.into_fd(),
            _journal: journal,
            parts: [injector, guardian_part.unwrap()],
            next: 0,
        };
        rig.wait(|message| matches!(message, FromInjector::Ready { .. }).then_some(()));
        rig
    }

    /// Process numbers of injector and guardian.
    pub fn pids(&self) -> [i32; 2] {
        [self.parts[0].pid(), self.parts[1].pid()]
    }

    /// An order on the server. `seen`: canaries fly between it and the client, as in a lab.
    pub fn order(&mut self, kind: &str, params: Value, seen: bool) -> Order {
        self.next = self.next.wrapping_add(1);
        let client = PeerHost { host: host("client", 2), netns: self.client.clone() };
        Order {
            injection: InjectionId { drill: self.drill.clone(), number: self.next },
            step: 0,
            kind: kind.to_owned(),
            params,
            target: Target {
                name: InstanceName("stream@server".to_owned()),
                service: "stream".to_owned(),
                host: host("server", 1),
                port: None,
                process: None,
                netns: Some(self.server.clone()),
                object: None,
            },
            peers: PeerSet {
                blocks: Vec::new(),
                hosts: if seen { vec![client] } else { Vec::new() },
            },
            seed: 1,
            deadline: LONG,
        }
    }

    /// Just before the order was sent, and what the injector says of it.
    pub fn inject(&mut self, order: Order) -> (u64, Effective) {
        let sent_ns = monotonic_ns();
        self.conductor.send(&ToInjector::Inject(Box::new(order))).unwrap();
        let effective = self.wait(|message| match message {
            FromInjector::Effective(effective) => Some(effective),
            FromInjector::Failed { why, .. } => panic!("not in force: {why}"),
            _ => None,
        });
        (sent_ns, effective)
    }

    /// Gone and seen to be gone when this returns.
    pub fn revert(&mut self, injection: InjectionId) {
        self.conductor.send(&ToInjector::Revert(injection)).unwrap();
        self.wait(|message| match message {
            FromInjector::Reverted(_) => Some(()),
            FromInjector::Stuck { why, .. } => panic!("stuck: {why}"),
            _ => None,
        });
    }

    /// Sends the abort and does not wait for it.
    pub fn abort(&mut self) {
        self.conductor.send(&ToInjector::RevertAll).unwrap();
    }

    pub fn wait_all_reverted(&mut self) {
        self.wait(|message| matches!(message, FromInjector::AllReverted).then_some(()));
    }

    fn wait<T>(&mut self, mut is: impl FnMut(FromInjector) -> Option<T>) -> T {
        loop {
            let message = self.conductor.receive().unwrap().expect("the injector is dead");
            if let Some(found) = is(message) {
                return found;
            }
        }
    }

    pub fn end(mut self) {
        self.conductor.send(&ToInjector::Goodbye).unwrap();
        for mut part in self.parts {
            if part.wait(Duration::from_secs(5)).unwrap().is_none() {
                part.kill().unwrap();
            }
        }
    }
}

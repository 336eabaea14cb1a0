//! One carrier: everything of one drill in one network namespace, held by two sockets. When the
//! process dies, the sockets close, and the kernel removes it all.
//!
//! Invariant: base chains and the queue rule are made with the carrier and go with it; in between
//! only sets, elements and rules of injections come and go.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::time::Duration;

use netlink_bindings::nftables::{GenAttrs, Nfgenmsg, Request, RuleAttrs};
use nix::net::if_::if_nameindex;

use super::batch::{Batch, BatchError, Echo};
use super::engine::Engine;
use super::probing::Found;
use super::queue::{QUEUE, Queue};
use super::rules::{Action, Placed, Writing};
use super::socket::{NetfilterSocket, close_aside};
use super::stage::Stage;
use super::tables::{FAULTS, Layout, header};
use crate::host::HostError;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::netns;
use crate::host::network::Took;
use crate::model::id::DrillId;
use crate::model::identity::NetnsIdentity;
use crate::model::network::{Effect, Impairment};

/// Impairments with a stage share the upper half of the packet mark, one bit each.
const FIRST_BIT: u32 = 16;
const BITS: u32 = 16;

/// A live carrier.
#[derive(Debug)]
pub(super) struct Carrier {
    ns: NetnsIdentity,
    socket: NetfilterSocket,
    layout: Layout,
    /// Are the tables there?
    made: bool,
    /// Is our queue bound and known to the engine?
    queued: bool,
    /// By the injection's number.
    in_force: BTreeMap<u16, InForce>,
    /// The bit to try first: a bit rests as long as possible before it is given again.
    next_bit: u32,
    /// The generation of the namespace's rules after our last commit or look.
    generation: u32,
}

/// One injection's share, by the kernel's names for it.
#[derive(Debug)]
struct InForce {
    bit: Option<u32>,
    sets: Vec<(u8, CString)>,
    /// Family and handle.
    rules: Vec<(u8, u64)>,
}

/// What is opened in a namespace before anything is made there.
#[derive(Debug)]
pub(super) struct Opened {
    socket: NetfilterSocket,
    devices: Vec<CString>,
}

impl Opened {
    /// In the namespace of this thread. Nobody sees it there.
    pub fn here() -> Result<Opened, HostError> {
        Ok(Opened { socket: NetfilterSocket::open()?, devices: devices()? })
    }
}

impl Carrier {
    /// A carrier of which nothing is in the world yet: tables, chains and the queue rule come in
    /// one transaction with the first impairment. Errors: `Lacking`.
    pub fn new(
        drill: &DrillId,
        ns: &NetnsIdentity,
        found: &Found,
        opened: Opened,
    ) -> Result<Carrier, HostError> {
        found.require_owner()?;
        let table = CString::new(drill.table()).unwrap_or_default();
        let Opened { socket, devices } = opened;
        let devices = if found.egress { devices } else { Vec::new() };
        let layout = Layout { table, devices, queue: found.queue.map(|style| (style, QUEUE)) };
        Ok(Carrier {
            ns: ns.clone(),
            socket,
            layout,
            made: false,
            queued: false,
            in_force: BTreeMap::new(),
            next_bit: 0,
            generation: 0,
        })
    }

    pub fn ns(&self) -> &NetnsIdentity {
        &self.ns
    }

    pub fn is_idle(&self) -> bool {
        self.in_force.is_empty()
    }

    /// Prepares to end with these, if they are all there is: true when tables and all may go at
    /// once. Not where packets wait in the queue: they have to come out before the chains go.
    pub fn ends_with(&mut self, numbers: &[u16]) -> bool {
        let all = self.in_force.iter().all(|(n, i)| i.bit.is_none() && numbers.contains(n));
        if all {
            self.in_force.clear();
        }
        all
    }

    /// Puts one impairment in force: the stage first, so that no marked packet comes too early.
    pub fn add(
        &mut self,
        impairment: &Impairment,
        deadline: Duration,
        engine: Option<&Engine>,
    ) -> Result<Took, HostError> {
        let number = impairment.id.number;
        if self.in_force.contains_key(&number) {
            return Err(HostError::Denied {
                what: format!("a second impairment by the name of {}", impairment.id),
                remedy: "relieve the first".to_owned(),
            });
        }
        let bit = match (Stage::new(&impairment.effect), engine) {
            (Some(stage), Some(engine)) => Some(self.stage(stage, engine)?),
            _ => None,
        };
        let began_ns = monotonic_ns();
        match self.write(impairment, deadline, bit) {
            Ok(rules) => {
                let took = Took { began_ns, effective_ns: monotonic_ns() };
                if self.in_force.is_empty() {
                    self.generation = self.read_generation()?;
                }
                self.in_force.insert(number, rules);
                Ok(took)
            }
            Err(error) => {
                if let (Some(bit), Some(engine)) = (bit, engine) {
                    engine.remove(self.ns.cookie, bit)?;
                }
                Err(error)
            }
        }
    }

    /// Takes out those that are there, in one transaction; None: none is.
    pub fn remove(
        &mut self,
        numbers: &[u16],
        engine: Option<&Engine>,
    ) -> Result<Option<Took>, HostError> {
        let gone: Vec<(u16, &InForce)> =
            numbers.iter().filter_map(|n| Some((*n, self.in_force.get(n)?))).collect();
        if gone.is_empty() {
            return Ok(None);
        }
        let began_ns = monotonic_ns();
        let mut batch = Batch::new();
        let mut bits = Vec::new();
        for (_, gone) in &gone {
            bits.extend(gone.bit);
            gone.leave(&self.layout, &mut batch);
        }
        let gone: Vec<u16> = gone.into_iter().map(|(number, _)| number).collect();
        self.commit(batch)?;
        self.in_force.retain(|number, _| !gone.contains(number));
        for bit in bits {
            engine.map_or(Ok(()), |engine| engine.remove(self.ns.cookie, bit))?;
        }
        Ok(Some(Took { began_ns, effective_ns: monotonic_ns() }))
    }

    /// Removes tables and queue. Whatever this cannot remove goes with the socket right after.
    pub fn destroy(mut self, engine: Option<&Engine>) -> Result<(), HostError> {
        let removed =
            if self.made { self.layout.destroy().commit(&mut self.socket) } else { Ok(Vec::new()) };
        let queue = match engine {
            Some(engine) if self.queued => engine.detach(self.ns.cookie)?,
            _ => None,
        };
        let removed = removed.map(|_| ()).map_err(|e| refused(e, &self.ns));
        if removed.is_ok() {
            close_aside((self.socket, queue));
        }
        removed
    }

    /// How often somebody else changed the rules since the last look.
    pub fn foreign_changes(&mut self) -> Result<u32, HostError> {
        let now = self.read_generation()?;
        let changes = now.wrapping_sub(self.generation);
        self.generation = now;
        Ok(changes)
    }

    /// Gives the stage a bit and the engine the stage, and the engine our queue if it has it not.
    fn stage(&mut self, stage: Stage, engine: &Engine) -> Result<u32, HostError> {
        if self.layout.queue.is_none() {
            return Err(HostError::Lacking {
                what: "a packet queue for delay and loss".to_owned(),
                remedy: "load or build nfnetlink_queue, with nft_queue or xt_NFQUEUE".to_owned(),
            });
        }
        let taken: u32 = self.in_force.values().filter_map(|i| i.bit).sum();
        let free = |n: &u32| taken & (1 << (FIRST_BIT + n)) == 0;
        let n = (self.next_bit..self.next_bit + BITS).map(|n| n % BITS).find(free);
        let n = n.ok_or_else(|| HostError::Denied {
            what: format!("more than {BITS} delays and losses at once in {}", self.ns.path),
            remedy: "let fewer steps overlap on this target".to_owned(),
        })?;
        if !self.queued {
            engine.attach(self.ns.cookie, netns::inside(&self.ns, Queue::bind)?)?;
            self.queued = true;
        }
        let bit = 1 << (FIRST_BIT + n);
        engine.add(self.ns.cookie, bit, stage)?;
        self.next_bit = n + 1;
        Ok(bit)
    }

    fn write(
        &mut self,
        impairment: &Impairment,
        deadline: Duration,
        bit: Option<u32>,
    ) -> Result<InForce, HostError> {
        let mut batch = if self.made { Batch::new() } else { self.layout.create() };
        let placed = Writing {
            table: &self.layout.table,
            impairment,
            action: bit.map_or(Action::Drop, Action::Mark),
            deadline,
            leaves: !self.layout.devices.is_empty(),
        }
        .write(&mut batch);
        let echoes = self.commit(batch)?;
        self.made = true;
        let Placed { sets, rules } = placed;
        let rules = rules
            .into_iter()
            .map(|(family, index)| Ok((family, handle_of(&echoes, index)?)))
            .collect::<Result<_, HostError>>();
        // Rules whose handles are unknown could not be taken out one by one.
        rules.map(|rules| InForce { bit, sets, rules })
    }

    fn commit(&mut self, batch: Batch) -> Result<Vec<Echo>, HostError> {
        let echoes = batch.commit(&mut self.socket).map_err(|e| refused(e, &self.ns))?;
        // Every commit counts one; a foreign one in between stays a difference.
        self.generation = self.generation.wrapping_add(1);
        Ok(echoes)
    }

    fn read_generation(&mut self) -> Result<u32, HostError> {
        let wrap =
            |e| HostError::io(format!("read the generation of rules in {}", self.ns.path), e);
        let answers =
            self.socket.ask(&Request::new().op_getgen_do(&Nfgenmsg::new())).map_err(wrap)?;
        let attributes = answers.first().and_then(|a| a.get(4..)).unwrap_or(&[]);
        GenAttrs::new(attributes).get_id().map_err(|e| wrap(std::io::Error::other(e.to_string())))
    }
}

impl InForce {
    /// Adds to the batch what removes it.
    fn leave(&self, layout: &Layout, batch: &mut Batch) {
        for (family, handle) in &self.rules {
            let mut request = Request::new().op_delrule_do(&header(*family));
            let rule = request.encode().push_table(&layout.table).push_chain(FAULTS);
            drop(rule.push_handle(*handle));
            batch.push(&request, "remove a rule");
        }
        for (family, name) in &self.sets {
            let mut request = Request::new().op_delset_do(&header(*family));
            drop(request.encode().push_table(&layout.table).push_name(name));
            batch.push(&request, "remove a set");
        }
    }
}

/// Does this impairment need the engine?
pub(super) fn needs_engine(impairment: &Impairment) -> bool {
    !matches!(impairment.effect, Effect::Drop)
}

/// Every device of this thread's namespace but loopback.
fn devices() -> Result<Vec<CString>, HostError> {
    let wrap = |e| HostError::io("list the network devices", e);
    let all = if_nameindex().map_err(wrap)?;
    Ok(all
        .iter()
        .map(|device| device.name().to_owned())
        .filter(|n| n.as_c_str() != c"lo")
        .collect())
}

fn handle_of(echoes: &[Echo], index: usize) -> Result<u64, HostError> {
    let echo = echoes.iter().find(|echo| echo.index == index);
    let attributes = echo.and_then(|echo| echo.payload.get(4..)).unwrap_or(&[]);
    RuleAttrs::new(attributes).get_handle().map_err(|_| {
        HostError::io("learn the handle of a rule", std::io::Error::other("no echo of it came"))
    })
}

/// What a failed transaction means to whoever asked for it.
pub(super) fn refused(error: BatchError, ns: &NetnsIdentity) -> HostError {
    let what = format!("{} in {}", error.what, ns.path);
    match error.source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => HostError::Denied {
            what,
            remedy: "network faults need CAP_NET_ADMIN in the target's namespace".to_owned(),
        },
        Some(libc::EEXIST) => HostError::Denied {
            what,
            remedy: "another process holds this drill's tables; end it and they go with it"
                .to_owned(),
        },
        Some(libc::EOPNOTSUPP | libc::ENOENT) => HostError::Lacking {
            what: format!("what it takes to {what}"),
            remedy: "`squall doctor` says what to load or build".to_owned(),
        },
        _ => HostError::io(what, error.source),
    }
}

//! A lab from outside: raised by us, or kept by another process and attached to.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::blueprint::Blueprint;
use super::cluster::{Rising, admit, errands};
use super::error::{LabError, LogTail};
use super::message::{FromLab, LabEvent, ToLab};
use super::registry::{Record, Standing};
use crate::host::HostError;
use crate::host::channel::{AsyncChannel, Channel, ChannelReader, ChannelWriter};
use crate::host::linux::cgroup::Groups;
use crate::host::linux::clock::monotonic_ns;
use crate::host::linux::part::{self, Part};
use crate::host::part::{Entry, Manner, PartSpec};
use crate::model::cluster::LabCluster;
use crate::model::identity::{LabIdentity, NetnsIdentity};
use crate::model::inventory::{Host, InstanceName, Target};
use crate::model::lab::{LabSpec, Restart};
use crate::model::layout::Layout;

/// How long the kernel may take to remove a lab.
const DOWN_WITHIN: Duration = Duration::from_secs(5);

/// How long a keeper may take to let somebody in, and to say who runs there.
const ATTACHED_WITHIN: Duration = Duration::from_secs(5);

/// An init that fell silent is ending; this blocks, so it is short.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(500);

/// How many of its last lines an instance that failed is quoted with.
const TAIL: usize = 8;

/// What a lab uses outside of itself.
#[derive(Debug, Clone)]
pub struct LabPlace {
    /// A folder for one log a instance, `INSTANCE.log`; made when missing. It outlives the lab.
    pub logs: PathBuf,
}

/// A lab that stands. Dropping one that we raised removes it; dropping one that we attached to
/// lets it go.
#[derive(Debug)]
pub struct Lab {
    identity: LabIdentity,
    layout: Layout,
    hosts: Vec<(Host, NetnsIdentity)>,
    writer: ChannelWriter,
    inbox: UnboundedReceiver<FromLab>,
    /// Events that came while something else was awaited.
    waiting: VecDeque<LabEvent>,
    serial: u64,
    gone: bool,
    /// None: another process keeps it.
    init: Option<Part>,
    cluster: Option<LabCluster>,
    /// After the init: a group is removed when nobody is in it.
    groups: Option<Groups>,
}

impl Lab {
    /// Builds a lab and waits until every instance is ready. Nothing is started when a program is
    /// missing; when an instance does not come up, nothing is left. Call it on the main thread (see
    /// [`part::spawn`]).
    pub async fn up(
        name: &str,
        spec: &LabSpec,
        place: &LabPlace,
        mut progress: impl FnMut(&LabEvent),
    ) -> Result<Lab, LabError> {
        admit(name, spec)?;
        let layout = Layout::of(spec).map_err(LabError::Wrong)?;
        let mut blueprint = Blueprint::of(name, spec, &layout)?;
        let cluster =
            spec.kubernetes.as_ref().map(|k| Rising::of(k, &mut blueprint)).transpose()?;
        let manner = if cluster.is_some() { Manner::RootFounder } else { Manner::Founder };
        let (ours, theirs) = Channel::pair()?;
        let mut fds = vec![theirs.into_fd()];
        for instance in &blueprint.instances {
            fds.push(open_log(&place.logs, &instance.name)?);
        }
        let (mut groups, mut spoken_to) = (None, None);
        if let Some(rising) = cluster {
            fds.extend([open_log(&place.logs, &errands())?, rising.door]);
            (groups, spoken_to) = (Some(rising.groups), Some(rising.cluster));
        }
        // The name is for people who look at the list of processes.
        let args = vec![name.to_owned()];
        let founder = PartSpec { args, fds, manner, ..PartSpec::new("lab-init") };
        let init = part::spawn(founder)?;
        let identity = LabIdentity { name: name.to_owned(), init: init.identity().clone() };
        let (writer, inbox) = listen(ours.into_async()?);
        let mut lab = Lab::of(identity, layout, writer, inbox);
        (lab.init, lab.groups, lab.cluster) = (Some(init), groups, spoken_to);
        lab.writer.send(&ToLab::Raise(Box::new(blueprint))).await?;
        lab.await_up(place, &mut progress).await?;
        Ok(lab)
    }

    /// Attaches to a lab that another process keeps. `holder` says who we are, for those who are
    /// refused. Errors: `Busy`, `Unknown` when its keeper is gone, `Degraded` when an instance
    /// ended that nobody will start again: whatever was found there would be found in another
    /// system than the lab's document describes; `Silent` when nobody answers. Safe to give up.
    pub async fn attach(standing: &Standing, holder: &str) -> Result<Lab, LabError> {
        let attached = tokio::time::timeout(ATTACHED_WITHIN, Lab::let_in(standing, holder)).await;
        let name = standing.record.identity.name.clone();
        attached.unwrap_or(Err(LabError::Silent { name, within: ATTACHED_WITHIN }))
    }

    async fn let_in(standing: &Standing, holder: &str) -> Result<Lab, LabError> {
        let record = &standing.record;
        let layout = Layout::of(&record.spec).map_err(LabError::Wrong)?;
        let (writer, inbox) = listen(standing.connect()?.into_async()?);
        let mut lab = Lab::of(record.identity.clone(), layout, writer, inbox);
        lab.hosts.clone_from(&record.hosts);
        lab.cluster.clone_from(&record.cluster);
        lab.writer.send(&ToLab::Attach { holder: holder.to_owned() }).await?;
        match lab.inbox.recv().await {
            Some(FromLab::Attached) => lab.whole(record).await,
            Some(FromLab::Busy { holder }) => {
                Err(LabError::Busy { name: record.identity.name.clone(), holder })
            }
            _ => Err(LabError::Unknown { name: record.identity.name.clone() }),
        }
    }

    /// Errors: `Degraded`.
    async fn whole(mut self, record: &Record) -> Result<Lab, LabError> {
        let for_good = |service: &str| {
            let spec = record.spec.services.get(service);
            spec.is_none_or(|spec| spec.restart == Restart::Never)
        };
        let targets = self.targets().await?.into_iter();
        let ended = targets.filter(|t| t.process.is_none() && for_good(&t.service));
        let ended: Vec<InstanceName> = ended.map(|target| target.name).collect();
        if ended.is_empty() {
            return Ok(self);
        }
        let (name, path) = (record.identity.name.clone(), record.path.clone());
        Err(LabError::Degraded { ended, name, path })
    }

    fn of(
        identity: LabIdentity,
        layout: Layout,
        writer: ChannelWriter,
        inbox: UnboundedReceiver<FromLab>,
    ) -> Lab {
        Lab {
            identity,
            layout,
            hosts: Vec::new(),
            writer,
            inbox,
            waiting: VecDeque::new(),
            serial: 0,
            gone: false,
            init: None,
            cluster: None,
            groups: None,
        }
    }

    #[must_use]
    pub fn identity(&self) -> &LabIdentity {
        &self.identity
    }

    /// How to be born in it.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry { init: self.identity.init.clone() }
    }

    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Every host, `client` first, with its network namespace as seen from inside.
    #[must_use]
    pub fn hosts(&self) -> &[(Host, NetnsIdentity)] {
        &self.hosts
    }

    /// How its Kubernetes cluster is spoken to, where it has one.
    #[must_use]
    pub fn cluster(&self) -> Option<&LabCluster> {
        self.cluster.as_ref()
    }

    /// Every instance as it is now, by process numbers of the lab. Events that happened before the
    /// answer are waiting in [`Lab::next_event`]. Safe to give up.
    pub async fn targets(&mut self) -> Result<Vec<Target>, LabError> {
        self.serial += 1;
        let asked = self.serial;
        self.writer.send(&ToLab::Targets { serial: asked }).await?;
        loop {
            match self.inbox.recv().await {
                Some(FromLab::Targets { serial, targets }) if serial == asked => {
                    return Ok(targets);
                }
                Some(FromLab::Event(event)) => self.waiting.push_back(event),
                Some(_) => {}
                None => return Err(LabError::Died("it gave no answer".to_owned())),
            }
        }
    }

    /// The next thing that happens; `Died` once when the lab is gone, then None. Safe to give up.
    pub async fn next_event(&mut self) -> Option<LabEvent> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            match self.inbox.recv().await {
                Some(FromLab::Event(event)) => return Some(event),
                Some(_) => {}
                None if self.gone => return None,
                None => {
                    self.gone = true;
                    let why = self.how_it_died();
                    return Some(LabEvent::Died { at_ns: monotonic_ns(), why });
                }
            }
        }
    }

    /// Removes it, and returns when it is gone; one that we only attached to is let go. Parts that
    /// were born in it must be dropped or reaped first: the kernel waits for them.
    pub async fn down(mut self) -> Result<(), LabError> {
        let Some(mut init) = self.init.take() else { return Ok(()) };
        init.kill()?;
        match tokio::time::timeout(DOWN_WITHIN, init.ended()).await {
            Ok(ended) => ended.map(|_| ()).map_err(LabError::from),
            Err(_) => Err(LabError::Host(HostError::io(
                format!("remove lab `{}`", self.identity.name),
                std::io::Error::other(format!("it is still there after {DOWN_WITHIN:?}")),
            ))),
        }
    }

    async fn await_up(
        &mut self,
        place: &LabPlace,
        progress: &mut impl FnMut(&LabEvent),
    ) -> Result<(), LabError> {
        loop {
            match self.inbox.recv().await {
                Some(FromLab::Wired { hosts }) => {
                    let wired = LabEvent::Wired { at_ns: monotonic_ns(), hosts: hosts.len() };
                    self.hosts = hosts;
                    progress(&wired);
                }
                Some(FromLab::Event(event)) => progress(&event),
                Some(FromLab::Up) => return Ok(()),
                Some(FromLab::Failed { instance: None, why }) => return Err(LabError::Died(why)),
                Some(FromLab::Failed { instance: Some(instance), why }) => {
                    let tail = tail_of(&place.logs, &instance);
                    return Err(LabError::NotReady { instance, why, tail });
                }
                Some(_) => {}
                None => return Err(LabError::Died(self.how_it_died())),
            }
        }
    }

    fn how_it_died(&mut self) -> String {
        let Some(init) = &mut self.init else { return "its keeper is gone".to_owned() };
        match init.wait(LAST_WORDS_WITHIN) {
            Ok(Some(end)) => format!("its init ended: {end}"),
            Ok(None) => "its init fell silent".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

/// Reads in a task of its own: a message half read must never be given up.
fn listen(channel: AsyncChannel) -> (ChannelWriter, UnboundedReceiver<FromLab>) {
    let (mut reader, writer) = channel.split();
    let (sender, inbox) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = next(&mut reader).await {
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    (writer, inbox)
}

/// A message that cannot be read ends the conversation like a death: there is no way to go on.
async fn next(reader: &mut ChannelReader) -> Option<FromLab> {
    reader.receive().await.ok().flatten()
}

/// For appending: an instance that is started again goes on in the same log.
fn open_log(folder: &Path, instance: &InstanceName) -> Result<OwnedFd, LabError> {
    fs::create_dir_all(folder)
        .map_err(|e| HostError::io(format!("make {}", folder.display()), e))?;
    let path = log_path(folder, instance);
    let _ = fs::remove_file(&path);
    let mut options = File::options();
    let file = options
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| HostError::io(format!("open {}", path.display()), e))?;
    Ok(OwnedFd::from(file))
}

fn log_path(folder: &Path, instance: &InstanceName) -> PathBuf {
    folder.join(format!("{instance}.log"))
}

fn tail_of(folder: &Path, instance: &InstanceName) -> LogTail {
    let path = log_path(folder, instance);
    let bytes = fs::read(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(|l| l.escape_debug().to_string()).collect();
    LogTail { path, lines: lines[lines.len().saturating_sub(TAIL)..].to_vec() }
}

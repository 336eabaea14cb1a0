//! One injection as the harness holds it: its conductor, the processes of its parts, the socket at
//! which they wait at crash points, and all that was said.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use squall::fault::FaultParams;
use squall::model::binding::{Order, PeerSet};
use squall::model::cluster::ObjectIdentity;
use squall::model::id::{DrillId, InjectionId};
use squall::model::inventory::{Host, InstanceName, Target};
use squall::model::message::FromInjector;
use squall::model::units::Span;

use crate::conductor::{CRASH_FD, Said, Script};
use crate::stage::{PATIENCE, Stage};

static DRILLS: AtomicU64 = AtomicU64::new(1);

pub struct Drill {
    pub script: Script,
    conductor: Child,
    lines: Receiver<String>,
    crash: UnixStream,
    pids: BTreeMap<String, i32>,
    pub said: Vec<Said>,
}

/// `step` as it stands under `inject:`, on that object.
pub fn order(step: &str, object: ObjectIdentity) -> Order {
    let params: FaultParams = serde_saphyr::from_str(step).unwrap();
    let (kind, params) = params.canonical();
    // Over all runs: what one has left must not look like another's.
    let started = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let bits = u64::try_from(started).unwrap() ^ DRILLS.fetch_add(1, Ordering::Relaxed);
    let target = Target {
        name: InstanceName(object.words()),
        service: "faults".to_owned(),
        host: Host::nowhere(),
        port: None,
        process: None,
        netns: None,
        object: Some(object),
    };
    Order {
        injection: InjectionId { drill: DrillId::from_bits(bits), number: 1 },
        step: 0,
        kind: kind.to_owned(),
        params,
        target,
        peers: PeerSet::default(),
        seed: 7,
        deadline: Span::secs(60),
    }
}

impl Drill {
    pub fn start(stage: &Stage, order: Order, points: &str) -> Drill {
        let journals = stage.folder.path().join("here/squall/journal");
        std::fs::create_dir_all(&journals).unwrap();
        let access = stage.access();
        let script = Script { order, journals, access, hold: Span::millis(300), recover: false };
        Drill::of(script, points)
    }

    /// The next to look at the journal that another has left.
    pub fn recover(script: &Script, points: &str) -> Drill {
        Drill::of(Script { recover: true, ..script.clone() }, points)
    }

    pub fn held(stage: &Stage, order: Order, hold: Span) -> Drill {
        let mut drill = Drill::start_script(stage, order);
        drill.hold = hold;
        Drill::of(drill, "")
    }

    fn start_script(stage: &Stage, order: Order) -> Script {
        let journals = stage.folder.path().join("here/squall/journal");
        std::fs::create_dir_all(&journals).unwrap();
        let access = stage.access();
        Script { order, journals, access, hold: Span::millis(300), recover: false }
    }

    fn of(script: Script, points: &str) -> Drill {
        let (crash, crash_end) = UnixStream::pair().unwrap();
        let mut conductor = Command::new("/proc/self/exe")
            .arg("conductor")
            .arg(serde_json::to_string(&script).unwrap())
            .env("SQUALL_CRASH_POINT", points)
            .env("SQUALL_CRASH_FD", CRASH_FD.to_string())
            .stdin(Stdio::from(OwnedFd::from(crash_end)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(conductor.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let said = Vec::new();
        Drill { script, conductor, lines, crash, pids: BTreeMap::new(), said }
    }

    /// Waits until a part stands at that point.
    pub fn wait_at(&mut self, point: &str) {
        self.crash.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            let read = self.crash.read(&mut byte);
            self.hear(Duration::ZERO);
            assert!(matches!(read, Ok(1)), "nobody came to `{point}`: {:?}", self.said);
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).unwrap();
        assert!(line.trim_end().ends_with(point), "{line}");
        self.hear(Duration::from_millis(20));
    }

    pub fn release(&mut self) {
        self.crash.write_all(&[1]).unwrap();
    }

    /// SIGKILL, to each of them; `conductor` among them.
    pub fn kill(&mut self, parts: &[&str]) {
        self.hear(Duration::from_millis(20));
        for part in parts {
            if *part == "conductor" {
                let _gone = self.conductor.kill();
            } else if let Some(pid) = self.pids.get(*part) {
                let _gone = kill(Pid::from_raw(*pid), Signal::SIGKILL);
            }
        }
    }

    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&FromInjector) -> bool) -> FromInjector {
        let began = Instant::now();
        loop {
            let found = self.said.iter().find_map(|said| match said {
                Said::Heard(message) if fits(message) => Some((**message).clone()),
                _ => None,
            });
            if let Some(found) = found {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "{what} never came: {:?}", self.said);
            self.hear(Duration::from_millis(50));
        }
    }

    pub fn wait_in_force(&mut self) -> String {
        let fits = |m: &FromInjector| {
            matches!(m, FromInjector::Effective(_) | FromInjector::Failed { .. })
        };
        match self.wait_for("the fault", fits) {
            FromInjector::Effective(effective) => effective.evidence,
            other => panic!("{other:?}"),
        }
    }

    /// How it ended, once all is undone.
    pub fn wait_ended(&mut self) -> FromInjector {
        self.wait_for("an end", |m| {
            matches!(
                m,
                FromInjector::Reverted(_)
                    | FromInjector::Void { .. }
                    | FromInjector::Stuck { .. }
                    | FromInjector::Failed { .. }
            )
        })
    }

    /// Its journal is of no more use to anybody.
    pub fn forget(mut self) {
        self.kill(&["conductor", "injector", "guardian", "recovery"]);
        let _ended = self.conductor.wait();
        let drill = self.script.order.injection.drill.as_str();
        let _gone = std::fs::remove_file(self.script.journals.join(drill));
    }

    pub fn hear(&mut self, within: Duration) {
        let mut next = self.lines.recv_timeout(within).ok();
        while let Some(line) = next {
            let said: Said = serde_json::from_str(&line).unwrap();
            if let Said::Born { part, pid } = &said {
                self.pids.insert(part.clone(), *pid);
            }
            self.said.push(said);
            next = self.lines.try_recv().ok();
        }
    }
}

/// A field of what is under `spec:`.
pub fn spec<'v>(found: &'v Value, field: &str) -> &'v Value {
    &found["spec"][field]
}

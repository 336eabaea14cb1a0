//! A lab that stands by itself, drills that attach to it, and the other client in the lab's own
//! client host.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::edges::{TOLERANCE_NS, ms};

const CLIENT: &str = include_str!("client.py");

/// One Redis that is started again and has its last snapshot: what was written since is lost.
pub const FORGETFUL: &str = r#"
apiVersion: squall.dev/v1alpha1
kind: Lab
metadata: {name: forgetful}
spec:
  title: One Redis that forgets what came after its last snapshot
  services:
    redis:
      hosts: [r1]
      command: [redis-server, "{{dir}}/redis.conf"]
      package: redis-server
      port: 6379
      files:
        redis.conf: |
          bind {{host.ipv4}}
          port {{service.port}}
          dir {{dir}}
          protected-mode no
          save 1 1
          appendonly no
      ready: [{tcp: {send: "PING\r\n", expect: PONG}}]
      restart: {always: {after: 300ms}}
"#;

pub const RESTART: &str = r#"
  probes:
    writes: {redis: {address: "{{lab.redis}}", ledger: true}, rate: 200/s, deadline: 250ms}
  targets: {redis: {lab: {service: redis}}}
  steadyState: {for: 2500ms}
  method: [{at: 0s, hold: 2s, inject: {processKill: {target: redis}}}]
  hypothesis: [{dataLoss: {probe: writes, atMost: 0}}]
"#;

pub struct Stand {
    folder: tempfile::TempDir,
    lab: String,
    said: std::cell::RefCell<String>,
}

impl Stand {
    /// The shipped lab; its roles are asked more often, so that no edge is coarser than what is
    /// compared.
    pub fn of_shipped_lab() -> Stand {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/labs/redis-sentinel.yaml");
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains("every: 20ms"), "the shipped lab asks its roles differently now");
        Stand::of_lab("redis-sentinel", &text.replace("every: 20ms", "every: 5ms"))
    }

    pub fn of_lab(name: &str, text: &str) -> Stand {
        let folder = tempfile::Builder::new().prefix("squall-outside-").tempdir().unwrap();
        fs::write(folder.path().join("lab.yaml"), text).unwrap();
        let stand = Stand { folder, lab: name.to_owned(), said: std::cell::RefCell::default() };
        let up = stand.squall(&["lab", "up", "lab.yaml", "--detach"]).output().unwrap();
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        stand
    }

    fn squall(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_squall"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .stdin(Stdio::null());
        command
    }

    /// The other client on the lab's client host, in real time where we may: a client that does
    /// not run sees nothing.
    fn client(&self, args: &[&str]) -> Command {
        let mut words = vec!["lab", "exec", "client", "--", python(), "-c", CLIENT];
        words.extend(args);
        let squall = self.squall(&words);
        if !nix::unistd::geteuid().is_root() {
            return squall;
        }
        let mut command = Command::new("chrt");
        command.args(["--fifo", "5"]).arg(squall.get_program()).args(squall.get_args());
        command.current_dir(self.folder.path());
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// Runs a drill on the standing lab; its exit code.
    pub fn drill(&self, spec: &str) -> Option<i32> {
        let text = format!(
            "apiVersion: squall.dev/v1alpha1\nkind: Experiment\nmetadata: {{name: outside}}\nspec:\n  \
             title: seen from outside\n  lab: lab.yaml\n{spec}"
        );
        fs::write(self.folder.path().join("drill.yaml"), text).unwrap();
        let ran = self.squall(&["run", "drill.yaml", "--out", "out"]).output().unwrap();
        let text = [ran.stdout.as_slice(), &ran.stderr].concat();
        *self.said.borrow_mut() = String::from_utf8_lossy(&text).into_owned();
        assert!(self.says().contains("attached to standing lab"), "{}", self.says());
        ran.status.code()
    }

    pub fn drill_watched(&self, spec: &str, roads: &Value) -> Watched {
        let mut roads = roads.clone();
        for road in roads.as_object_mut().unwrap().values_mut() {
            road["rate"] = json!(1000);
            road["deadlineMs"] = json!(250);
        }
        let roles: Vec<String> = (12..15).map(|n| format!("10.66.0.{n}:6379")).collect();
        let order = json!({"roads": roads, "roles": roles, "everyMs": 5}).to_string();
        let mut watcher = Watcher::start(self.client(&["watch", &order]));
        let code = self.drill(spec);
        // Whatever the verdict (a busy machine makes it inconclusive): the edges must be right.
        assert!(matches!(code, Some(0 | 4 | 5)), "exit {code:?}\n{}", self.says());
        watcher.finish()
    }

    /// All that the last drill printed.
    pub fn says(&self) -> String {
        self.said.borrow().clone()
    }

    pub fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.out().join("report.json")).unwrap()).unwrap()
    }

    pub fn lost_as_reported(&self, probe: &str) -> BTreeSet<u64> {
        let ledger = &self.report()["probes"][probe]["ledger"];
        let lost: BTreeSet<u64> = numbers(&ledger["lostEntries"]);
        assert_eq!(ledger["lost"].as_u64().unwrap(), lost.len() as u64, "the list was cut");
        lost
    }

    /// What the other reader misses on the one primary that is left.
    pub fn lost_as_read(&self, probe: &str) -> BTreeSet<u64> {
        let hosts = if self.lab == "forgetful" { 11..12 } else { 12..15 };
        let instances: Vec<String> = hosts.map(|n| format!("10.66.0.{n}:6379")).collect();
        let order = json!({"probe": probe, "instances": instances}).to_string();
        let history = fs::File::open(self.out().join("history.jsonl")).unwrap();
        let read = self.client(&["lost", &order]).stdin(history).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let read: Value = serde_json::from_slice(&read.stdout).unwrap();
        let acknowledged = &self.report()["probes"][probe]["ledger"]["acknowledged"];
        assert_eq!(&read["acknowledged"], acknowledged);
        numbers(&read["lost"])
    }

    /// Every line of the Sentinels, on the shared clock.
    pub fn sentinel_log(&self, watched: &Watched) -> Vec<(i64, String)> {
        let logs = self.folder.path().join("state/squall/labs").join(&self.lab).join("logs");
        let read = Command::new(python()).args(["-c", CLIENT, "log"]).arg(logs).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let lines: Vec<Value> = serde_json::from_slice(&read.stdout).unwrap();
        let line = |l: &Value| {
            let wall = l["wallNs"].as_i64().unwrap();
            (wall - watched.wall_offset(), l["event"].as_str().unwrap().to_owned())
        };
        lines.iter().map(line).collect()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        let _ = self.squall(&["lab", "down", &self.lab, "--force"]).output();
    }
}

fn numbers(list: &Value) -> BTreeSet<u64> {
    list.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect()
}

/// The system's own Python, as every Debian has it where anything uses it.
fn python() -> &'static str {
    let path = "/usr/bin/python3";
    assert!(Path::new(path).exists(), "python3 is missing: apt-get install python3");
    path
}

struct Watcher {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watcher {
    /// Returns once it sees the system well.
    fn start(mut command: Command) -> Watcher {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "watching\n");
        Watcher { child, lines }
    }

    fn finish(&mut self) -> Watched {
        let mut stdin = self.child.stdin.take().unwrap();
        stdin.flush().unwrap();
        drop(stdin);
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(self.child.wait().unwrap().success());
        Watched(serde_json::from_str(&line).unwrap())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the other client saw.
pub struct Watched(Value);

impl Watched {
    /// Outages that ended, on the shared clock.
    pub fn outages(&self, road: &str) -> Vec<(i64, i64)> {
        let outages = self.0["roads"][road]["outages"].as_array().unwrap();
        let ended = |o: &Value| Some((o["fromNs"].as_i64()?, o["toNs"].as_i64()?));
        outages.iter().filter_map(ended).collect()
    }

    /// When an instance first called itself primary after that time.
    pub fn first_promotion(&self, after_ns: i64) -> i64 {
        let changes = self.0["roles"].as_array().unwrap();
        let promoted = changes.iter().filter(|c| c["role"] == "master");
        let times = promoted.map(|c| c["atNs"].as_i64().unwrap());
        times.filter(|at| *at > after_ns).min().expect("nobody was promoted")
    }

    /// From the shared clock to the wall's; it must not have been set meanwhile.
    pub fn wall_offset(&self) -> i64 {
        let offsets: Vec<i64> = self.0["clocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["wallNs"].as_i64().unwrap() - c["monotonicNs"].as_i64().unwrap())
            .collect();
        assert!((offsets[0] - offsets[1]).abs() < 2_000_000, "the wall clock was set: {offsets:?}");
        offsets[0]
    }

    /// Squall's time and the other client's for the same edge.
    pub fn sees(&self, edge: &str, ours: i64, theirs: i64) -> Result<(), String> {
        eprintln!("{edge}: {:+.1} ms", ms(ours - theirs));
        if (ours - theirs).abs() <= TOLERANCE_NS {
            return Ok(());
        }
        self.was_awake(ours.min(theirs), ours.max(theirs))?;
        Err(format!("{edge}: squall {ours}, the other client {theirs}, {} ms", ms(ours - theirs)))
    }

    /// Errors: the other client itself stood still there and cannot contradict anybody.
    pub fn was_awake(&self, from: i64, to: i64) -> Result<(), String> {
        let asleep = |l: &&Value| {
            l["toNs"].as_i64().unwrap() >= from - TOLERANCE_NS
                && l["fromNs"].as_i64().unwrap() <= to + TOLERANCE_NS
        };
        match self.0["late"].as_array().unwrap().iter().find(asleep) {
            Some(late) => Err(format!("blind: the other client did not run: {late}")),
            None => Ok(()),
        }
    }
}

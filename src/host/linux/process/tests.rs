//! Against real children.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::*;

const SOON: Duration = Duration::from_secs(5);

/// A child that is killed and reaped whatever becomes of the test.
struct Kid(Child);

impl Drop for Kid {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Kid {
    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

fn sleeper() -> Kid {
    Kid(Command::new("sleep").arg("60").spawn().unwrap())
}

fn processes() -> LinuxProcesses {
    LinuxProcesses::new().unwrap()
}

#[test]
fn a_process_stops_continues_and_dies_as_told() {
    let kid = sleeper();
    let host = processes();
    let who = host.identify(kid.pid()).unwrap();
    assert_eq!(host.state(&who).unwrap(), RunState::Running);
    assert_eq!(host.wait(&who, RunState::Stopped, Duration::from_millis(5)).unwrap(), None);

    host.signal(&who, libc::SIGSTOP).unwrap();
    assert!(host.wait(&who, RunState::Stopped, SOON).unwrap().is_some());
    assert_eq!(host.wait(&who, RunState::Gone, Duration::from_millis(5)).unwrap(), None);

    host.signal(&who, libc::SIGCONT).unwrap();
    assert!(host.wait(&who, RunState::Running, SOON).unwrap().is_some());

    let before = monotonic_ns();
    host.signal(&who, libc::SIGKILL).unwrap();
    let at = host.wait(&who, RunState::Gone, SOON).unwrap().unwrap();
    assert!((before..=monotonic_ns()).contains(&at));
    // Not reaped yet: a zombie is gone all the same, and cannot come back.
    assert_eq!(host.state(&who).unwrap(), RunState::Gone);
    assert!(matches!(host.identify(kid.pid()), Err(HostError::Gone(_))));
    assert_eq!(host.wait(&who, RunState::Running, SOON).unwrap(), None);
}

#[test]
fn another_process_with_the_number_is_never_touched() {
    let mut kid = sleeper();
    let host = processes();
    let who = host.identify(kid.pid()).unwrap();
    let earlier = ProcessIdentity { start_ticks: who.start_ticks - 1, ..who.clone() };
    let other_boot = ProcessIdentity { boot: BootId("another".to_owned()), ..who.clone() };
    for stranger in [earlier, other_boot] {
        assert!(matches!(host.signal(&stranger, libc::SIGKILL), Err(HostError::Gone(_))));
        assert!(matches!(host.tree(&stranger), Err(HostError::Gone(_))));
        assert_eq!(host.state(&stranger).unwrap(), RunState::Gone);
        assert!(host.wait(&stranger, RunState::Gone, SOON).unwrap().is_some());
    }
    assert!(kid.0.try_wait().unwrap().is_none(), "the stranger was hit");
}

/// It may be alive where its number counts, so it is neither touched nor called gone.
#[test]
fn a_number_of_another_pid_namespace_is_refused_in_every_question() {
    let mut kid = sleeper();
    let host = processes();
    let who = host.identify(kid.pid()).unwrap();
    assert_ne!(who.pid_namespace, 0);
    let other = ProcessIdentity { pid_namespace: who.pid_namespace + 1, ..who.clone() };
    let denied = |result: Result<(), HostError>| {
        assert!(matches!(result, Err(HostError::Denied { .. })), "{result:?}");
    };
    denied(host.signal(&other, libc::SIGKILL));
    denied(host.tree(&other).map(drop));
    denied(host.state(&other).map(drop));
    for state in [RunState::Gone, RunState::Running] {
        denied(host.wait(&other, state, SOON).map(drop));
    }
    assert!(kid.0.try_wait().unwrap().is_none(), "the stranger was hit");
    let unknown = ProcessIdentity { pid_namespace: 0, ..who };
    assert_eq!(host.state(&unknown).unwrap(), RunState::Running, "as recorded before");
}

#[test]
fn numbers_that_nobody_can_have_are_gone() {
    let host = processes();
    for pid in [0, -1, i32::MAX] {
        assert!(matches!(host.identify(pid), Err(HostError::Gone(_))), "{pid}");
        let who = host.named(pid, &stat_of(1).unwrap().unwrap());
        assert!(matches!(host.signal(&who, libc::SIGKILL), Err(HostError::Gone(_))), "{pid}");
    }
}

#[test]
fn a_signal_that_is_none_is_an_error() {
    let kid = sleeper();
    let host = processes();
    let who = host.identify(kid.pid()).unwrap();
    assert!(matches!(host.signal(&who, 4711), Err(HostError::Io { .. })));
}

#[test]
fn a_tree_has_parents_first_and_nobody_else() {
    let bystander = sleeper();
    let mut root = Kid(Command::new("sh")
        .args(["-c", "sh -c 'sleep 60 & echo ready; wait' & wait"])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap());
    let mut line = String::new();
    BufReader::new(root.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let host = processes();
    let tree = host.tree(&host.identify(root.pid()).unwrap()).unwrap();
    assert_eq!(tree.len(), 3, "{tree:?}");
    assert_eq!(tree[0].pid, root.pid());
    assert_eq!(stat_of(tree[1].pid).unwrap().unwrap().parent, tree[0].pid);
    assert_eq!(stat_of(tree[2].pid).unwrap().unwrap().parent, tree[1].pid);
    assert!(tree.iter().all(|t| t.pid != bystander.pid()));
    // A parent may end by itself as soon as its child has.
    for member in tree.iter().rev() {
        let sent = host.signal(member, libc::SIGKILL);
        assert!(matches!(sent, Ok(()) | Err(HostError::Gone(_))), "{sent:?}");
    }
}

#[test]
fn one_running_thread_makes_a_process_running() {
    // The leader ends and another thread goes on: /proc/PID/stat says Z, yet it lives.
    let script = "import threading,ctypes,time\n\
        threading.Thread(target=lambda:(print('up',flush=True),time.sleep(60))).start()\n\
        ctypes.CDLL(None).syscall(60,0)\n";
    let mut kid =
        Kid(Command::new("python3").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(kid.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let deadline = monotonic_ns() + nanos(SOON);
    while stat_of(kid.pid()).unwrap().unwrap().state != 'Z' {
        assert!(monotonic_ns() < deadline, "the leader did not end");
    }
    let stat = stat_of(kid.pid()).unwrap().unwrap();
    let who = processes().named(kid.pid(), &stat);
    assert_eq!(processes().state(&who).unwrap(), RunState::Running);
    assert_eq!(processes().wait(&who, RunState::Gone, Duration::from_millis(5)).unwrap(), None);
}

#[test]
fn a_name_with_parentheses_and_spaces_misleads_nobody() {
    let mut kid = Kid(Command::new("sh")
        .args(["-c", "printf '%s' \"a) Z (1 ) 9\" > /proc/self/comm; echo; read x"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap());
    let mut line = String::new();
    BufReader::new(kid.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let who = processes().identify(kid.pid()).unwrap();
    assert_eq!(processes().state(&who).unwrap(), RunState::Running);
    let parent = i32::try_from(std::process::id()).unwrap();
    assert_eq!(stat_of(kid.pid()).unwrap().unwrap().parent, parent);
    kid.0.stdin.take().unwrap().write_all(b"\n").unwrap();
}

#[test]
fn stat_fields_count_from_behind_the_name() {
    let fields: Vec<String> = (4..=52).map(|n| n.to_string()).collect();
    let stat = parse_stat(&format!("7 (x) S 1) S {}", fields.join(" "))).unwrap();
    assert_eq!(stat, Stat { state: 'S', parent: 4, start_ticks: 22 });
    assert_eq!(parse_stat("7 (x) S 1"), None);
}

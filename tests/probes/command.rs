//! `command`: endings, output, time, and what it leaves behind.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use squall::model::observation::ErrorClass;
use squall::probe::find;

use crate::support::look::{PATIENCE, look, setting};
use crate::support::wait_for;

fn run(params: &Value) -> Result<(), ErrorClass> {
    look("command", params, &[]).answer
}

#[test]
fn the_exit_status_and_the_output_decide() {
    assert_eq!(run(&json!({"run": ["true"]})), Ok(()));
    assert_eq!(run(&json!({"run": ["false"]})), Err(ErrorClass::WrongAnswer));
    assert_eq!(run(&json!({"run": ["false"], "status": 1})), Ok(()));
    assert_eq!(run(&json!({"run": ["echo", "a  b"], "expect": "^a  b\n$"})), Ok(()));
    assert_eq!(run(&json!({"run": ["echo", "a"], "expect": "b"})), Err(ErrorClass::WrongAnswer));
    assert_eq!(run(&json!({"run": ["sh", "-c", "kill -9 $$"]})), Err(ErrorClass::WrongAnswer));
}

fn unfit(params: &Value) -> String {
    find("command").unwrap().build(params, setting(&[])).err().unwrap()
}

#[test]
fn a_program_that_is_missing_is_found_out_before_the_first_slot() {
    let folder = tempfile::TempDir::new().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let plain = plain.to_str().unwrap();
    for path in ["/nowhere/program", plain, "/etc"] {
        let why = unfit(&json!({"run": [path]}));
        assert!(why.starts_with(&format!("{path} is no program")), "{why}");
        assert!(why.contains("install it, or mend `run`"), "{why}");
    }
    let why = unfit(&json!({"run": ["no-such-program-here"]}));
    assert!(why.starts_with("no program `no-such-program-here` in PATH; install it"), "{why}");
    let own = json!({"run": ["true"], "env": {"PATH": folder.path().to_str().unwrap()}});
    assert!(unfit(&own).contains("in PATH"), "its own PATH is the one that counts");
    assert_eq!(run(&json!({"run": ["true"], "env": {"PATH": "/bin:/usr/bin"}})), Ok(()));
}

#[test]
fn a_program_that_cannot_start_is_our_fault() {
    let folder = tempfile::TempDir::new().unwrap();
    let script = folder.path().join("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(run(&json!({"run": [script.to_str().unwrap()]})), Err(ErrorClass::Ours));
}

#[test]
fn much_output_neither_blocks_nor_is_kept() {
    let seq = json!({"run": ["seq", "1", "1000000"], "expect": "^1\n2\n"});
    assert_eq!(run(&seq), Ok(()));
    let end = json!({"run": ["seq", "1", "1000000"], "expect": "\n1000000\n"});
    assert_eq!(run(&end), Err(ErrorClass::WrongAnswer));
}

#[test]
fn its_time_is_up_and_the_whole_group_dies() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("pid");
    // A child of its own that ignores everything but a kill.
    let script =
        format!("(trap '' TERM HUP; echo $BASHPID > {f}; sleep 60) & wait", f = file.display());
    let began = squall::host::linux::clock::monotonic_ns();
    let seen = look("command", &json!({"run": ["bash", "-c", script]}), &[]);
    assert_eq!(seen.answer, Err(ErrorClass::Timeout));
    let patience = u64::try_from(PATIENCE.as_nanos()).unwrap();
    assert!((patience..patience + 400_000_000).contains(&(seen.done_ns - began)));
    let grandchild = std::fs::read_to_string(&file).unwrap();
    wait_for("the grandchild to die", 2, || gone(grandchild.trim()).then_some(()));
}

#[test]
fn a_grandchild_that_holds_the_pipe_delays_nothing_and_is_killed() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("pid");
    let script = format!("sleep 60 & echo $! > {}; echo done", file.display());
    let began = squall::host::linux::clock::monotonic_ns();
    let seen = look("command", &json!({"run": ["bash", "-c", script], "expect": "done"}), &[]);
    assert_eq!(seen.answer, Ok(()));
    assert!(seen.done_ns - began < 400_000_000);
    let grandchild = std::fs::read_to_string(&file).unwrap();
    wait_for("the grandchild to die", 2, || gone(grandchild.trim()).then_some(()));
}

#[test]
fn its_environment_is_what_it_was_given() {
    let secret = [("env:TOKEN", "canary-5d1e")];
    let params = json!({
        "run": ["sh", "-c", "env | sort | tr '\n' ' '"],
        "env": {"COLOUR": "red"},
        "secretEnv": {"T": {"env": "TOKEN"}},
        "expect": "^COLOUR=red LANG=C PATH=[^ ]+ PWD=[^ ]+ T=canary-5d1e $",
    });
    assert_eq!(look("command", &params, &secret).answer, Ok(()));
    let why = find("command").unwrap().build(&params, setting(&[])).err().unwrap();
    assert!(why.contains("env:TOKEN"), "{why}");
}

fn gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

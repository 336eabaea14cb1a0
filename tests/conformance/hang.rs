//! Parts that hang: SIGSTOP in the middle of a fault. Whoever still runs ends it within the lease.

use std::sync::LazyLock;
use std::time::Duration;

use rustix::process::Signal;
use squall::drill::run::LEASE;
use squall::host::linux::clock::monotonic_ns;
use squall::host::process::RunState;
use squall::model::experiment::{Defence, Restore};
use squall::model::message::FromInjector;
use squall::model::units::Span;

use crate::drill::{Drill, is, nanos};
use crate::fixture::Fixture;
use crate::matrix::everything;
use crate::order::{of_labs, pause};
use crate::script::{Answer, Ask, Said, Tell};
use crate::slow::unless_slow;

/// What the lease may be missed by, of our own making.
const LATE: Duration = Duration::from_millis(100);
/// What a busy machine of two cores, and our own looking, may add.
static SLACK: LazyLock<Duration> = LazyLock::new(|| {
    unless_slow(Duration::from_millis(400), Duration::from_secs(8), "the slack of a lease")
});
/// How long a guardian waits for an injector that is late with an undo.
const PATIENCE: Duration = Duration::from_secs(1);
/// The deadline that the kernel holds where everybody hangs.
const DEADLINE: Span = Span::millis(1500);

pub fn a_part_that_hangs_is_replaced_within_its_lease(fixture: &mut Fixture) {
    let mut tried: Vec<&[Defence]> = Vec::new();
    let mut left = 0;
    for fault in of_labs().into_iter().filter(|fault| fault.restore() != Restore::None) {
        // Three leases for each fault: one of each kind will do, unless everything is asked for.
        if tried.contains(&fault.defence()) && !everything() {
            left += 3;
            continue;
        }
        tried.push(fault.defence());
        for hangs in ["injector", "guardian", "conductor"] {
            let mut drill = Drill::of(fixture, fault).hold().start();
            drill.wait_in_force();
            let since = monotonic_ns();
            drill.signal(hangs, Signal::STOP);
            let what = format!("{} with a {hangs} that hangs", fault.kind());
            let took = until_gone(fixture, &mut drill, since, &what);
            let limit = LEASE.0 + LATE + *SLACK;
            assert!(took <= limit, "{what}: undone after {took:?}, more than {limit:?}");
            println!("  {what}: undone after {took:?}");
            // The hung one comes back to an ended drill, and ends.
            drill.signal(hangs, Signal::CONT);
            fixture.until_closed(&mut drill);
            fixture.forget(&drill);
        }
    }
    println!("  {left} cases more in `make matrix`");
}

/// It beats as ever and does not undo: the guardian waits a second beyond the deadline, no lease.
pub fn an_injector_that_overstays_a_deadline_is_replaced(fixture: &mut Fixture) {
    let point = "injector: revert ordered";
    let setup = Drill::of(fixture, pause()).hold().deadline(DEADLINE).stopping_at(&[point]);
    let mut drill = setup.start();
    let since = monotonic_ns();
    // Of itself, at its deadline; and there it stays.
    drill.wait_at(point);
    let late = monotonic_ns();
    assert!(late >= since + DEADLINE.nanos(), "it reverts before its deadline");
    let took = until_gone(fixture, &mut drill, late, "an injector that overstays its deadline");
    let limit = PATIENCE + LATE + *SLACK;
    assert!(took <= limit, "replaced after {took:?}, more than {limit:?}");
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);
}

/// A guardian that was stopped while all was undone must not undo it again when it wakes: the
/// target may be somebody else's by then.
pub fn a_guardian_that_wakes_late_undoes_nothing_again(fixture: &mut Fixture) {
    let mut drill = Drill::of(fixture, pause()).hold().start();
    drill.wait_in_force();
    let since = monotonic_ns();
    drill.signal("guardian", Signal::STOP);
    drill.kill(&["conductor"]);
    let target = drill.script.order.target.process.clone().unwrap();
    while fixture.state_of(&target) != RunState::Running
        || fixture.open(&drill.script.drill) > 0
        || fixture.processes().parts().len() > 1
    {
        assert!(monotonic_ns() < since + nanos(LEASE.0), "the injector does not revert and go");
    }
    fixture.stop(&target);
    // Not for anything to be ready: the lease itself has to run out.
    drill.listen_until(since + nanos(LEASE.0 + LATE));
    drill.signal("guardian", Signal::CONT);
    fixture.until_closed(&mut drill);
    assert_eq!(fixture.state_of(&target), RunState::Stopped, "it was undone a second time");
    fixture.signal(&target, libc::SIGCONT);
    fixture.forget(&drill);
}

/// Two processes that do not die of a polite signal, and an injector that waits for both: its
/// guardian must not take that for a hang.
pub fn an_injector_that_is_long_at_a_verb_is_not_replaced(fixture: &mut Fixture) {
    let target = fixture.target("deaf@b");
    let kill = squall::fault::find("processKill").unwrap();
    let setup = Drill::of(fixture, kill).on_target(target.clone());
    let mut drill = setup.param("signal", "SIGTERM").param("scope", "tree").start();
    drill.wait_for("a failure", |said| is(said, |m| matches!(m, FromInjector::Failed { .. })));
    drill.wait_for("its end", |said| *said == Said::Ended);
    let lost = |said: &Said| match said {
        Said::Lost(part) => part == "injector",
        said => is(said, |m| matches!(m, FromInjector::PartLost { .. })),
    };
    assert!(!drill.said.iter().any(lost), "{:?}", drill.said);
    assert_eq!(fixture.state_of(&target.process.unwrap()), RunState::Running);
    fixture.until_closed(&mut drill);
    fixture.forget(&drill);
}

/// Somebody else keeps packets out, so that no look after an undo finds the world as it was. Each
/// try is shorter than a lease and all of them are longer: neither injector nor guardian may take
/// the other for hung, or be taken for it.
pub fn an_undo_that_is_tried_again_and_again_is_no_hang(fixture: &mut Fixture) {
    let cut = squall::fault::find("networkPartition").unwrap();
    let mut drill = Drill::of(fixture, cut).hold().start();
    drill.wait_in_force();
    let netns = drill.script.order.target.netns.as_ref().unwrap().path.clone();
    let rules = |fixture: &mut Fixture, nft: &str| {
        let answer = fixture.ask(&Ask::Rules { netns: netns.clone(), nft: nft.to_owned() });
        assert!(matches!(answer, Answer::Done), "{answer:?}");
    };
    let hook = "type filter hook input priority -10; policy drop;";
    let chain = format!("add chain inet foreign in {{ {hook} }}");
    rules(fixture, &format!("add table inet foreign; {chain}"));
    let began = monotonic_ns();
    drill.tell(Tell::EndHold);
    drill.wait_for("its end", |said| *said == Said::Ended);
    let took = Duration::from_nanos(monotonic_ns() - began);
    assert!(took > LEASE.0 * 2, "twice three tries are longer than a lease: {took:?}");
    let lost = drill.said.iter().filter_map(|said| match said {
        Said::Heard(message) => match &**message {
            FromInjector::PartLost { part, why } => Some((part.as_str(), why.as_str())),
            _ => None,
        },
        _ => None,
    });
    let lost: Vec<_> = lost.collect();
    assert_eq!(lost, [("injector", "it could not undo everything")]);
    assert!(drill.said.iter().any(|s| is(s, |m| matches!(m, FromInjector::Stuck { .. }))));
    rules(fixture, "delete table inet foreign");
    let (code, text) = fixture.undo();
    assert!(code == 0 && text.contains("reverted"), "{code}: {text}");
    fixture.forget(&drill);
}

/// The injector dies between its word to the journal and its word to the guardian. The target may
/// be somebody else's by then.
pub fn what_the_journal_has_closed_is_not_undone_again(fixture: &mut Fixture) {
    let point = "injector: journalled reverted, guardian not told";
    let mut drill = Drill::of(fixture, pause()).stopping_at(&[point]).start();
    drill.wait_at(point);
    let target = drill.script.order.target.process.clone().unwrap();
    fixture.stop(&target);
    drill.kill(&["injector"]);
    fixture.until_closed(&mut drill);
    assert_eq!(fixture.state_of(&target), RunState::Stopped, "it was undone a second time");
    fixture.signal(&target, libc::SIGCONT);
    fixture.forget(&drill);
}

/// The last line that needs no process: the deadline that lies in the kernel.
pub fn the_kernel_ends_what_all_hang_over(fixture: &mut Fixture) {
    let held = of_labs().into_iter().filter(|f| f.defence().contains(&Defence::Kernel));
    for fault in held {
        let mut drill = Drill::of(fixture, fault).hold().deadline(DEADLINE).start();
        let since = monotonic_ns();
        drill.wait_in_force();
        for part in ["guardian", "injector", "conductor"] {
            drill.signal(part, Signal::STOP);
        }
        assert!(!fixture.look().kernel.is_empty(), "{} is not in force", fault.kind());
        let limit = since + DEADLINE.nanos() + nanos(LATE + *SLACK + *SLACK);
        while !fixture.look().blocked.is_empty() {
            assert!(monotonic_ns() < limit, "{} is in force after its deadline", fault.kind());
        }
        for part in ["guardian", "injector", "conductor"] {
            drill.signal(part, Signal::CONT);
        }
        drill.tell(Tell::Revert);
        fixture.until_closed(&mut drill);
        fixture.forget(&drill);
    }
}

/// How long it took until nothing of the fault was in the world.
fn until_gone(fixture: &mut Fixture, drill: &mut Drill, since: u64, what: &str) -> Duration {
    let limit = since + nanos(LEASE.0 + Duration::from_secs(3) + *SLACK);
    loop {
        let began = monotonic_ns();
        let scene = fixture.look();
        let target = drill.script.order.target.process.as_ref().unwrap();
        // A hung part is stopped too; here only the target counts.
        if scene.kernel.is_empty() && scene.blocked.is_empty() && !scene.is_stopped(target) {
            return Duration::from_nanos(monotonic_ns() - since);
        }
        assert!(began < limit, "{what}: still there: {:?}", scene.of_ours());
    }
}

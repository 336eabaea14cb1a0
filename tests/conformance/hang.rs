//! Parts that hang: SIGSTOP in the middle of a fault. Whoever still runs ends it within the lease.

use std::time::Duration;

use rustix::process::Signal;
use squall::drill::run::LEASE;
use squall::fault::CATALOGUE;
use squall::host::linux::clock::monotonic_ns;
use squall::model::experiment::{Defence, Restore};
use squall::model::units::Span;

use crate::drill::{Drill, nanos};
use crate::fixture::Fixture;
use crate::script::Tell;

/// What the lease may be missed by, of our own making.
const LATE: Duration = Duration::from_millis(100);
/// What a busy machine of two cores, and our own looking, may add.
const SLACK: Duration = Duration::from_millis(400);
/// The deadline that the kernel holds where everybody hangs.
const DEADLINE: Span = Span::millis(1500);

pub fn a_part_that_hangs_is_replaced_within_its_lease(fixture: &mut Fixture) {
    let can_stay = CATALOGUE.iter().copied().filter(|fault| fault.restore() != Restore::None);
    for fault in can_stay {
        for hangs in ["injector", "guardian", "conductor"] {
            let mut drill = Drill::of(fixture, fault).hold().start();
            drill.wait_in_force();
            let since = monotonic_ns();
            drill.signal(hangs, Signal::STOP);
            let what = format!("{} with a {hangs} that hangs", fault.kind());
            let took = until_gone(fixture, &mut drill, since, &what);
            let limit = LEASE.0 + LATE + SLACK;
            assert!(took <= limit, "{what}: undone after {took:?}, more than {limit:?}");
            println!("  {what}: undone after {took:?}");
            // The hung one comes back to an ended drill, and ends.
            drill.signal(hangs, Signal::CONT);
            fixture.until_closed(&mut drill);
            fixture.forget(&drill);
        }
    }
}

/// The last line that needs no process: the deadline that lies in the kernel.
pub fn the_kernel_ends_what_all_hang_over(fixture: &mut Fixture) {
    let held = CATALOGUE.iter().copied().filter(|f| f.defence().contains(&Defence::Kernel));
    for fault in held {
        let mut drill = Drill::of(fixture, fault).hold().deadline(DEADLINE).start();
        let since = monotonic_ns();
        drill.wait_in_force();
        for part in ["guardian", "injector", "conductor"] {
            drill.signal(part, Signal::STOP);
        }
        assert!(!fixture.look().kernel.is_empty(), "{} is not in force", fault.kind());
        let limit = since + DEADLINE.nanos() + nanos(LATE + SLACK + SLACK);
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
    let limit = since + nanos(LEASE.0 + Duration::from_secs(3));
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

//! The matrix: every fault x every crash point x who dies there. After each kill the lab is polled
//! until nothing of ours is in it, and the journal says so too.

use std::sync::LazyLock;
use std::time::Duration;

use squall::fault::Fault;
use squall::host::linux::clock::monotonic_ns;
use squall::injection::crash::POINTS;
use squall::injection::journal::JournalRecord;
use squall::model::experiment::Defence;

use crate::drill::{Drill, nanos};
use crate::fixture::Fixture;
use crate::order::of_labs;
use crate::slow::unless_slow;
use crate::table::{Outcome, Restored, Table};
use crate::who::Who;

/// Whatever is done about a death is done by then.
static CLEAN_WITHIN: LazyLock<Duration> = LazyLock::new(|| {
    unless_slow(Duration::from_secs(1), Duration::from_secs(10), "the time to be gone in")
});
/// Of so many cases of the matrix one is tried: a number that divides none of the counts, so that
/// every fault, every point and everyone who dies is met.
static ONE_OF: LazyLock<usize> = LazyLock::new(|| unless_slow(1, 23, "one case is tried of"));

/// Two kills for one fault only, unless everything is asked for: what differs between faults is in
/// their undo, and that the first matrix tries at every point.
const TWICE: &str = "processPause";

/// One point for each pair of what the journal says and what the world is like that the next undo
/// can meet: armed/not, armed/in force, active/in force, active/undone, reverting, reverted.
const FIRST_KILLS: &[&str] = &[
    "injector: journalled, not guarded",
    "injector: injected, not journalled",
    "injector: journalled active, not verified",
    "injector: undone, not verified",
    "injector: journalled reverting",
    "injector: journalled reverted, guardian not told",
];

/// One kill, or one after the other: at each point, who dies there.
struct Case<'a> {
    fault: &'a dyn Fault,
    kills: Vec<(&'static str, Who)>,
}

pub fn every_fault_is_undone_at_every_crash_point_whoever_dies(fixture: &mut Fixture) {
    let mut table = Table::default();
    let (mut met, mut left) = (0, 0);
    for fault in faults() {
        for point in POINTS.iter().copied() {
            for who in Who::ALL.into_iter().filter(|who| who.can_die_at(point)) {
                met += 1;
                if met % *ONE_OF != 0 {
                    left += 1;
                    continue;
                }
                let case = Case { fault, kills: vec![(point, who)] };
                table.add(Outcome { fault: fault.kind(), point, who, restored: case.run(fixture) });
            }
        }
    }
    println!("  {} cases, {left} left out", table.len());
    table.write();
}

pub fn every_fault_is_undone_when_whoever_undoes_it_dies_too(fixture: &mut Fixture) {
    let (mut met, mut ran, mut left) = (0, 0, 0);
    for fault in faults() {
        for first in FIRST_KILLS.iter().copied() {
            let seconds = POINTS.iter().copied().filter(|p| !p.starts_with("injector"));
            for second in seconds {
                if !everything() && fault.kind() != TWICE {
                    left += 1;
                    continue;
                }
                let kills = if second.starts_with("guardian") {
                    vec![(first, Who::Injector), (second, Who::All)]
                } else {
                    vec![(first, Who::Both), (second, Who::Recovery)]
                };
                let closed = first.contains("journalled reverted");
                if closed && !["guardian: took over", "recovery: opened"].contains(&second) {
                    // Nothing is open, so nobody comes this far.
                    continue;
                }
                met += 1;
                if met % *ONE_OF != 0 {
                    left += 1;
                    continue;
                }
                Case { fault, kills }.run(fixture);
                ran += 1;
            }
        }
    }
    println!("  {ran} cases; {left} more in `make matrix`");
}

/// All of the catalogue, or the one that `SQUALL_FAULT` names.
fn faults() -> Vec<&'static dyn Fault> {
    let only = std::env::var("SQUALL_FAULT").ok();
    let wanted = |fault: &&dyn Fault| only.as_deref().is_none_or(|only| only == fault.kind());
    let faults: Vec<_> = of_labs().into_iter().filter(wanted).collect();
    assert!(!faults.is_empty(), "no fault is called {only:?}");
    faults
}

/// Was everything asked for, as `make matrix` does?
pub fn everything() -> bool {
    std::env::var_os("SQUALL_MATRIX").is_some()
}

impl Case<'_> {
    /// Panics with the whole case when something is left, or when the wrong one undid it.
    fn run(&self, fixture: &mut Fixture) -> Restored {
        let words = self.kills.iter().map(|(point, who)| format!("{who} at `{point}`"));
        let name =
            format!("{}, killed: {}", self.fault.kind(), words.collect::<Vec<_>>().join(", then "));
        let points: Vec<&str> = self.kills.iter().map(|(point, _)| *point).collect();
        let first = points[0];
        let prober = self.kills.iter().any(|(_, who)| who.kills("prober"));
        let mut setup = Drill::of(fixture, self.fault).with_prober(prober).stopping_at(&points);
        if !first.starts_with("injector") {
            setup = setup.hold();
        }
        let mut drill = setup.start();
        // Others have to die first, for the guardian or the recovery to have something to do.
        if first.starts_with("guardian") {
            drill.wait_in_force();
            drill.kill(&["injector"]);
        } else if first.starts_with("recovery") {
            drill.wait_in_force();
            drill.kill(&["injector", "guardian"]);
        }
        let mut killed_ns = 0;
        let mut dead: Vec<&str> = Vec::new();
        for (point, who) in &self.kills {
            drill.wait_at(point);
            killed_ns = drill.kill(who.parts());
            dead.extend(who.parts());
            let stands = point.split(':').next().unwrap();
            if !who.kills(stands) {
                drill.release();
            }
        }
        let last = self.kills.last().unwrap();
        let restored = if last.1 == Who::All {
            self.after_all(fixture, &mut drill, killed_ns)
        } else {
            until_clean(fixture, &mut drill, killed_ns)
        };
        let restored = restored.unwrap_or_else(|left| {
            let records = fixture.records(&drill.script.drill);
            panic!(
                "{name}: left after {:?}: {left:#?}\n{records:#?}\n{:#?}",
                *CLEAN_WITHIN, drill.said
            )
        });
        assert_eq!(restored.by, self.expected(), "{name}: {:?}", drill.said);
        fixture.forget(&drill);
        restored
    }

    /// Nobody is left but the kernel; the rest waits for the next start.
    fn after_all(
        &self,
        fixture: &mut Fixture,
        drill: &mut Drill,
        killed_ns: u64,
    ) -> Result<Restored, Vec<String>> {
        let by_kernel = self.fault.defence().contains(&Defence::Kernel);
        // Without the kernel's help a fault stays here: that is what the journal is for.
        let kernel_ns = until(killed_ns, || {
            drill.keep_going();
            if by_kernel { left_in_world(fixture) } else { parts_left(fixture) }
        })?;
        let began_ns = monotonic_ns();
        let records = fixture.records(&drill.script.drill);
        let (code, text) = fixture.undo();
        if code != 0 {
            return Err(vec![format!("`squall undo --all` says {code}: {text}")]);
        }
        let undone_ns = until(began_ns, || left_in_world(fixture))?;
        Ok(match (by_of(&records), by_kernel) {
            (Some(by), _) => Restored::new(&by, killed_ns, undone_ns),
            (None, _) if !armed(&records) => Restored::new("nobody", killed_ns, undone_ns),
            (None, true) => Restored::new("kernel", killed_ns, kernel_ns),
            (None, false) => Restored::new("recovery", began_ns, undone_ns),
        })
    }

    /// Who must have restored it: the first in the line of defence that still lived.
    fn expected(&self) -> &'static str {
        let (first, first_who) = self.kills[0];
        let (point, who) = *self.kills.last().unwrap();
        if first.starts_with("injector") {
            if !first_who.kills("injector") {
                return "injector";
            }
            if ["injector: ordered", "injector: armed, not journalled"].contains(&first) {
                return "nobody";
            }
            if first == "injector: journalled reverted, guardian not told" {
                return "injector";
            }
        }
        let guardian_dead = who.kills("guardian") || point.starts_with("recovery");
        match (who, guardian_dead) {
            (_, false) => "guardian",
            (Who::All, true) if self.fault.defence().contains(&Defence::Kernel) => "kernel",
            (_, true) => "recovery",
        }
    }
}

/// Polls until neither world nor journal has anything of the drill; who ended it, and when.
pub fn until_clean(
    fixture: &mut Fixture,
    drill: &mut Drill,
    since_ns: u64,
) -> Result<Restored, Vec<String>> {
    let at = until(since_ns, || {
        drill.keep_going();
        let mut left = left_in_world(fixture);
        if fixture.open(&drill.script.drill) > 0 {
            left.push("the journal has it open".to_owned());
        }
        if !drill.is_over() {
            left.push("its conductor has not ended".to_owned());
        }
        left
    })?;
    let records = fixture.records(&drill.script.drill);
    let by = by_of(&records).unwrap_or_else(|| "nobody".to_owned());
    Ok(Restored::new(&by, since_ns, at))
}

fn left_in_world(fixture: &mut Fixture) -> Vec<String> {
    let scene = fixture.look();
    let mut left = scene.of_ours();
    left.extend(scene.parts().iter().map(|line| format!("part: {line}")));
    left
}

fn parts_left(fixture: &mut Fixture) -> Vec<String> {
    fixture.processes().parts().iter().map(|line| format!("part: {line}")).collect()
}

/// Polls until nothing is left. Errors: what is, a second after `since_ns`.
fn until(since_ns: u64, mut left: impl FnMut() -> Vec<String>) -> Result<u64, Vec<String>> {
    loop {
        let began_ns = monotonic_ns();
        let left = left();
        if left.is_empty() {
            return Ok(monotonic_ns());
        }
        // What began in time may end late: looking takes its own time.
        if began_ns > since_ns + nanos(*CLEAN_WITHIN) {
            return Err(left);
        }
    }
}

fn armed(records: &[JournalRecord]) -> bool {
    records.iter().any(|r| matches!(r, JournalRecord::Armed(_)))
}

/// Who has written that it is undone, and seen to be.
fn by_of(records: &[JournalRecord]) -> Option<String> {
    records.iter().rev().find_map(|record| match record {
        JournalRecord::Reverted { by, .. } => Some(by.clone()),
        _ => None,
    })
}

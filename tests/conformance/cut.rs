//! Journals that lost bytes, or had one changed, while a pause was in force and nobody was left.
//! Whatever can still be read undoes ours; nothing ever undoes anybody else's.

use squall::host::process::RunState;
use squall::injection::journal::record::decode;
use squall::injection::journal::{JournalRecord, record};
use squall::model::identity::ProcessIdentity;
use squall::model::message::FromInjector;

use crate::drill::Drill;
use crate::fixture::Fixture;
use crate::matrix::until_clean;
use crate::order::{of_labs, pause};
use crate::script::{Answer, Ask};
use crate::slow::unless_slow;

/// A pause that nobody looks after, its journal, and somebody else who is stopped too.
struct Orphan {
    drill: Drill,
    ours: ProcessIdentity,
    stranger: ProcessIdentity,
    bytes: Vec<u8>,
}

pub fn a_journal_cut_at_any_byte_undoes_ours_or_nothing(fixture: &mut Fixture) {
    let orphan = Orphan::make(fixture);
    let whole = orphan.bytes.len();
    println!("  {whole} bytes");
    for length in (0..=whole).step_by(step()) {
        orphan.recover(fixture, &orphan.bytes[..length], &format!("cut at byte {length}"));
    }
    orphan.end(fixture);
}

pub fn a_journal_with_a_flipped_bit_undoes_ours_or_nothing(fixture: &mut Fixture) {
    let orphan = Orphan::make(fixture);
    for place in (0..orphan.bytes.len()).step_by(step()) {
        let mut bytes = orphan.bytes.clone();
        let bit = place % 8;
        bytes[place] ^= 1 << bit;
        orphan.recover(fixture, &bytes, &format!("bit {bit} of byte {place} flipped"));
    }
    orphan.end(fixture);
}

/// The guardian holds every recipe itself, from before the fault on.
pub fn a_guardian_undoes_without_its_journal(fixture: &mut Fixture) {
    for fault in of_labs() {
        let mut drill = Drill::of(fixture, fault).hold().start();
        drill.wait_in_force();
        let path = fixture.journals().join(drill.script.drill.as_str());
        std::fs::File::create(path).unwrap();
        let killed_ns = drill.kill(&["injector"]);
        let restored = until_clean(fixture, &mut drill, killed_ns);
        assert!(restored.is_ok(), "{}: {restored:?}", fault.kind());
        fixture.forget(&drill);
    }
}

/// From one byte to the next that is tried.
fn step() -> usize {
    unless_slow(1, 7, "the step from byte to byte")
}

impl Orphan {
    fn make(fixture: &mut Fixture) -> Orphan {
        let mut drill = Drill::of(fixture, pause()).hold().start();
        drill.wait_in_force();
        drill.kill(&["conductor", "injector", "guardian"]);
        let ours = drill.script.order.target.process.clone().unwrap();
        let stranger = fixture.next_target().process.unwrap();
        fixture.stop(&stranger);
        let path = fixture.journals().join(drill.script.drill.as_str());
        let mut bytes = std::fs::read(path).unwrap();
        // The room for later records is no part of it.
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1);
        assert_eq!(fixture.state_of(&ours), RunState::Stopped);
        Orphan { drill, ours, stranger, bytes }
    }

    fn recover(&self, fixture: &mut Fixture, bytes: &[u8], what: &str) {
        let knows = |r: &JournalRecord| matches!(r, JournalRecord::Armed(_));
        let expected = usize::from(decode(bytes).0.iter().any(knows));
        let ended = match fixture.ask(&Ask::Recover(bytes.to_vec())) {
            Answer::Recovered(ended) => ended,
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(ended.len(), expected, "{what}: {ended:?}");
        let scene = fixture.processes();
        assert!(scene.is_stopped(&self.stranger), "{what}: a stranger was let go");
        for end in &ended {
            let FromInjector::Reverted(reverted) = end else { panic!("{what}: {end:?}") };
            assert_eq!(reverted.injection, self.drill.script.order.injection, "{what}");
        }
        assert_eq!(scene.is_stopped(&self.ours), expected == 0, "{what}: {ended:?}");
        if expected > 0 {
            fixture.stop(&self.ours);
        }
    }

    /// What is whole is recovered as ever.
    fn end(self, fixture: &mut Fixture) {
        let (code, text) = fixture.undo();
        assert_eq!(code, 0, "{text}");
        assert_eq!(fixture.state_of(&self.ours), RunState::Running);
        assert_eq!(fixture.state_of(&self.stranger), RunState::Stopped);
        fixture.signal(&self.stranger, libc::SIGCONT);
        fixture.forget(&self.drill);
        assert_eq!(record::decode(&self.bytes).1, 0, "the journal itself was whole");
    }
}

//! A disk that takes no more, or lies: no record that is not durable, and then no fault.

use std::path::Path;

use nix::mount::MsFlags;
use squall::host::process::RunState;
use squall::model::message::FromInjector;

use crate::conductor::mount_over;
use crate::drill::{Drill, is};
use crate::fixture::Fixture;
use crate::order::{of_labs, pause};
use crate::script::{Disk, Said};

/// Makes the disk under the folder bad, for this process and its children.
pub fn spoil(disk: Disk, folder: &Path) {
    match disk {
        Disk::Fine | Disk::NoRecords => {}
        Disk::ReadOnly => mount_over(folder, "size=64k", MsFlags::MS_RDONLY),
        Disk::Full | Disk::NearlyFull => mount_over(folder, "size=4k", MsFlags::empty()),
        Disk::NoNames => refuse(libc::SYS_fsync),
    }
}

/// Has the kernel answer EIO to that system call from now on, here and in every child.
#[expect(unsafe_code, reason = "a filter of system calls has no safe form")]
pub fn refuse(call: libc::c_long) {
    let word = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    let errno = libc::SECCOMP_RET_ERRNO | u32::try_from(libc::EIO).unwrap();
    let mut filter = [
        // The number of the call is the first word that a filter sees.
        word(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        word(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, u32::try_from(call).unwrap()),
        word(libc::BPF_RET | libc::BPF_K, 0, 0, errno),
        word(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: both calls read valid memory that outlives them, and change this process only.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program), 0);
    }
}

/// To mount, one has to be root out here; the lab's own root is another.
fn may_mount() -> bool {
    nix::unistd::geteuid().is_root()
}

pub fn a_journal_that_cannot_be_opened_stops_the_drill_before_it_begins(fixture: &mut Fixture) {
    for (disk, words) in [
        (Disk::ReadOnly, "Read-only file system"),
        (Disk::Full, "No space left on device"),
        (Disk::NoNames, "Input/output error"),
    ] {
        if disk != Disk::NoNames && !may_mount() {
            println!("  skipped: {disk:?} needs root, to mount a small file system");
            continue;
        }
        let mut drill = Drill::of(fixture, pause()).on(disk).start();
        let said = drill.wait_for("why it cannot begin", |said| matches!(said, Said::Unfit(_)));
        let Said::Unfit(why) = said else { unreachable!() };
        assert!(why.contains(words), "{disk:?}: {why}");
        fixture.assert_untouched(&drill);
        fixture.forget(&drill);
    }
}

pub fn a_record_that_is_not_durable_stops_the_injection(fixture: &mut Fixture) {
    for (disk, words) in
        [(Disk::NearlyFull, "No space left on device"), (Disk::NoRecords, "Input/output error")]
    {
        if disk == Disk::NearlyFull && !may_mount() {
            println!("  skipped: {disk:?} needs root, to mount a small file system");
            continue;
        }
        for fault in of_labs() {
            let mut drill = Drill::of(fixture, fault).on(disk).start();
            let said = drill.wait_for("a refusal", |said| {
                is(said, |m| matches!(m, FromInjector::Failed { .. } | FromInjector::Effective(_)))
            });
            let Said::Heard(message) = said else { unreachable!() };
            let FromInjector::Failed { why, .. } = *message else {
                panic!("{} on {disk:?}: {message:?}", fault.kind());
            };
            assert!(why.contains("nothing was injected") && why.contains(words), "{why}");
            fixture.assert_untouched(&drill);
            drill.wait_for("its end", |said| *said == Said::Ended);
            let target = drill.script.order.target.process.clone().unwrap();
            assert_eq!(fixture.state_of(&target), RunState::Running, "{}", fault.kind());
            // Its journal could not be closed, and may hold what was never done.
            assert_eq!(fixture.undo().0, 0);
            fixture.assert_untouched(&drill);
            fixture.forget(&drill);
        }
    }
}

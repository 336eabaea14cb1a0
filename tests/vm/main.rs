//! The same tests on a stock Debian kernel with cgroup v2, in QEMU: what squall stands on there
//! differs from the machine on which it is built, above all the way packets get to the engine.
//!
//! Time there is worth less: everything is emulated. The tests are told so by
//! `SQUALL_SLOW_MACHINE=1`, and then print which bounds they widen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod cargo;
mod closing;
mod machine;
mod suites;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use machine::Machine;
use squall::host::linux::clock::monotonic_ns;
use suites::Left;

/// A warm run takes one minute or two; a busy computer may need several.
const LIMIT: Duration = Duration::from_mins(8);

/// Tests of `linux` that do not run in the machine.
const LEFT: &[Left] = &[
    Left { test: "lab_failover::etcd_has_one_leader", why: THE_SERVICE },
    Left { test: "lab_failover::one_redis_has_nobody_to_promote", why: THE_SERVICE },
    Left { test: "lab_failover::web_answers_over_both_families", why: THE_SERVICE },
];

const THE_SERVICE: &str = "it is about its services, not about the kernel, and takes half a \
                           minute; the failover of Redis stands for it";

/// What the kernel of a distribution carries packets with.
const NATIVE: &str = "\"queue\": \"nft queue\"";

#[test]
fn the_suites_pass_on_a_stock_kernel_with_its_native_queue() {
    let began = monotonic_ns();
    let seconds = || (monotonic_ns() - began) / 1_000_000_000;
    let built = suites::build(&["linux", "conformance"]);
    let carriers =
        built.one("carriers", "linux", "network::speed::probing_finds_what_these_tests_stand_on");
    let suites = [carriers, built.suite("conformance", &[]), built.suite("linux", LEFT)];
    for Left { test, why } in LEFT {
        println!("not in the machine: {test}: {why}");
    }
    let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let machine = Machine::make(&suites, &[built.squall, experiments]);
    println!("the machine was made in {} s", seconds());

    let console = machine.run(LIMIT);
    println!("all took {} s", seconds());
    let expected: BTreeMap<String, usize> =
        suites.iter().map(|suite| (suite.name.to_owned(), suite.tests)).collect();
    let closing = closing::read(&console);
    let faults = closing::faults(&closing, &expected);
    assert!(faults.is_empty(), "{faults:#?}\nsee target/vm/console.log");
    let skipped = console.lines().find(|line| line.starts_with("skipped: "));
    assert_eq!(skipped, None, "a test did not run in the machine");
    assert!(console.contains("cgroup2"), "cgroup v2 is not mounted");
    let carriers = console.lines().find(|line| line.contains("\"queue\": ")).unwrap_or_default();
    assert!(carriers.contains(NATIVE), "the native queue is not chosen: {carriers}");
    println!("queue: native");
    let (passed, failed) = closing.sum.unwrap();
    println!("\n{passed} passed, {failed} failed");
}

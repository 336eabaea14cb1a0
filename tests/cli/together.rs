//! Two drills that are started at once, under a policy that admits one at a time.

use super::stand::{Drill, Stand, until};

const ALONE: &str = "apiVersion: squall.dev/v1alpha1\nkind: Policy\nmetadata: {name: alone}\nspec:\n  \
                     title: One at a time\n  rules:\n    - environment: {allow: [lab]}\n    \
                     - concurrency: {atMost: 1, per: everything}\n";

#[test]
fn of_two_that_begin_at_once_one_is_refused() {
    let stand = Stand::new();
    std::fs::write(stand.path("alone.yaml"), ALONE).unwrap();
    // Longer than any machine holds up whoever comes second: the first is ended by us.
    stand.drill(&Drill { hold: "60s", ..Drill::default() });
    let start = |out: &str| {
        stand.start(&["run", "drill.yaml", "--fresh", "--policy", "alone.yaml", "--out", out])
    };
    let mut both = [start("first"), start("second")];
    until("one of the two has ended", || both.iter_mut().any(super::live::Live::has_ended));
    for live in both.iter_mut().filter_map(|live| (!live.has_ended()).then_some(live)) {
        live.signal(libc::SIGINT);
    }
    let both = both.map(super::live::Live::finish);
    let refused = both.iter().position(|ran| ran.code == Some(3));
    let refused = refused.unwrap_or_else(|| panic!("none was refused: {both:?}"));
    assert_eq!(both[1 - refused].code, Some(6), "{both:?}");
    let why = &both[refused].err;
    assert!(why.contains("under way, allowed at a time is 1"), "{both:?}");
    assert!(!both[refused].out.contains("raising lab"), "{both:?}");
    assert!(!stand.path(["first", "second"][refused]).exists(), "it leaves nothing");
    stand.assert_nothing_left();
    let seats = std::fs::read_dir(stand.path("state/squall/seats")).unwrap();
    assert_eq!(seats.count(), 0);
}

/// Whoever dies before its drill began keeps nobody out.
#[test]
fn the_seat_of_the_dead_is_free() {
    let stand = Stand::new();
    std::fs::write(stand.path("alone.yaml"), ALONE).unwrap();
    let args = ["run", "drill.yaml", "--policy", "alone.yaml", "--out", "out"];
    let mut live = stand.start(&args);
    live.says("raising lab");
    drop(live);
    std::fs::remove_dir_all(stand.path("out")).unwrap();
    let ran = stand.run(&args);
    // Refused it is not; a busy machine may have measured nothing in 200 ms.
    assert!(matches!(ran.code, Some(0 | 5)), "{ran:?}");
    stand.assert_nothing_left();
}

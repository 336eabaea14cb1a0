//! Lines of a drill under way.

use squall::cli::prepare::Inputs;
use squall::model::experiment::Restore;
use squall::model::history::{
    Effective, Entry, Environment, HISTORY_VERSION, Opened, Phase, Record, Reverted,
};
use squall::model::id::{DrillId, InjectionId};
use squall::model::inventory::InstanceName;
use squall::model::observation::{ErrorClass, Grade, Observation};
use squall::report::live::{Event, LiveState, Next, lines, plain_line};
use squall::report::text::Style;
use squall::report::text::columns::width;
use squall::report::text::style::Tone;

const MS: u64 = 1_000_000;
const OPENED: u64 = 1_000_000 * MS;

/// One slot every 10 ms, done 1 ms after it was due.
fn slot(number: u64, grade: Grade) -> Observation {
    let due_ns = OPENED + number * 10 * MS;
    Observation {
        slot: number,
        due_ns,
        started_ns: due_ns,
        done_ns: due_ns + MS,
        grade,
        error: (grade == Grade::Bad).then_some(ErrorClass::Refused),
        phases: None,
        write: None,
        peer: None,
        age_ns: None,
    }
}

fn record(at_ms: u64, entry: Entry) -> Record {
    Record { at_ns: OPENED + at_ms * MS, entry }
}

fn state() -> LiveState {
    LiveState { opened_ns: OPENED, now_ns: OPENED, ..LiveState::default() }
}

/// Feeds grades as letters, one slot each, from that slot on; what was said comes back.
fn feed(state: &mut LiveState, from: u64, grades: &str) -> Vec<Event> {
    let grade = |letter| match letter {
        'g' => Grade::Good,
        'l' => Grade::Late,
        'b' => Grade::Bad,
        _ => Grade::Invalid,
    };
    let slots = (from..).zip(grades.chars()).map(|(n, letter)| slot(n, grade(letter))).collect();
    state.take(&record(0, Entry::Slots { probe: "writes".to_owned(), slots }))
}

fn injection() -> InjectionId {
    InjectionId { drill: DrillId::from_bits(7), number: 1 }
}

fn effective(at_ms: u64) -> Record {
    record(
        at_ms,
        Entry::Effective(Effective {
            injection: injection(),
            step: 0,
            instance: InstanceName("redis@r1".to_owned()),
            kind: "processPause".to_owned(),
            began_ns: OPENED + at_ms * MS,
            effective_ns: OPENED + at_ms * MS,
            evidence: "state T".to_owned(),
        }),
    )
}

#[test]
fn an_outage_opens_at_the_last_good_answer_and_closes_at_the_first() {
    let mut state = state();
    let said = feed(&mut state, 0, "gggbbbbb");
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].words, "writes: not good: refused");
    let open = state.probes["writes"].outage.clone().unwrap();
    assert_eq!(open.from_ns, OPENED + 21 * MS);

    let said = feed(&mut state, 8, "gggg");
    assert_eq!(said.len(), 1);
    // From 21 ms to 81 ms: the fourth good slot in a row only confirms it.
    assert_eq!(said[0].words, "writes: good again, outage of 0.060 s");
    assert!(state.probes["writes"].outage.is_none());
}

#[test]
fn up_to_three_good_slots_do_not_end_an_outage() {
    let mut state = state();
    feed(&mut state, 0, "gbbgggbbggg");
    let probe = &state.probes["writes"];
    assert!(probe.outage.is_some());
    assert_eq!((probe.good, probe.bad), (7, 4));
    let said = feed(&mut state, 11, "g");
    assert!(said[0].words.contains("outage of 0.080 s"), "{said:?}");
}

#[test]
fn our_own_fault_opens_no_outage() {
    let mut state = state();
    assert!(feed(&mut state, 0, "gxxxxxg").is_empty());
    assert_eq!(state.probes["writes"].invalid, 5);
    assert!(state.probes["writes"].outage.is_none());
}

#[test]
fn the_lines_of_an_outage_as_it_happens() {
    let mut state = state();
    state.take(&record(0, Entry::Phase(Phase::Method)));
    feed(&mut state, 0, &("g".repeat(200) + &"b".repeat(100)));
    state.take(&effective(2000));
    state.next = Some(Next { what: "undo".to_owned(), at_ns: OPENED + 10_000 * MS });
    state.now_ns = OPENED + 3000 * MS;
    insta::assert_snapshot!(lines(&state, &Style::plain(80)).join("\n"), @"
       3.0 s  breaking it; undo in 7.0 s
      writes                 ────────████ OUT 1.0 s, 200 good 100 bad
      in force 1.0 s  processPause redis@r1
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut state = state();
    feed(&mut state, 0, &"gblx".repeat(5000));
    let probe = state.probes["writes"].clone();
    assert!(probe.recent.len() <= 240, "the past is bounded");
    state.probes.insert("x".repeat(300), probe);
    state.take(&effective(1));
    state.in_force[0].what = "主".repeat(100);
    state.next = Some(Next { what: "y".repeat(300), at_ns: u64::MAX });
    for columns in [60, 80, 120] {
        for unicode in [true, false] {
            for line in lines(&state, &Style { colour: false, unicode, width: columns }) {
                assert!(width(&line) <= columns && !line.contains('\n'), "{columns}: {line}");
            }
        }
    }
}

#[test]
fn a_fault_leaves_the_lines_when_it_is_gone_and_stays_when_it_is_stuck() {
    let mut state = state();
    state.take(&effective(0));
    assert!(lines(&state, &Style::plain(80))[1].contains("processPause redis@r1"));
    let said =
        state.take(&record(9, Entry::Stuck { injection: injection(), why: "EBUSY".to_owned() }));
    assert_eq!(said[0].words, "stuck: processPause redis@r1: EBUSY");
    assert!(lines(&state, &Style::plain(80))[1].contains("STUCK"));
    let gone = Reverted {
        injection: injection(),
        gone_ns: OPENED,
        by: "recovery".to_owned(),
        evidence: "state S".to_owned(),
    };
    let said = state.take(&record(10, Entry::Reverted(gone)));
    assert_eq!(said[0].words, "processPause redis@r1 gone, by recovery: state S");
    assert_eq!(lines(&state, &Style::plain(80)).len(), 1);
}

#[test]
fn a_plain_line_has_its_moment_and_moves_no_cursor() {
    let state = state();
    let events = state.clone().take(&record(12_340, Entry::Note("a\x1b[2Jb\nc".to_owned())));
    let line = plain_line(&state, &events[0], &Style::plain(80));
    assert_eq!(line, "   12.34 s  a\u{fffd}[2Jb c");
}

#[test]
fn slots_that_complete_out_of_order_are_put_where_they_were_due() {
    let mut state = state();
    let late = vec![slot(60, Grade::Good), slot(10, Grade::Bad), slot(30, Grade::Good)];
    state.take(&record(0, Entry::Slots { probe: "writes".to_owned(), slots: late }));
    let recent: Vec<_> = state.probes["writes"].recent.iter().map(|(_, grade)| *grade).collect();
    assert_eq!(recent, [Grade::Bad, Grade::Good, Grade::Good]);

    let again = vec![slot(11, Grade::Good), slot(31, Grade::Late)];
    state.take(&record(0, Entry::Slots { probe: "writes".to_owned(), slots: again }));
    let recent: Vec<_> = state.probes["writes"].recent.iter().map(|(_, grade)| *grade).collect();
    assert_eq!(recent, [Grade::Bad, Grade::Late, Grade::Good], "the worst of its cell stays");
}

fn done(number: u64, grade: Grade, done_ms: u64) -> Observation {
    Observation { done_ns: OPENED + done_ms * MS, ..slot(number, grade) }
}

fn words(state: &mut LiveState, slots: Vec<Observation>) -> Vec<String> {
    let said = state.take(&record(0, Entry::Slots { probe: "writes".to_owned(), slots }));
    said.into_iter().map(|event| event.words).collect()
}

#[test]
fn a_request_that_waited_for_the_end_of_an_outage_is_no_second_one() {
    let mut state = state();
    feed(&mut state, 0, "gggbbbbbbb");
    let mut slots: Vec<_> = (10..14).map(|n| slot(n, Grade::Good)).collect();
    // Due while it was out, and answered, or given up, when it was over.
    slots.extend([done(8, Grade::Late, 145), done(9, Grade::Bad, 150)]);
    slots.extend((14..20).map(|n| slot(n, Grade::Good)));
    assert_eq!(words(&mut state, slots), ["writes: good again, outage of 0.080 s"]);
    assert_eq!(state.probes["writes"].bad, 8, "counted all the same");
    assert_eq!(feed(&mut state, 20, "b").len(), 1, "what is due later is a second one");
}

#[test]
fn slow_answers_to_earlier_requests_do_not_end_an_outage() {
    let mut state = state();
    feed(&mut state, 0, "gggggbb");
    let slow = (0..5).map(|n| done(n, Grade::Good, 80 + n)).collect();
    assert!(words(&mut state, slow).is_empty());
    assert!(feed(&mut state, 7, "bb").is_empty(), "it is still the same outage");
    assert!(state.probes["writes"].outage.is_some());
}

#[test]
fn what_was_only_late_is_not_called_an_outage() {
    let mut state = state();
    let said = feed(&mut state, 0, "glllgggg");
    let words: Vec<_> = said.iter().map(|event| event.words.as_str()).collect();
    assert_eq!(words, ["writes: not good: late", "writes: in time again, late for 0.040 s"]);
    assert_eq!(state.probes["writes"].last_outage_seconds, None);
    let said = feed(&mut state, 8, "llblgggg");
    assert!(said[1].words.contains("outage of"), "{said:?}");
}

/// A drill whose only step is of that class.
fn opened(restore: Restore) -> Record {
    let file = "experiments/redis-primary-pause.yaml".into();
    let (policy, approval) = (Vec::new(), Vec::new());
    let inputs = Inputs { file, seed: Some(1), lab: None, policy, approval, kubeconfig: None };
    let files = inputs.read().unwrap_or_else(|e| panic!("{e}"));
    let mut plan = files.prepare(Vec::new()).unwrap_or_else(|e| panic!("{e}")).plan;
    plan.experiment.method[0].facts.restore = restore;
    let opened = Opened {
        version: HISTORY_VERSION,
        drill: DrillId::from_bits(7),
        squall: "0.1.0".to_owned(),
        wall: "2026-03-14T09:26:53+01:00".to_owned(),
        plan,
        policy_files: Vec::new(),
        null: false,
        environment: Environment::default(),
    };
    record(0, Entry::Opened(Box::new(opened)))
}

#[test]
fn a_kill_is_never_gone_and_nobody_undid_it() {
    let words = |restore| {
        let mut state = state();
        state.take(&opened(restore));
        state.take(&effective(1));
        let gone = Reverted {
            injection: injection(),
            gone_ns: OPENED,
            by: "injector".to_owned(),
            evidence: "seen".to_owned(),
        };
        let said = state.take(&record(10, Entry::Reverted(gone)));
        assert!(state.in_force.is_empty());
        said[0].words.clone()
    };
    let over = "the watch of processPause redis@r1 is over; there is nothing to undo";
    assert_eq!(words(Restore::None), over);
    assert_eq!(words(Restore::Undo), "processPause redis@r1 gone, by injector: seen");
}

#[test]
fn a_target_that_was_lost_is_no_good_news() {
    let mut state = state();
    state.take(&effective(0));
    let void = Entry::Void { injection: injection(), why: "process 7 is gone".to_owned() };
    let said = state.take(&record(10, void));
    assert_eq!(said[0].words, "processPause redis@r1 void: process 7 is gone");
    assert_ne!(said[0].tone, Tone::Good);
    assert!(state.in_force.is_empty());
}

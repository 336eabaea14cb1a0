//! What the drill as a whole comes to.

use serde_json::json;

use super::close;
use crate::judge::scripted::{Drill, Service, injection};
use crate::judge::{JudgeError, SINGLE_DRILL, judge};
use crate::model::history::{Entry, Lag, Record};
use crate::model::inventory::InstanceName;
use crate::model::outcome::{AbortCause, ClaimVerdict, Outcome};
use crate::model::plan::PlannedLab;
use crate::model::verdict::Report;

/// 2.31 s of outage, and the claim that it is at most so many seconds.
fn drill(at_most: &str) -> Drill {
    let service = Service::refusing(100.0, 2400.0);
    Drill::of(service).claims("downtime", json!({"probe": "p", "atMost": at_most}))
}

fn lost(part: &str) -> Entry {
    Entry::PartLost { part: part.to_owned(), why: "it died".to_owned() }
}

fn signal() -> Entry {
    Entry::Aborted(AbortCause::Signal("Ctrl-C".to_owned()))
}

fn stuck() -> Entry {
    Entry::Stuck { injection: injection(0), why: "no way in".to_owned() }
}

#[test]
fn a_whole_drill_whose_claims_hold_has_held() {
    let report = drill("6s").report();
    assert_eq!(report.verdict, Outcome::Held);
    assert_eq!(report.reason, "1 claim held");
    assert_eq!(report.notes, Vec::<String>::new());
    assert_eq!(report.plan, "the plan");
    assert_eq!(SINGLE_DRILL, "n=1: bounds no RTO");
}

#[test]
fn a_claim_that_deviates_decides_and_says_why() {
    let report = drill("2s").report();
    assert_eq!(report.verdict, Outcome::Deviated);
    assert_eq!(report.reason, "downtime of p at most 2s deviated: 2.31 s ± 0.02 s in 1 outage");
}

#[test]
fn deviated_wins_over_aborted_and_stuck_over_all() {
    assert_eq!(drill("6s").entry(2600.0, signal()).report().verdict, Outcome::Aborted);
    assert_eq!(drill("2s").entry(2600.0, signal()).report().verdict, Outcome::Deviated);
    let report = drill("2s").entry(2600.0, stuck()).report();
    assert_eq!((report.verdict, report.injections.len()), (Outcome::Stuck, 1));
    assert_eq!(report.injections[0].ended, "stuck");
    assert_eq!(report.reason, "processKill on redis@r1 could not be undone: no way in");
    let left = Drill { residue: Some(vec!["table squall_d1".to_owned()]), ..drill("6s") };
    let report = left.report();
    assert_eq!((report.verdict, report.residue.len()), (Outcome::Stuck, 1));
    assert_eq!(report.reason, "still in the world: table squall_d1");
}

#[test]
fn only_the_last_reading_back_counts() {
    let entry = Entry::Residue(vec!["table squall_d1".to_owned()]);
    assert_eq!(drill("6s").entry(4000.0, entry).report().verdict, Outcome::Held);
}

#[test]
fn an_aborted_drill_holds_no_claim() {
    let report = drill("6s").entry(2600.0, signal()).report();
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Inconclusive);
    assert_eq!(report.reason, "Ctrl-C from the operator");
    let again = Entry::Aborted(AbortCause::Signal("SIGTERM".to_owned()));
    let twice = drill("6s").entry(2600.0, signal()).entry(2700.0, again).report();
    assert_eq!(twice.reason, "Ctrl-C from the operator", "the first cause ended it");
}

#[test]
fn a_part_that_was_lost_aborts_but_the_prober_leaves_doubt() {
    for part in ["injector", "guardian", "lab"] {
        let report = drill("6s").entry(2600.0, lost(part)).report();
        assert_eq!(report.verdict, Outcome::Aborted, "{part}");
        assert_eq!(report.reason, format!("the {part} was lost: it died"));
    }
    let report = drill("6s").entry(2600.0, lost("prober")).report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Inconclusive);
    let role = Drill::of(Service::default())
        .claims("roleMoved", json!({"target": "primary", "within": "5s"}))
        .role(-2000.0, "redis@r2", Some("replica"))
        .role(800.0, "redis@r2", Some("primary"));
    assert_eq!(role.report().verdict, Outcome::Held);
    assert_eq!(role.entry(2600.0, lost("prober")).report().verdict, Outcome::Inconclusive);
    let told = AbortCause::Part { part: "prober".to_owned(), why: "it died".to_owned() };
    let report = drill("6s").entry(2600.0, Entry::Aborted(told)).report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
}

#[test]
fn a_history_without_its_end_is_inconclusive_at_best() {
    let open = Drill { closed: false, ..drill("6s") }.report();
    assert_eq!(open.verdict, Outcome::Inconclusive);
    let known = "the history breaks off at 1000.000 s; what happened after is not known";
    assert_eq!(open.reason, known);
    assert_eq!(Drill { closed: false, ..drill("2s") }.report().verdict, Outcome::Deviated);
    let cut = Drill { complete: false, ..drill("6s") }.report();
    assert_eq!(cut.claims[0].verdict, ClaimVerdict::Inconclusive);
}

#[test]
fn without_a_fault_in_force_nothing_is_judged() {
    for at_most in ["6s", "2s"] {
        let report = Drill { effective: false, ..drill(at_most) }.report();
        assert_eq!(report.verdict, Outcome::Inconclusive, "never deviated by what was no fault");
        assert_eq!(report.reason, "no fault was ever in force");
        assert_eq!(report.injections[0].ended, "never in force");
    }
    let aborted = Drill { effective: false, ..drill("6s") };
    let cause = Entry::Aborted(AbortCause::Injection("redis@r1 is gone".to_owned()));
    assert_eq!(aborted.entry(0.0, cause).report().verdict, Outcome::Aborted);
}

#[test]
fn a_steady_state_that_was_not_reached_is_said() {
    let mut records = Drill { effective: false, ..drill("6s") }.records();
    let steady = crate::model::history::Phase::Steady;
    let method = |r: &Record| matches!(&r.entry, Entry::Phase(p) if *p > steady);
    records.retain(|record| !method(record));
    let report = judge(&records, "").unwrap();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.reason, "the steady state was not reached, so nothing was injected");
}

/// Only what was written is known: that nothing was injected, or is left, is not among it.
#[test]
fn a_history_that_breaks_off_says_so_and_never_that_nothing_happened() {
    let whole = drill("6s").records();
    for kept in 1..whole.len() {
        let report = judge(&whole[..kept], "").unwrap();
        let said = serde_json::to_string(&report).unwrap();
        assert_eq!(report.verdict, Outcome::Inconclusive, "{kept} records: {}", report.reason);
        assert!(report.reason.starts_with("the history breaks off at "), "{}", report.reason);
        for untrue in ["nothing was injected", "never in force", "no fault was ever"] {
            assert!(!said.contains(untrue), "{kept} records: {said}");
        }
        let read_back = whole[..kept].iter().any(|r| matches!(r.entry, Entry::Residue(_)));
        assert_eq!(report.read_back, read_back);
    }
    let cut = Drill { effective: false, closed: false, ..drill("6s") };
    assert_eq!(cut.report().injections[0].ended, "unknown");
    let missed = Drill { closed: false, ..drill("2s") };
    assert_eq!(missed.report().verdict, Outcome::Deviated, "what was seen was seen");
}

/// A drill that ended before its method, with what the prober said of its own lag until then.
fn unsteady(stalled_ms: u64, service: Service) -> String {
    let lag = Lag { slots: 100, stalled_ns: stalled_ms * 1_000_000, ..Lag::default() };
    let why = "p was not good for 2s within 12s".to_owned();
    let drill = Drill { effective: false, ..Drill::of(service) }
        .claims("downtime", json!({"probe": "p", "atMost": "6s"}))
        .entry(-500.0, Entry::Lag(lag))
        .entry(-20.0, Entry::Unsteady { why });
    let mut records = drill.records();
    records.retain(|r| !matches!(r.entry, Entry::Phase(crate::model::history::Phase::Method)));
    let report = judge(&records, "").unwrap();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.claims[0].measured, None);
    report.reason
}

#[test]
fn who_kept_the_steady_state_from_being_seen_is_in_the_headline() {
    let failing = Service { refused: vec![(-1500.0, -100.0)], ..Service::default() };
    let theirs = "the steady state was not reached, so nothing was injected: \
                  p was not good for 2s within 12s";
    assert_eq!(unsteady(0, failing.clone()), theirs);
    let both = format!("{theirs}; the prober did not run for 1380 ms");
    assert_eq!(unsteady(1380, failing), both);
    let ours = "the steady state was not seen, so nothing was injected: \
                the prober did not run for 1380 ms";
    let stalled = Service { invalid: vec![(-1500.0, -100.0)], ..Service::default() };
    assert_eq!(unsteady(1380, stalled), ours);
}

#[test]
fn a_null_drill_holds_with_no_fault() {
    let service = Service::default();
    let null = Drill { null: true, ..Drill::of(service) }
        .claims("downtime", json!({"probe": "p", "atMost": "6s"}));
    let report = null.report();
    assert_eq!(report.verdict, Outcome::Held);
    assert_eq!(report.reason, "1 claim held, with no fault in force");
    assert_eq!(Drill { residue: None, ..null }.report().verdict, Outcome::Held, "nothing to undo");
    let false_alarm = Drill { null: true, ..drill("2s") };
    assert_eq!(false_alarm.report().verdict, Outcome::Deviated);
}

#[test]
fn an_experiment_that_claims_nothing_has_not_held() {
    let report = Drill::of(Service::default()).report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.reason, "the experiment claims nothing");
}

#[test]
fn an_injection_whose_end_is_unknown_is_a_doubt() {
    let report = Drill { reverted: false, ..drill("6s") }.report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert_eq!(report.injections[0].ended, "unknown");
    assert_eq!(report.claims[0].verdict, ClaimVerdict::Inconclusive);
}

#[test]
fn a_world_that_was_not_read_back_is_a_doubt() {
    let report = Drill { residue: None, ..drill("6s") }.report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert!(report.reason.contains("not read back"), "{}", report.reason);
}

#[test]
fn an_injection_tells_how_it_ended_and_who_repaired_it() {
    let by = |drill: Drill| {
        let report = drill.report();
        assert_eq!(report.injections[0].ended, "relied on the system");
        report.injections[0].by.clone()
    };
    assert_eq!(by(drill("6s")), "nothing was seen to repair it");
    let instance = InstanceName("redis@r1".to_owned());
    let back = Entry::ProcessSeen { instance: instance.clone(), running: true };
    let gone = Entry::ProcessSeen { instance, running: false };
    let earlier = drill("6s").entry(-100.0, back.clone());
    assert_eq!(by(earlier), "nothing was seen to repair it");
    let repaired = drill("6s").entry(1.0, gone).entry(1200.0, back);
    assert_eq!(by(repaired), "redis@r1 was running again after 1.200 s");
    let promoted = drill("6s").role(800.0, "redis@r2", Some("primary"));
    assert_eq!(by(promoted), "redis@r2 became primary after 0.800 s");
    let injection = drill("6s").report().injections.remove(0);
    assert_eq!(injection.summary, "SIGKILL to redis@r1");
    assert!(close(injection.error_seconds.unwrap(), 0.002));
    assert_eq!(injection.gone_seconds, None, "a kill is never gone");
}

#[test]
fn a_disturbance_in_the_window_weakens_every_claim() {
    let disturbed = || Entry::Disturbed { injection: None, why: "foreign rules".to_owned() };
    let report = drill("6s").entry(1000.0, disturbed()).report();
    assert_eq!(report.verdict, Outcome::Inconclusive);
    assert!(report.claims[0].finding.contains("foreign rules"));
    assert_eq!(report.notes.len(), 1, "said once");
    assert_eq!(drill("2s").entry(1000.0, disturbed()).report().verdict, Outcome::Deviated);
    for outside in [-500.0, 10_500.0] {
        let report = drill("6s").entry(outside, disturbed()).report();
        assert_eq!(report.verdict, Outcome::Held, "at {outside}");
        assert_eq!(report.notes.len(), 1, "noted all the same");
    }
}

#[test]
fn a_figure_that_is_doubted_deviates_only_beyond_its_error() {
    let disturbed = Entry::Disturbed { injection: None, why: "foreign rules".to_owned() };
    // 2.31 s with an error of 0.02 s.
    let verdict = |at_most| drill(at_most).entry(1000.0, disturbed.clone()).report().verdict;
    assert_eq!(verdict("2295ms"), Outcome::Inconclusive);
    assert_eq!(verdict("2285ms"), Outcome::Deviated);
}

#[test]
fn notes_are_for_people_and_change_nothing() {
    let report = drill("6s").entry(1000.0, Entry::Note("rain".to_owned())).report();
    assert_eq!((report.verdict, report.notes), (Outcome::Held, vec!["rain".to_owned()]));
}

#[test]
fn a_report_names_the_files_that_it_takes_to_run_it_again() {
    let replay = |path: &str, named: Option<&str>, used: Option<&str>| {
        let mut records = drill("6s").records();
        let Entry::Opened(opened) = &mut records[0].entry else { panic!("first is the opening") };
        opened.plan.source.path = path.to_owned();
        opened.plan.experiment.lab = named.map(str::to_owned);
        opened.plan.policies.insert("default".to_owned(), "p".to_owned());
        opened.plan.lab = used.map(|path| PlannedLab {
            name: "l".to_owned(),
            path: path.to_owned(),
            sha256: "s".to_owned(),
            hosts: Vec::new(),
            candidates: Vec::new(),
            timers: std::collections::BTreeMap::new(),
        });
        judge(&records, "").unwrap().replay
    };
    let own = replay("dir/x.yaml", Some("labs/l.yaml"), Some("dir/labs/l.yaml"));
    assert_eq!((own.experiment.as_str(), own.lab.as_deref()), ("dir/x.yaml", None));
    assert_eq!(own.policies, ["default"]);
    assert_eq!(replay("x.yaml", Some("l.yaml"), Some("l.yaml")).lab, None);
    for named in [Some("labs/l.yaml"), None] {
        let other = replay("dir/x.yaml", named, Some("other.yaml"));
        assert_eq!(other.lab.as_deref(), Some("other.yaml"));
    }
    assert_eq!(replay("x.yaml", None, None).lab, None);
}

/// 100 slots in the window, so many of them unseen at the end.
fn unseen(slots: u32, invalid: f64, missing: bool) -> Report {
    let watch_ms = f64::from(slots - 1) * 10.0;
    let stretch = vec![(500.0, 500.0 + invalid * 10.0)];
    let mut service = Service::default();
    *(if missing { &mut service.missing } else { &mut service.invalid }) = stretch;
    let drill = Drill { watch_ms, hold_ms: 300.0, ..Drill::of(service) };
    drill.claims("downtime", json!({"probe": "p", "atMost": "6s"})).report()
}

#[test]
fn one_percent_of_invalid_slots_is_too_many_and_less_is_not() {
    for missing in [false, true] {
        assert_eq!(unseen(100, 1.0, missing).verdict, Outcome::Inconclusive, "1 of 100");
        assert_eq!(unseen(101, 1.0, missing).verdict, Outcome::Held, "1 of 101");
        assert_eq!(unseen(200, 2.0, missing).verdict, Outcome::Inconclusive, "2 of 200");
        assert_eq!(unseen(201, 2.0, missing).verdict, Outcome::Held, "2 of 201");
        assert_eq!(unseen(100, 0.0, missing).verdict, Outcome::Held, "none");
    }
    let noted = unseen(100, 1.0, false).notes;
    assert_eq!(noted, ["probe p: 1 of 100 slots in the window are invalid or missing"]);
}

#[test]
fn invalid_slots_outside_the_window_do_not_count() {
    let service = Service { invalid: vec![(-1500.0, -100.0)], ..Service::default() };
    let drill = Drill::of(service).claims("downtime", json!({"probe": "p", "atMost": "6s"}));
    assert_eq!(drill.report().verdict, Outcome::Held);
}

#[test]
fn a_prober_that_went_quiet_is_no_good_news() {
    let verdict = |missing| {
        let service = Service { missing: vec![missing], ..Service::default() };
        let drill = Drill::of(service).claims("downtime", json!({"probe": "p", "atMost": "6s"}));
        drill.report().verdict
    };
    assert_eq!(verdict((9000.0, 1e9)), Outcome::Inconclusive, "towards the end");
    assert_eq!(verdict((-1e4, 500.0)), Outcome::Inconclusive, "until after the fault");
    assert_eq!(verdict((9800.0, 1e9)), Outcome::Held, "slots under way when it was stopped");
    assert_eq!(verdict((-500.0, 20.0)), Outcome::Held, "two of the window, the rest before it");
    assert_eq!(verdict((-1500.0, -500.0)), Outcome::Held, "before the window");
}

#[test]
fn a_standstill_of_the_prober_of_one_percent_is_too_much() {
    let verdict = |ms: u64| {
        let lag = Lag { stalled_ns: ms * 1_000_000, ..Lag::default() };
        drill("6s").entry(5000.0, Entry::Lag(lag)).report()
    };
    assert_eq!(verdict(100).verdict, Outcome::Inconclusive);
    assert_eq!(verdict(99).verdict, Outcome::Held);
    assert!(close(verdict(99).lag.stalled, 99.0));
}

#[test]
fn lag_is_that_of_the_window() {
    let line = |max_ns| {
        Entry::Lag(Lag { slots: 100, p50_ns: 2_000_000, p99_ns: max_ns, max_ns, stalled_ns: 0 })
    };
    let drill = drill("6s").entry(-100.0, line(9_000_000)).entry(0.0, line(8_000_000));
    // Each line speaks of the time before it, so the one at second 0 is not of the window.
    let drill = drill.entry(500.0, line(5_000_000));
    // The script's own line at the window's end covers what came before it.
    let lag = drill.entry(10_500.0, line(7_000_000)).report().lag;
    assert_eq!(lag.slots, 1100);
    assert!(close(lag.max, 5.0) && close(lag.p99, 5.0));
    assert!(close(lag.p50, 200.0 / 1100.0));
}

#[test]
fn a_stop_condition_that_was_met_is_a_deviated_claim() {
    let stops =
        |service| Drill::of(service).stops("outage", json!({"probe": "p", "longerThan": "3s"}));
    let calm = stops(Service::refusing(100.0, 2400.0)).report();
    assert_eq!(calm.verdict, Outcome::Held);
    assert!(calm.claims[0].stop_condition);
    let stopped = Entry::Stopped { condition: 0, why: "p has been out for 3.01 s".to_owned() };
    let met = stops(Service::refusing(100.0, 2400.0)).entry(3200.0, stopped.clone()).report();
    assert_eq!(met.verdict, Outcome::Deviated, "met is met");
    assert!(met.reason.contains("it ended the hold: p has been out"), "{}", met.reason);
    assert_eq!(stops(Service::refusing(100.0, 5000.0)).report().verdict, Outcome::Deviated);
    let unknown = drill("6s").entry(3200.0, stopped);
    let judged = judge(&unknown.records(), "");
    assert!(matches!(judged, Err(JudgeError::UnknownCondition(0))));
}

#[test]
fn what_is_no_history_is_refused() {
    let records = drill("6s").records();
    assert!(matches!(judge(&[], ""), Err(JudgeError::NoOpening)));
    assert!(matches!(judge(&records[1..], ""), Err(JudgeError::NoOpening)));
    let twice = [&records[..], &records[..1]].concat();
    assert!(matches!(judge(&twice, ""), Err(JudgeError::TwoOpenings)));
    let mut newer = records.clone();
    let Entry::Opened(opened) = &mut newer[0].entry else { panic!("first is the opening") };
    opened.version += 1;
    assert!(matches!(judge(&newer, ""), Err(JudgeError::Newer { .. })));
    let unknown = Drill::of(Service::default()).claims("luck", json!({})).records();
    assert!(matches!(judge(&unknown, ""), Err(JudgeError::UnknownCheck(_))));
    let params = Drill::of(Service::default()).claims("downtime", json!({"p": 1})).records();
    assert!(matches!(judge(&params, ""), Err(JudgeError::Params { .. })));
}

#[test]
fn judging_again_gives_the_same_report() {
    let disturbed = Entry::Disturbed { injection: Some(injection(0)), why: "x".to_owned() };
    let drill = drill("6s")
        .probe("q", Service::stalling(200.0, 1700.0))
        .claims("recovery", json!({"probe": "q", "within": "2s"}))
        .claims("roleMoved", json!({"target": "primary", "within": "5s"}))
        .role(-2000.0, "redis@r1", Some("primary"))
        .role(800.0, "redis@r2", Some("primary"))
        .entry(1000.0, disturbed);
    let records = drill.records();
    let text: Vec<String> = records.iter().map(|r| serde_json::to_string(r).unwrap()).collect();
    let read: Vec<Record> = text.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (first, second) = (judge(&records, "x").unwrap(), judge(&read, "x").unwrap());
    assert_eq!(first, second);
    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(json, serde_json::to_string(&second).unwrap());
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), first, "a report reads back");
}

#[test]
fn slots_may_come_in_any_order_and_count_once() {
    let mut records = drill("6s").records();
    let expected = judge(&records, "").unwrap();
    let batches: Vec<Record> =
        records.iter().filter(|r| matches!(r.entry, Entry::Slots { .. })).cloned().collect();
    records.splice(1..1, batches.into_iter().rev());
    assert_eq!(judge(&records, "").unwrap(), expected);
}

#[test]
fn stages_ascend_and_speak_of_the_longest_outage() {
    let drill = drill("6s")
        .probe("q", Service::refusing(50.0, 3000.0))
        .role(-2000.0, "redis@r1", Some("primary"))
        .role(1200.0, "redis@r2", Some("primary"));
    let names = |report: &Report| -> Vec<String> {
        assert!(report.stages.windows(2).all(|w| w[0].at_seconds <= w[1].at_seconds));
        report.stages.iter().map(|stage| stage.name.clone()).collect()
    };
    let report = drill.report();
    let expected = ["fault effective", "first bad", "role moved", "first good", "stable"];
    assert_eq!(names(&report), expected);
    // `q` was out for longer, but no claim speaks of it.
    let at = |index: usize| report.stages[index].at_seconds;
    assert!(close(at(0), 0.0) && close(at(1), 0.1) && close(at(2), 1.2));
    assert!(close(at(3), 2.401) && close(at(4), 2.401));
    assert_eq!(report.stages[1].seen_by, "probe p at 100/s");
    assert_eq!(report.stages[2].seen_by, "redis@r2 asked every 20ms");
    assert!(close(report.stages[2].error_seconds, 0.02));
    let both = drill.claims("recovery", json!({"probe": "q", "within": "9s"})).report();
    assert_eq!(both.stages[1].seen_by, "probe q at 100/s");
}

#[test]
fn a_role_is_moved_into_order_by_no_more_than_its_polling() {
    let stages = |ms| drill("6s").role(ms, "redis@r2", Some("primary")).report().stages;
    // The service came back at 2.401 s.
    let within = stages(2415.0);
    assert_eq!(within[2].name, "role moved");
    assert!(close(within[2].at_seconds, 2.401));
    let beyond = stages(2500.0);
    assert_eq!(beyond[4].name, "role moved");
    assert!(close(beyond[4].at_seconds, 2.5));
}

#[test]
fn stages_without_a_claim_on_a_probe_an_end_or_a_second_of_delay() {
    let names = |service| {
        let stages = Drill::of(service).report().stages;
        assert!(stages.iter().all(|stage| stage.at_seconds >= 0.0), "{stages:?}");
        stages.into_iter().map(|stage| stage.name).collect::<Vec<String>>()
    };
    let all = ["fault effective", "first bad", "first good", "stable"];
    assert_eq!(names(Service { phase_ms: 9.0, ..Service::refusing(-1.5, 400.0) }), all);
    assert_eq!(names(Service::refusing(100.0, 1e9)), all[..2]);
    assert_eq!(names(Service::default()), all[..1]);
}

#[test]
fn roles_are_told_as_spans() {
    let report = drill("6s")
        .role(-2000.0, "redis@r1", Some("primary"))
        .role(10.0, "redis@r1", None)
        .role(20.0, "redis@r1", None)
        .role(-2000.0, "redis@r2", Some("replica"))
        .report();
    let spans: Vec<(&str, &str)> =
        report.roles.iter().map(|s| (s.instance.as_str(), s.role.as_str())).collect();
    let expected = [("redis@r1", "primary"), ("redis@r1", "unknown"), ("redis@r2", "replica")];
    assert_eq!(spans, expected);
    assert!(close(report.roles[0].from_seconds, -2.0) && close(report.roles[0].to_seconds, 0.01));
    assert!(close(report.roles[1].to_seconds, 10.001), "to the end of observation");
}

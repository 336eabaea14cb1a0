//! From what a slot saw to its grade, given when *we* stood still.
//!
//! The slots thread hears a beat from the metronome every few milliseconds. A longer pause means
//! that the process was stopped, or that one of the two threads got no processor: a stall. A slot
//! is only graded once a later beat was heard, so that a stall that hid its answer is known.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::observation::{ErrorClass, Grade};

/// Between two beats.
pub const BEAT_NS: u64 = 5_000_000;
/// A pause between two beats that is longer than this is a stall.
const STALL_NS: u64 = 2 * BEAT_NS;
/// A pause that is longer than this holds up more slots than their delivery may take.
const STANDSTILL_NS: u64 = 100_000_000;

/// How late a slot may be started and still count.
///
/// One interval, since each edge of an outage is then still known to within `2 / rate`; but never
/// less than 2 ms, which an ordinary thread on a busy machine needs, and never more than 50 ms or
/// a quarter of the deadline.
#[must_use]
pub fn allowance_ns(interval_ns: f64, deadline: Duration) -> u64 {
    const LEAST: f64 = 2e6;
    let most = (deadline.as_secs_f64() * 1e9 / 4.0).clamp(LEAST, 5e7);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 2 and 50 million"
    )]
    let allowance = interval_ns.clamp(LEAST, most) as u64;
    allowance
}

/// A slot's times, nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub due: u64,
    pub started: u64,
    pub done: u64,
}

/// What a probe's slots are held against.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub deadline_ns: u64,
    pub allowance_ns: u64,
}

/// The grade of one slot. An answer that came in time is good even across a stall, and a refusal
/// that came in time is bad. One that did not is doubtful if it would have come in time without the
/// stall: then it is invalid.
pub fn grade(
    times: Times,
    answer: Result<(), ErrorClass>,
    limits: Limits,
    stalls: &Stalls,
) -> Grade {
    let lag = times.started.saturating_sub(times.due);
    if lag > limits.allowance_ns || answer.is_err_and(ErrorClass::says_nothing) {
        return Grade::Invalid;
    }
    let latency = times.done.saturating_sub(times.due);
    let in_time = latency <= limits.deadline_ns;
    let stalled = stalls.within(times.due, times.done);
    match answer {
        Ok(()) if in_time => Grade::Good,
        _ if !in_time && latency.saturating_sub(stalled) <= limits.deadline_ns => Grade::Invalid,
        Ok(()) => Grade::Late,
        Err(_) => Grade::Bad,
    }
}

/// The pauses in which the slots thread heard nothing.
#[derive(Debug)]
pub struct Stalls {
    heard_ns: u64,
    pauses: VecDeque<(u64, u64)>,
    /// Pauses that ended longer ago than any slot can last are forgotten.
    memory_ns: u64,
    unreported_ns: u64,
}

impl Stalls {
    pub fn new(now_ns: u64, longest_slot: Duration) -> Stalls {
        let memory_ns = u64::try_from(longest_slot.as_nanos()).unwrap_or(u64::MAX);
        Stalls { heard_ns: now_ns, pauses: VecDeque::new(), memory_ns, unreported_ns: 0 }
    }

    /// A beat was heard.
    pub fn heard(&mut self, now_ns: u64) {
        let pause = now_ns.saturating_sub(self.heard_ns);
        if pause > STALL_NS {
            self.pauses.push_back((self.heard_ns, now_ns));
            self.unreported_ns += pause - BEAT_NS;
        }
        self.heard_ns = now_ns;
        while self.pauses.front().is_some_and(|(_, to)| to + self.memory_ns < now_ns) {
            self.pauses.pop_front();
        }
    }

    /// Has whatever a standstill held up had this long to come and be told?
    pub fn settled(&self, within: Duration) -> bool {
        let over = |(from, to): &(u64, u64)| {
            to - from <= STANDSTILL_NS
                || u128::from(self.heard_ns.saturating_sub(*to)) >= within.as_nanos()
        };
        self.pauses.iter().all(over)
    }

    /// Time stalled since the last call, nanoseconds.
    pub fn take_total(&mut self) -> u64 {
        std::mem::take(&mut self.unreported_ns)
    }

    fn within(&self, from_ns: u64, to_ns: u64) -> u64 {
        let overlap = |(from, to): &(u64, u64)| to.min(&to_ns).saturating_sub(*from.max(&from_ns));
        self.pauses.iter().map(overlap).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    const LIMITS: Limits = Limits { deadline_ns: 250 * MS, allowance_ns: 5 * MS };

    fn times(due: u64, started: u64, done: u64) -> Times {
        Times { due: due * MS, started: started * MS, done: done * MS }
    }

    fn awake() -> Stalls {
        Stalls::new(0, Duration::from_secs(10))
    }

    /// Beats every 5 ms, but for the pause.
    fn stopped(from: u64, to: u64) -> Stalls {
        let mut stalls = awake();
        let beats = (0..=3_000).step_by(5).filter(|t| *t <= from || *t >= to);
        beats.for_each(|t| stalls.heard(t * MS));
        stalls
    }

    #[test]
    fn the_deadline_counts_from_the_due_time() {
        let good = grade(times(0, 5, 250), Ok(()), LIMITS, &awake());
        assert_eq!(good, Grade::Good);
        let late = grade(times(0, 5, 251), Ok(()), LIMITS, &awake());
        assert_eq!(late, Grade::Late);
        let bad = grade(times(0, 0, 1), Err(ErrorClass::Refused), LIMITS, &awake());
        assert_eq!(bad, Grade::Bad);
    }

    #[test]
    fn started_late_is_invalid_even_if_the_answer_was_right() {
        assert_eq!(grade(times(0, 6, 7), Ok(()), LIMITS, &awake()), Grade::Invalid);
        let refused = Err(ErrorClass::Refused);
        assert_eq!(grade(times(0, 6, 7), refused, LIMITS, &awake()), Grade::Invalid);
    }

    #[test]
    fn what_says_nothing_of_the_system_is_never_held_against_it() {
        for class in [ErrorClass::Ours, ErrorClass::NoData] {
            assert_eq!(grade(times(0, 0, 1), Err(class), LIMITS, &awake()), Grade::Invalid);
            assert_eq!(grade(times(0, 0, 900), Err(class), LIMITS, &awake()), Grade::Invalid);
        }
    }

    #[test]
    fn an_answer_hidden_by_a_stall_is_invalid() {
        let stalls = stopped(100, 400);
        assert_eq!(grade(times(99, 99, 401), Ok(()), LIMITS, &stalls), Grade::Invalid);
        let reset = Err(ErrorClass::Reset);
        assert_eq!(grade(times(99, 99, 401), reset, LIMITS, &stalls), Grade::Invalid);
    }

    #[test]
    fn a_stall_excuses_no_more_than_its_own_length() {
        let stalls = stopped(1_000, 1_300);
        // Silent for 2 s, of which we slept 0.3: the system was down.
        let timeout = Err(ErrorClass::Timeout);
        assert_eq!(grade(times(0, 0, 2_000), timeout, LIMITS, &stalls), Grade::Bad);
        assert_eq!(grade(times(0, 0, 2_000), Ok(()), LIMITS, &stalls), Grade::Late);
        // 540 - 300 is in time; 560 - 300 is not.
        assert_eq!(grade(times(900, 900, 1_440), Ok(()), LIMITS, &stalls), Grade::Invalid);
        assert_eq!(grade(times(900, 900, 1_460), Ok(()), LIMITS, &stalls), Grade::Late);
        // Before and after it nothing is excused.
        assert_eq!(grade(times(0, 0, 400), Ok(()), LIMITS, &stalls), Grade::Late);
        assert_eq!(grade(times(1_400, 1_400, 1_800), Ok(()), LIMITS, &stalls), Grade::Late);
    }

    #[test]
    fn answers_in_time_stand_across_a_short_stall() {
        let stalls = stopped(100, 200);
        assert_eq!(grade(times(99, 99, 201), Ok(()), LIMITS, &stalls), Grade::Good);
        let refused = Err(ErrorClass::Refused);
        assert_eq!(grade(times(99, 99, 201), refused, LIMITS, &stalls), Grade::Bad);
    }

    #[test]
    fn stalled_time_is_told_once_and_small_pauses_are_none() {
        let mut stalls = stopped(100, 400);
        assert_eq!(stalls.take_total(), 295 * MS);
        assert_eq!(stalls.take_total(), 0);
        let mut steady = awake();
        (0..100).for_each(|i| steady.heard(i * 10 * MS));
        assert_eq!(steady.take_total(), 0);
    }

    #[test]
    fn after_a_standstill_it_takes_a_while_until_all_is_told() {
        let within = Duration::from_millis(350);
        let mut stalls = stopped(100, 2_500);
        (2_505..2_850).step_by(5).for_each(|t| stalls.heard(t * MS));
        assert!(!stalls.settled(within));
        stalls.heard(2_850 * MS);
        assert!(stalls.settled(within));
        stalls.heard(2_950 * MS);
        assert!(stalls.settled(within), "so short a pause is within what delivery may take");
        stalls.heard(3_051 * MS);
        assert!(!stalls.settled(within));
    }

    #[test]
    fn old_pauses_are_forgotten() {
        let mut stalls = stopped(100, 400);
        (3_000..12_000).step_by(5).for_each(|t| stalls.heard(t * MS));
        assert!(stalls.pauses.is_empty());
    }

    #[test]
    fn the_allowance_is_one_interval_within_bounds() {
        let deadline = Duration::from_millis(250);
        assert_eq!(allowance_ns(1e9 / 200.0, deadline), 5 * MS);
        assert_eq!(allowance_ns(1e9 / 10_000.0, deadline), 2 * MS);
        assert_eq!(allowance_ns(1e9, deadline), 50 * MS);
        assert_eq!(allowance_ns(1e9, Duration::from_millis(40)), 10 * MS);
        assert_eq!(allowance_ns(1e9, Duration::from_millis(1)), 2 * MS);
    }
}

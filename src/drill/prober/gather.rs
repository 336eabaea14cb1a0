//! What several stands say, as if one had said it: the conductor knows one prober.
//!
//! Invariant: nothing is said for all before the last of them has said it. Awake is the prober up
//! to the time at which the sleepiest of them was.

use std::collections::BTreeMap;

use crate::model::history::{Entry, Lag};
use crate::model::message::FromProber;

/// The word of a stand whose thread is scheduled like any other.
const ORDINARY: &str = "other";

/// Gathers from so many stands.
pub struct Gather {
    stands: Vec<Stood>,
    awake_ns: u64,
    /// How many have read their ledgers, by round.
    ledgers: BTreeMap<u8, usize>,
}

/// How far one of them is.
#[derive(Default)]
struct Stood {
    scheduling: Option<String>,
    awake_ns: u64,
    finished: bool,
    /// What was told of its lag since all of them were last told of.
    lag: Option<Lag>,
}

impl Gather {
    pub fn of(stands: usize) -> Gather {
        let stands = (0..stands).map(|_| Stood::default()).collect();
        Gather { stands, awake_ns: 0, ledgers: BTreeMap::new() }
    }

    /// What is to be said now that this one has said that.
    pub fn take(&mut self, stand: usize, message: FromProber) -> Vec<FromProber> {
        match message {
            FromProber::Ready { scheduling } => {
                self.stands[stand].scheduling = Some(scheduling);
                self.ready().into_iter().collect()
            }
            FromProber::Awake { at_ns } => {
                self.stands[stand].awake_ns = at_ns;
                self.awake().into_iter().collect()
            }
            FromProber::LedgersRead { round } => {
                let read = self.ledgers.entry(round).or_insert(0);
                *read += 1;
                let all = *read == self.stands.len();
                all.then_some(FromProber::LedgersRead { round }).into_iter().collect()
            }
            FromProber::Finished => {
                self.stands[stand].finished = true;
                self.finished()
            }
            FromProber::Saw { at_ns, entry } => match *entry {
                Entry::Lag(lag) => {
                    let told = &mut self.stands[stand].lag;
                    *told = Some(told.map_or(lag, |before| one_after_another(before, lag)));
                    let all = self.stands.iter().all(|one| one.lag.is_some());
                    if all { vec![self.lag(at_ns)] } else { Vec::new() }
                }
                other => vec![FromProber::Saw { at_ns, entry: Box::new(other) }],
            },
            other => vec![other],
        }
    }

    fn ready(&self) -> Option<FromProber> {
        let words: Option<Vec<&String>> =
            self.stands.iter().map(|one| one.scheduling.as_ref()).collect();
        let words = words?;
        let ordinary = words.iter().find(|word| word.as_str() == ORDINARY);
        let scheduling = (*ordinary.or(words.first())?).clone();
        Some(FromProber::Ready { scheduling })
    }

    fn awake(&mut self) -> Option<FromProber> {
        let at_ns = self.stands.iter().map(|one| one.awake_ns).min()?;
        (at_ns > self.awake_ns).then(|| {
            self.awake_ns = at_ns;
            FromProber::Awake { at_ns }
        })
    }

    /// What was told of lags by only some of them is not kept back for ever.
    fn finished(&mut self) -> Vec<FromProber> {
        if !self.stands.iter().all(|one| one.finished) {
            return Vec::new();
        }
        for one in &mut self.stands {
            one.finished = false;
        }
        let left = self.stands.iter().any(|one| one.lag.is_some());
        let lag = left.then(|| self.lag(crate::host::linux::clock::monotonic_ns()));
        lag.into_iter().chain([FromProber::Finished]).collect()
    }

    fn lag(&mut self, at_ns: u64) -> FromProber {
        let told = self.stands.iter_mut().filter_map(|one| one.lag.take());
        let lag = told.reduce(side_by_side).unwrap_or_default();
        FromProber::Saw { at_ns, entry: Box::new(Entry::Lag(lag)) }
    }
}

fn one_after_another(before: Lag, after: Lag) -> Lag {
    Lag { stalled_ns: before.stalled_ns + after.stalled_ns, ..side_by_side(before, after) }
}

/// Quantiles cannot be merged: the higher one is an upper bound of both.
fn side_by_side(one: Lag, other: Lag) -> Lag {
    Lag {
        slots: one.slots + other.slots,
        p50_ns: one.p50_ns.max(other.p50_ns),
        p99_ns: one.p99_ns.max(other.p99_ns),
        max_ns: one.max_ns.max(other.max_ns),
        stalled_ns: one.stalled_ns.max(other.stalled_ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(word: &str) -> FromProber {
        FromProber::Ready { scheduling: word.to_owned() }
    }

    fn lag(slots: u64, max_ns: u64, stalled_ns: u64) -> FromProber {
        let lag = Lag { slots, p50_ns: 1, p99_ns: 2, max_ns, stalled_ns };
        FromProber::Saw { at_ns: 1, entry: Box::new(Entry::Lag(lag)) }
    }

    fn lag_in(said: &[FromProber]) -> Lag {
        let [FromProber::Saw { entry, .. }, ..] = said else { panic!("{said:?}") };
        let Entry::Lag(lag) = **entry else { panic!("{said:?}") };
        lag
    }

    #[test]
    fn nothing_is_said_for_all_before_the_last_has_said_it() {
        let mut gather = Gather::of(2);
        assert_eq!(gather.take(0, ready("fifo")), []);
        assert_eq!(gather.take(1, ready("other")), [ready("other")]);
        let read = |round| FromProber::LedgersRead { round };
        assert_eq!(gather.take(1, read(1)), []);
        assert_eq!(gather.take(1, read(2)), []);
        assert_eq!(gather.take(0, read(1)), [read(1)]);
        assert_eq!(gather.take(0, read(2)), [read(2)]);
        assert_eq!(gather.take(0, FromProber::Finished), []);
        assert_eq!(gather.take(1, FromProber::Finished), [FromProber::Finished]);
    }

    #[test]
    fn all_are_awake_up_to_where_the_sleepiest_was() {
        let mut gather = Gather::of(2);
        let awake = |at_ns| FromProber::Awake { at_ns };
        assert_eq!(gather.take(0, awake(10)), []);
        assert_eq!(gather.take(0, awake(90)), []);
        assert_eq!(gather.take(1, awake(20)), [awake(20)]);
        assert_eq!(gather.take(0, awake(95)), [], "nothing new");
        assert_eq!(gather.take(1, awake(99)), [awake(95)]);
    }

    #[test]
    fn lags_of_the_same_time_are_one_line_and_a_standstill_counts_once() {
        let mut gather = Gather::of(2);
        assert_eq!(gather.take(0, lag(100, 5, 300)), []);
        let both = lag_in(&gather.take(1, lag(10, 9, 200)));
        assert_eq!((both.slots, both.max_ns, both.stalled_ns), (110, 9, 300));
        // One of them told twice before the other did: that is time after time.
        assert_eq!(gather.take(0, lag(100, 5, 300)), []);
        assert_eq!(gather.take(0, lag(50, 6, 100)), []);
        let both = lag_in(&gather.take(1, lag(10, 1, 0)));
        assert_eq!((both.slots, both.max_ns, both.stalled_ns), (160, 6, 400));
        assert_eq!(gather.take(0, lag(7, 1, 0)), []);
        assert_eq!(gather.take(0, FromProber::Finished), []);
        let end = gather.take(1, FromProber::Finished);
        assert_eq!(lag_in(&end).slots, 7);
        assert_eq!(end[1..], [FromProber::Finished]);
    }

    #[test]
    fn what_is_of_one_alone_passes_through() {
        let mut gather = Gather::of(2);
        let unfit = FromProber::Unfit { probe: "p".into(), why: "w".into() };
        assert_eq!(gather.take(1, unfit.clone()), [unfit]);
        let entry = Entry::Slots { probe: "p".into(), slots: Vec::new() };
        let saw = FromProber::Saw { at_ns: 7, entry: Box::new(entry) };
        assert_eq!(gather.take(0, saw.clone()), [saw]);
    }
}

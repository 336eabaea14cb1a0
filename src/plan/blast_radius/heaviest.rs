//! The heaviest set of distinct things that several draws can make up together.
//!
//! Sets that draws can make up are the independent sets of a transversal matroid, so taking the
//! heaviest first, as long as the draws can still be matched, is exact.

use std::collections::BTreeSet;

/// Each draw is any so many of its things.
pub fn heaviest<T: Ord + Copy>(
    draws: &[(BTreeSet<T>, usize)],
    weight: &dyn Fn(&T) -> usize,
) -> usize {
    let all: BTreeSet<T> = draws.iter().flat_map(|(among, _)| among).copied().collect();
    let mut things: Vec<(usize, T)> = all.iter().map(|thing| (weight(thing), *thing)).collect();
    things.retain(|(weight, _)| *weight > 0);
    things.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let mut held: Vec<Vec<T>> = draws.iter().map(|_| Vec::new()).collect();
    let mut free: usize = draws.iter().map(|(among, count)| among.len().min(*count)).sum();
    let mut total = 0;
    for (weight, thing) in things {
        if free == 0 {
            break;
        }
        let mut tried = vec![false; draws.len()];
        if settle(thing, draws, &mut held, &mut tried) {
            total += weight;
            free -= 1;
        }
    }
    total
}

/// Finds a draw for the thing, moving others to other draws where that helps.
fn settle<T: Ord + Copy>(
    thing: T,
    draws: &[(BTreeSet<T>, usize)],
    held: &mut [Vec<T>],
    tried: &mut [bool],
) -> bool {
    for draw in 0..draws.len() {
        if tried[draw] || !draws[draw].0.contains(&thing) {
            continue;
        }
        tried[draw] = true;
        if held[draw].len() < draws[draw].1 {
            held[draw].push(thing);
            return true;
        }
        for place in 0..held[draw].len() {
            let other = held[draw][place];
            if settle(other, draws, held, tried) {
                held[draw][place] = thing;
                return true;
            }
        }
    }
    false
}

//! The seeded choice of targets. The algorithm is part of the plan's format: `ChaCha20` keyed by
//! seed and target name, then the first places of a Fisher-Yates shuffle of the names in order.
//! Every target draws from a stream of its own, so that adding one moves no other.

use chacha20::ChaCha20Rng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use crate::model::inventory::InstanceName;

/// Chooses `count` of `names`, or all where there are fewer. The order in which `names` come does
/// not matter; the chosen come in the order of their names.
#[must_use]
pub fn pick(seed: u64, target: &str, names: &[InstanceName], count: usize) -> Vec<InstanceName> {
    let mut pool = names.to_vec();
    pool.sort();
    pool.dedup();
    let count = count.min(pool.len());
    let mut stream = stream(seed, target);
    for place in 0..count {
        let other = place + below(&mut stream, pool.len() - place);
        pool.swap(place, other);
    }
    pool.truncate(count);
    pool.sort();
    pool
}

fn stream(seed: u64, target: &str) -> ChaCha20Rng {
    let key = Sha256::new()
        .chain_update(b"squall pick\0")
        .chain_update(seed.to_le_bytes())
        .chain_update(target.as_bytes())
        .finalize();
    ChaCha20Rng::from_seed(key.into())
}

/// A number below `limit`, each as likely as any other: what would favour the low ones is drawn
/// again.
fn below(stream: &mut ChaCha20Rng, limit: usize) -> usize {
    let limit = limit.max(1) as u64;
    let fair = u64::MAX - u64::MAX % limit;
    loop {
        let drawn = stream.next_u64();
        if drawn < fair {
            return usize::try_from(drawn % limit).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<InstanceName> {
        (0..count).map(|n| InstanceName(format!("web@w{n}"))).collect()
    }

    #[test]
    fn a_seed_chooses_the_same_for_ever() {
        // Worked out by another program from the definition above, so that no change of a library
        // or of the code moves an old replay.
        let drawn: Vec<String> =
            pick(42, "web", &names(10), 3).iter().map(ToString::to_string).collect();
        assert_eq!(drawn, ["web@w3", "web@w6", "web@w8"]);
    }

    #[test]
    fn the_order_of_what_was_found_does_not_matter() {
        let mut backwards = names(10);
        backwards.reverse();
        backwards.push(InstanceName("web@w0".into()));
        for seed in 0..50 {
            assert_eq!(pick(seed, "web", &names(10), 4), pick(seed, "web", &backwards, 4));
        }
    }

    #[test]
    fn every_target_has_a_stream_of_its_own() {
        let differ = (0..50)
            .filter(|s| pick(*s, "a", &names(10), 1) != pick(*s, "b", &names(10), 1))
            .count();
        assert!(differ > 30, "{differ} of 50 seeds choose differently by name");
    }

    #[test]
    fn each_is_chosen_about_as_often_as_any_other() {
        let mut hits = [0_u32; 5];
        for seed in 0..5000 {
            for chosen in pick(seed, "web", &names(5), 2) {
                let number: usize = chosen.0.trim_start_matches("web@w").parse().unwrap();
                hits[number] += 1;
            }
        }
        // 2000 expected each, standard deviation 35: five of them.
        assert!(hits.iter().all(|h| (1825..2175).contains(h)), "{hits:?}");
    }

    #[test]
    fn never_more_than_there_are_and_none_twice() {
        assert_eq!(pick(1, "web", &names(3), 9), names(3));
        assert!(pick(1, "web", &[], 1).is_empty());
        assert!(pick(1, "web", &names(3), 0).is_empty());
    }
}

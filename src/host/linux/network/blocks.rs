//! Blocks of addresses as the kernel's interval sets want them: apart, in order, each as its first
//! address and the one after its last. Overlapping or touching blocks become one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::network::Cidr;

/// One run of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    pub first: Vec<u8>,
    /// None: up to the last address that there is.
    pub past: Option<Vec<u8>>,
}

/// The blocks of one family as intervals.
pub(super) fn intervals(blocks: &[Cidr], ipv6: bool) -> Vec<Interval> {
    let mut runs: Vec<(u128, u128)> =
        blocks.iter().filter(|b| b.address.is_ipv6() == ipv6).map(run).collect();
    runs.sort_unstable();
    let mut apart: Vec<(u128, u128)> = Vec::with_capacity(runs.len());
    for (first, last) in runs {
        match apart.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => apart.push((first, last)),
        }
    }
    let end = if ipv6 { u128::MAX } else { u128::from(u32::MAX) };
    let interval = |(first, last)| Interval {
        first: bytes(first, ipv6),
        past: (last < end).then(|| bytes(last + 1, ipv6)),
    };
    apart.into_iter().map(interval).collect()
}

/// First and last address of a block.
fn run(block: &Cidr) -> (u128, u128) {
    let (address, width) = match block.address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let free = 1_u128.checked_shl(width - u32::from(block.prefix)).map_or(u128::MAX, |n| n - 1);
    (address & !free, address | free)
}

fn bytes(address: u128, ipv6: bool) -> Vec<u8> {
    if ipv6 {
        Ipv6Addr::from_bits(address).octets().to_vec()
    } else {
        Ipv4Addr::from_bits(u32::try_from(address).unwrap_or(u32::MAX)).octets().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(blocks: &[&str], ipv6: bool) -> Vec<Interval> {
        let blocks: Vec<Cidr> = blocks.iter().map(|b| b.parse().unwrap()).collect();
        intervals(&blocks, ipv6)
    }

    fn interval(first: &[u8], past: Option<&[u8]>) -> Interval {
        Interval { first: first.to_vec(), past: past.map(<[u8]>::to_vec) }
    }

    #[test]
    fn overlapping_touching_and_repeated_blocks_become_one() {
        let found = of(&["10.0.0.2", "10.0.0.3", "10.0.0.0/31", "10.0.0.3", "10.9.0.0/16"], false);
        assert_eq!(
            found,
            [
                interval(&[10, 0, 0, 0], Some(&[10, 0, 0, 4])),
                interval(&[10, 9, 0, 0], Some(&[10, 10, 0, 0])),
            ]
        );
    }

    #[test]
    fn a_gap_of_one_address_stays() {
        assert_eq!(of(&["10.0.0.1", "10.0.0.3"], false).len(), 2);
    }

    #[test]
    fn host_bits_of_a_block_do_not_count() {
        assert_eq!(of(&["10.0.0.77/24"], false), of(&["10.0.0.0/24"], false));
    }

    #[test]
    fn the_last_address_has_none_past_it() {
        assert_eq!(of(&["255.255.255.255"], false), [interval(&[255; 4], None)]);
        assert_eq!(of(&["0.0.0.0/0"], false), [interval(&[0; 4], None)]);
        assert_eq!(of(&["::/0"], true), [interval(&[0; 16], None)]);
    }

    #[test]
    fn families_do_not_mix() {
        assert_eq!(of(&["10.0.0.1", "fd66::/64"], true).len(), 1);
        assert_eq!(of(&["10.0.0.1", "fd66::/64"], false).len(), 1);
    }
}

//! What a network fault does to which packets, before any kernel knows of it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::InjectionId;
use super::units::{Percent, Span};

/// Seen from the target: `in` arrives at it, `out` leaves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    #[default]
    Both,
    In,
    Out,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A block of addresses, `10.66.0.0/24` or `fd66::/64`; a single address is a block of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}

/// Which packets. An empty list means all; the lists are joined by *and*.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PacketFilter {
    /// The far end. Empty: everyone, the loopback of the target's own namespace left out.
    pub peers: Vec<Cidr>,
    pub protocol: Option<Protocol>,
    /// Source *or* destination port is one of these; needs a protocol.
    pub ports: Vec<u16>,
}

/// What happens to a packet that the filter takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Effect {
    /// Silently gone, established connections too.
    Drop,
    /// Held for `delay` plus or minus a uniform `jitter`, never overtaking an earlier packet.
    Delay {
        delay: Span,
        jitter: Span,
        /// Of the jitter.
        #[serde(default)]
        seed: u64,
    },
    /// Gone with this probability, each packet by itself (segments, not super-packets).
    Lose { percent: Percent, seed: u64 },
}

/// One injection's share of a carrier. Delay and loss act on arriving packets only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Impairment {
    pub id: InjectionId,
    pub direction: Direction,
    pub filter: PacketFilter,
    pub effect: Effect,
}

impl Cidr {
    #[must_use]
    pub fn host(address: IpAddr) -> Cidr {
        Cidr { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Is the address in the block? One of the other family never is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(block), IpAddr::V4(one)) => {
                let shift = 32 - u32::from(self.prefix.min(32));
                block.to_bits().checked_shr(shift) == one.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(block), IpAddr::V6(one)) => {
                let shift = 128 - u32::from(self.prefix.min(128));
                block.to_bits().checked_shr(shift) == one.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(s: &str) -> Result<Cidr, String> {
        let wrong = || format!("`{s}` is not an address or a block like 10.0.0.0/8 or fd00::/8");
        let (address, prefix) = match s.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (s, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let widest = Cidr::host(address).prefix;
        let prefix = prefix.map_or(Ok(widest), |p| p.parse().map_err(|_| wrong()))?;
        if prefix > widest {
            return Err(wrong());
        }
        Ok(Cidr { address, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Cidr::host(self.address) {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.prefix)
        }
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Cidr, String> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> String {
        cidr.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_contains_its_own() {
        let holds = |block: &str, address: &str| {
            block.parse::<Cidr>().unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.66.0.0/24", "10.66.0.11"));
        assert!(!holds("10.66.0.0/24", "10.66.1.11"));
        assert!(holds("0.0.0.0/0", "1.2.3.4"));
        assert!(holds("fd66::/64", "fd66::11"));
        assert!(!holds("fd66::11", "fd66::12"));
        assert!(!holds("0.0.0.0/0", "fd66::11"));
    }
}

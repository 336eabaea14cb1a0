//! `nft` and `tc` started as programs, as scripts do it. Only the benches ever start them.

use squall::host::linux::clock::monotonic_ns;

use crate::world::{Space, run};

/// Drops datagrams to one port as they arrive.
const NFT: &str = "add table ip bench; \
    add chain ip bench arriving { type filter hook prerouting priority -300; }; \
    add rule ip bench arriving udp dport 7000 drop";

/// Drops whatever leaves: a queue of length 0. Kernels without `netem` have no better one.
const TC: [&str; 9] = ["tc", "qdisc", "replace", "dev", "eth0", "root", "pfifo", "limit", "0"];

/// Starts the program in the namespace; just before it was started.
pub fn nft(server: &Space) -> Result<u64, String> {
    server.inside(|| {
        let began_ns = monotonic_ns();
        run(&["nft", NFT]).map(|()| began_ns)
    })
}

pub fn nft_undo(server: &Space) -> Result<(), String> {
    server.inside(|| run(&["nft", "delete table ip bench"]))
}

/// As [`nft`], at the sender's end.
pub fn tc(client: &Space) -> Result<u64, String> {
    client.inside(|| {
        let began_ns = monotonic_ns();
        run(&TC).map(|()| began_ns)
    })
}

pub fn tc_undo(client: &Space) -> Result<(), String> {
    client.inside(|| run(&["tc", "qdisc", "delete", "dev", "eth0", "root"]))
}

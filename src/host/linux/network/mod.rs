//! Network faults on Linux: `nf_tables` drops, the kernel's packet queue and a thread of ours delay
//! and lose. Everything is asked for over netlink, and everything dies with our sockets.
//!
//! From the top: [`LinuxNetwork`] keeps a [`carrier`] for each namespace; a carrier is [`tables`]
//! and, for each injection, [`rules`]; marked packets go through a [`queue`] to the [`engine`],
//! whose [`pipeline`] of [`stage`]s says who waits and who is lost. [`listing`] and [`canary`] look
//! at the world. [`probing`] finds out what can be had.

mod batch;
mod blocks;
mod canary;
mod canary_packet;
mod carrier;
mod engine;
mod expression;
mod linux_network;
mod listing;
mod pipeline;
mod probing;
mod queue;
mod rules;
mod socket;
mod stage;
mod tables;
mod urgency;

pub use linux_network::{LinuxNetwork, probe_carriers};
pub use probing::Probing;

//! The binary as a person uses it, over a lab of one process: what it prints, how it exits, and
//! that it ends and leaves nothing, whatever is done to it meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests look from outside, with a clock of their own"
)]

mod bound;
mod codes;
mod contest;
mod deaths;
mod kept;
mod leftovers;
mod live;
mod many;
mod output;
mod places;
mod remedies;
mod secrets;
mod signals;
mod silent_lab;
mod stand;
mod state;
mod stop_conditions;
mod together;
mod witness;

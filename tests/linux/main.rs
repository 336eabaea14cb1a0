//! What needs real namespaces of this kernel: run as root, or in a user namespace of one's own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

mod network;

//! The command line: one file per subcommand.

pub mod approval;
pub mod failure;
pub mod plan;
pub mod plan_file;

//! The command line: one file per subcommand.

pub mod catalogue;
pub mod new;
pub mod schema;
pub mod validate;

//! The binary: parses the command line, hands over, maps the outcome to an exit code.
fn main() {}

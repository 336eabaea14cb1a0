//! Asking first.

use std::io::{BufRead, IsTerminal, Write};

use crate::model::outcome::ExitCode;
use crate::model::plan::Plan;

use super::failure::Failure;

/// Will somebody be asked? A lab needs no asking: squall started it and the kernel removes it.
/// Anything else needs a yes, typed or by `--yes`; where nobody can type, that is a refusal.
#[must_use]
pub fn asks(plan: &Plan, yes: bool) -> bool {
    !plan.is_all_ours() && !yes
}

/// Errors: nobody said yes.
pub fn confirm(plan: &Plan, yes: bool) -> Result<(), Failure> {
    if !asks(plan, yes) {
        return Ok(());
    }
    let refused = |why: &str| Failure::new(ExitCode::Refused, why);
    if !std::io::stdin().is_terminal() {
        return Err(refused("refused: nobody is here to say yes; read the plan and give --yes"));
    }
    let mut out = std::io::stderr();
    let _unseen = write!(out, "Run this on a system that squall did not start? [y/N] ");
    let _unseen = out.flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(refused("refused: you did not say yes"))
    }
}

//! How every network fault is seen: by the kernel's list of rules, and by canaries in the fault's
//! own direction. Not an entry of the catalogue.
//!
//! A canary proves something only on a path that was clear before the fault and that no other
//! injection of the drill is on; where it proves nothing, the evidence says so.

use std::time::Duration;

use super::network_recipe::{Path, Undo};
use super::{Expect, FaultError};
use crate::host::network::{Canary, CanaryReport};
use crate::host::{Host, HostError};
use crate::model::network::Effect;

/// How long a namespace may take to be as it was: the tables of a killed process take some ms.
const GONE_WITHIN_NS: u64 = 1_000_000_000;
/// A canary that is not there by then was dropped, or is on its way through a delay.
const LOST_AFTER: Duration = Duration::from_millis(20);
/// The longest that anybody waits for a delayed canary; not arrived by then is late enough.
const DELAY_PATIENCE: Duration = Duration::from_secs(1);
/// By how much more than asked a canary may be late: a busy machine's wake-ups.
const SLACK: Duration = Duration::from_millis(200);
/// Faster than this is prompt, however short the delay was.
const PROMPT: Duration = Duration::from_millis(10);
/// The chance to see no loss although there is one.
const OVERSIGHT: f64 = 1e-6;
const LOSS_CANARIES: (u32, u32) = (5, 2000);
const CANARIES: u32 = 3;

/// Looks at the world. Errors: `Unexpected`, or `Void` when the target's namespace is gone.
pub fn verify(host: &mut dyn Host, undo: &Undo, expect: Expect) -> Result<String, FaultError> {
    match expect {
        Expect::InForce => in_force(host, undo),
        Expect::Gone => gone(host, undo),
    }
}

fn in_force(host: &dyn Host, undo: &Undo) -> Result<String, FaultError> {
    let listed = listed(host, undo)?;
    if listed.is_empty() {
        let path = &undo.netns.path;
        return Err(FaultError::Unexpected(format!("no rule of {} in {path}", undo.injection)));
    }
    let mut evidence = vec![format!("{} rules and sets listed", listed.len())];
    let mut seen = false;
    let clear: Vec<&Path> = undo.paths.iter().filter(|path| path.clear).collect();
    let flights: Vec<Canary> =
        clear.iter().map(|path| flight(undo, path, Expect::InForce)).collect();
    for (path, flown) in clear.into_iter().zip(host.canaries(&flights)) {
        let Some(report) = flew(flown) else { continue };
        seen = true;
        evidence.push(judge_in_force(host, undo, path, &report)?);
    }
    if !seen {
        evidence.push("no canary flew: no far end that can be entered and was clear".to_owned());
    }
    Ok(evidence.join("; "))
}

fn gone(host: &dyn Host, undo: &Undo) -> Result<String, FaultError> {
    let until = host.now_ns() + GONE_WITHIN_NS;
    let mut left = listed(host, undo)?;
    while !left.is_empty() {
        if host.now_ns() > until {
            return Err(FaultError::Unexpected(format!("still there: {}", left.join("; "))));
        }
        left = listed(host, undo)?;
    }
    let mut evidence = vec!["nothing listed".to_owned()];
    let mut seen = false;
    for path in undo.paths.iter().filter(|path| path.clear) {
        if others_on(host, undo, path)? {
            evidence.push(format!("another injection is on the path {}", path.words()));
            continue;
        }
        if let Some(words) = prompt(host, undo, path)? {
            seen = true;
            evidence.push(words);
        }
    }
    if !seen {
        evidence.push("by the list alone: no canary could prove it".to_owned());
    }
    Ok(evidence.join("; "))
}

/// Flies until canaries are as prompt as before the fault; None: none can be flown.
fn prompt(host: &dyn Host, undo: &Undo, path: &Path) -> Result<Option<String>, FaultError> {
    let until = host.now_ns() + GONE_WITHIN_NS;
    loop {
        let flown = host.canary(&flight(undo, path, Expect::Gone));
        let Some(report) = flew(flown) else { return Ok(None) };
        let (arrived, sent) = (report.delays_ns.len(), report.sent);
        let fastest = report.delays_ns.iter().min().copied();
        let good = match &undo.impairment.effect {
            Effect::Drop => arrived > 0,
            Effect::Delay { delay, jitter, .. } => {
                let bound = delay.0.saturating_sub(jitter.0).max(PROMPT);
                fastest.is_some_and(|ns| Duration::from_nanos(ns) < bound)
            }
            Effect::Lose { .. } => u32::try_from(arrived).is_ok_and(|arrived| arrived == sent),
        };
        if good {
            return Ok(Some(format!("{arrived} of {sent} canaries arrive {}", path.words())));
        }
        if host.now_ns() > until {
            let fastest = fastest.map_or("none".to_owned(), millis);
            return Err(FaultError::Unexpected(format!(
                "{arrived} of {sent} canaries arrive {}, the fastest after {fastest}",
                path.words()
            )));
        }
    }
}

fn judge_in_force(
    host: &dyn Host,
    undo: &Undo,
    path: &Path,
    report: &CanaryReport,
) -> Result<String, FaultError> {
    let (arrived, sent) = (report.delays_ns.len(), report.sent as usize);
    let words = path.words();
    let unexpected = |what: String| Err(FaultError::Unexpected(format!("{what} {words}")));
    match &undo.impairment.effect {
        Effect::Drop if arrived > 0 => unexpected(format!("{arrived} of {sent} canaries arrive")),
        Effect::Drop => Ok(format!("{sent} canaries lost {words}")),
        Effect::Lose { percent, .. } if arrived == sent && enough(percent.fraction()) => {
            unexpected(format!("none of {sent} canaries lost"))
        }
        Effect::Lose { .. } => Ok(format!("{} of {sent} canaries lost {words}", sent - arrived)),
        Effect::Delay { delay, jitter, .. } => {
            let least = delay.0.saturating_sub(jitter.0);
            let most = delay.0 + jitter.0 + SLACK;
            let fastest = report.delays_ns.iter().min().map(|ns| Duration::from_nanos(*ns));
            match fastest {
                Some(fastest) if fastest < least => {
                    unexpected(format!("a canary arrives after {fastest:?}, not {least:?},"))
                }
                Some(fastest) if fastest > most && !others_on(host, undo, path)? => {
                    unexpected(format!("the fastest canary arrives after {fastest:?}"))
                }
                Some(fastest) => Ok(format!("canaries arrive after {fastest:?} {words}")),
                None if most > DELAY_PATIENCE => {
                    Ok(format!("no canary within {DELAY_PATIENCE:?} {words}"))
                }
                None if others_on(host, undo, path)? => {
                    Ok(format!("no canary {words}: another injection is on that path"))
                }
                None => unexpected(format!("none of {sent} canaries arrives")),
            }
        }
    }
}

/// A flight as the effect asks for it.
fn flight(undo: &Undo, path: &Path, expect: Expect) -> Canary {
    let (count, patience) = match (&undo.impairment.effect, expect) {
        (Effect::Drop, Expect::InForce) => (CANARIES, LOST_AFTER),
        (Effect::Delay { delay, jitter, .. }, Expect::InForce) => {
            (CANARIES, (delay.0 + jitter.0 + SLACK).min(DELAY_PATIENCE))
        }
        (Effect::Drop | Effect::Delay { .. }, Expect::Gone) => (CANARIES, LOST_AFTER * 5),
        (Effect::Lose { percent, .. }, _) => (loss_canaries(percent.fraction()), LOST_AFTER),
    };
    path.canary(undo, count, patience)
}

/// None: it could not be flown: the far end is gone, or its own side refuses to send.
fn flew(flown: Result<CanaryReport, HostError>) -> Option<CanaryReport> {
    flown.ok().filter(|report| report.sent > 0)
}

/// How many it takes to see one lost, but for one time in a million.
fn loss_canaries(share: f64) -> u32 {
    let (least, most) = LOSS_CANARIES;
    let wanted = (OVERSIGHT.ln() / (1.0 - share).ln()).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let wanted = wanted.clamp(f64::from(least), f64::from(most)) as u32;
    wanted
}

/// Are the canaries so many that a loss cannot have been overlooked?
fn enough(share: f64) -> bool {
    (1.0 - share).powf(f64::from(loss_canaries(share))) <= OVERSIGHT * 1.01
}

/// Lines of the list that are this injection's.
fn listed(host: &dyn Host, undo: &Undo) -> Result<Vec<String>, FaultError> {
    let mut lines = host.ours(&undo.netns, Some(&undo.injection.drill))?;
    let tag = format!(" of {}", undo.injection);
    lines.retain(|line| line.ends_with(&tag));
    Ok(lines)
}

/// Is another injection of this drill in force at either end?
fn others_on(host: &dyn Host, undo: &Undo, path: &Path) -> Result<bool, FaultError> {
    let drill = Some(&undo.injection.drill);
    let mut lines = host.ours(&undo.netns, drill)?;
    // A far end that is gone has no rules.
    lines.extend(host.ours(&path.peer_netns, drill).unwrap_or_default());
    let tag = format!(" of {}", undo.injection);
    Ok(lines.iter().any(|line| line.contains(" of ") && !line.ends_with(&tag)))
}

fn millis(ns: u64) -> String {
    format!("{:?}", Duration::from_micros(ns / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_canaries_for_the_share_and_no_more() {
        assert_eq!(loss_canaries(0.1), 132);
        assert_eq!(loss_canaries(0.5), 20);
        assert_eq!(loss_canaries(1.0), 5);
        assert_eq!(loss_canaries(0.000_1), 2000);
        assert!(enough(0.1) && enough(1.0) && enough(0.9));
        assert!(!enough(0.001));
    }
}

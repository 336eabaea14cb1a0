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

/// How long a namespace may take to be as it was: the tables of a killed process take some ms. One
/// deadline for the list and all paths: whoever looks is silent, and a lease is not much longer.
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
/// At the end of a hold the undo waits for us: no flight takes longer then, launch and patience.
const BRIEF: Duration = Duration::from_millis(50);
const BRIEF_LOSS_CANARIES: u32 = 300;

/// What a flight is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// It came into force: exactly as asked.
    Came,
    /// It is still in force, seen in a moment: not what no fault would look like.
    Lasts,
    Gone,
}

/// Looks at the world. Errors: `Unexpected`, or `Void` when the target's namespace is gone.
pub fn verify(host: &mut dyn Host, undo: &Undo, expect: Expect) -> Result<String, FaultError> {
    match expect {
        Expect::InForce => in_force(host, undo, Sight::Came),
        Expect::Gone => gone(host, undo),
    }
}

/// Is it in force until now? Takes a moment. Errors: as for [`verify`].
pub fn lasted(host: &dyn Host, undo: &Undo) -> Result<String, FaultError> {
    in_force(host, undo, Sight::Lasts)
}

/// Is the target's namespace still the one that it was? Errors: `Void`.
pub fn glance(host: &dyn Host, undo: &Undo) -> Result<(), FaultError> {
    let path = &undo.netns.path;
    if host.identify_netns(path)? == undo.netns {
        return Ok(());
    }
    Err(FaultError::Void(format!("network namespace {path} is gone")))
}

fn in_force(host: &dyn Host, undo: &Undo, sight: Sight) -> Result<String, FaultError> {
    let listed = listed(host, undo)?;
    if listed.is_empty() {
        let path = &undo.netns.path;
        return Err(FaultError::Unexpected(format!("no rule of {} in {path}", undo.injection)));
    }
    let mut evidence = vec![format!("{} rules and sets listed", listed.len())];
    let mut seen = false;
    let clear: Vec<&Path> = undo.paths.iter().filter(|path| path.clear).collect();
    let flights: Vec<Canary> = clear.iter().map(|path| flight(undo, path, sight)).collect();
    for (path, flown) in clear.into_iter().zip(host.canaries(&flights)) {
        let Some(report) = flew(flown) else { continue };
        seen = true;
        evidence.push(match sight {
            Sight::Lasts => judge_lasts(undo, path, &report)?,
            Sight::Came | Sight::Gone => judge_in_force(host, undo, path, &report)?,
        });
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
    let mut waiting = Vec::new();
    for path in undo.paths.iter().filter(|path| path.clear) {
        if others_on(host, undo, path)? {
            evidence.push(format!("another injection is on the path {}", path.words()));
        } else {
            waiting.push(path);
        }
    }
    let seen = prompt(host, undo, waiting, until)?;
    if seen.is_empty() {
        evidence.push("by the list alone: no canary could prove it".to_owned());
    }
    evidence.extend(seen);
    Ok(evidence.join("; "))
}

/// Flies on all paths at once until canaries are as prompt on each as before the fault. What was
/// seen; nothing of a path on which none can be flown.
fn prompt(
    host: &dyn Host,
    undo: &Undo,
    mut waiting: Vec<&Path>,
    until: u64,
) -> Result<Vec<String>, FaultError> {
    let mut seen = Vec::new();
    while !waiting.is_empty() {
        let late = host.now_ns() > until;
        let flights: Vec<Canary> =
            waiting.iter().map(|path| flight(undo, path, Sight::Gone)).collect();
        let mut again = Vec::new();
        for (path, flown) in waiting.into_iter().zip(host.canaries(&flights)) {
            let Some(report) = flew(flown) else { continue };
            let (arrived, sent) = (report.delays_ns.len(), report.sent);
            let words = format!("{arrived} of {sent} canaries arrive {}", path.words());
            if is_prompt(&undo.impairment.effect, &report) {
                seen.push(words);
            } else if late {
                let fastest = report.delays_ns.iter().min().copied();
                let fastest = fastest.map_or("none".to_owned(), millis);
                return Err(FaultError::Unexpected(format!(
                    "{words}, the fastest after {fastest}"
                )));
            } else {
                again.push(path);
            }
        }
        waiting = again;
    }
    Ok(seen)
}

/// As it is without the fault.
fn is_prompt(effect: &Effect, report: &CanaryReport) -> bool {
    match effect {
        Effect::Drop => !report.delays_ns.is_empty(),
        Effect::Delay { delay, jitter, .. } => {
            let bound = delay.0.saturating_sub(jitter.0).max(PROMPT);
            report.delays_ns.iter().any(|ns| Duration::from_nanos(*ns) < bound)
        }
        Effect::Lose { .. } => report.delays_ns.len() == report.sent as usize,
    }
}

/// Sees what no fault would look like, and takes anything else for the fault: a moment is too short
/// to wait for a delay.
fn judge_lasts(undo: &Undo, path: &Path, report: &CanaryReport) -> Result<String, FaultError> {
    let (arrived, sent) = (report.delays_ns.len(), report.sent);
    let untouched = match &undo.impairment.effect {
        Effect::Delay { delay, jitter, .. } => {
            let least = delay.0.saturating_sub(jitter.0);
            report.delays_ns.iter().any(|ns| Duration::from_nanos(*ns) < least)
        }
        Effect::Lose { percent, .. } => {
            is_prompt(&undo.impairment.effect, report) && enough(percent.fraction(), sent)
        }
        effect @ Effect::Drop => is_prompt(effect, report),
    };
    let words = format!("{arrived} of {sent} canaries arrive {}", path.words());
    if untouched {
        return Err(FaultError::Unexpected(format!("{words} as if nothing were in force")));
    }
    Ok(words)
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
        Effect::Lose { percent, .. }
            if arrived == sent && enough(percent.fraction(), report.sent) =>
        {
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
fn flight(undo: &Undo, path: &Path, sight: Sight) -> Canary {
    let (count, patience) = match (&undo.impairment.effect, sight) {
        (Effect::Drop, Sight::Came | Sight::Lasts) => (CANARIES, LOST_AFTER),
        (Effect::Delay { delay, jitter, .. }, Sight::Came) => {
            (CANARIES, (delay.0 + jitter.0 + SLACK).min(DELAY_PATIENCE))
        }
        (Effect::Delay { delay, jitter, .. }, Sight::Lasts) => {
            (CANARIES, delay.0.saturating_sub(jitter.0).min(BRIEF))
        }
        (Effect::Drop | Effect::Delay { .. }, Sight::Gone) => (CANARIES, LOST_AFTER * 5),
        (Effect::Lose { percent, .. }, Sight::Lasts) => {
            (loss_canaries(percent.fraction()).min(BRIEF_LOSS_CANARIES), LOST_AFTER)
        }
        (Effect::Lose { percent, .. }, Sight::Came | Sight::Gone) => {
            (loss_canaries(percent.fraction()), LOST_AFTER)
        }
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
fn enough(share: f64, sent: u32) -> bool {
    (1.0 - share).powf(f64::from(sent)) <= OVERSIGHT * 1.01
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
        let enough_of = |share| enough(share, loss_canaries(share));
        assert!(enough_of(0.1) && enough_of(1.0) && enough_of(0.9));
        assert!(!enough_of(0.001));
        assert!(!enough(0.1, 131));
    }

    fn undo(effect: serde_json::Value) -> Undo {
        let netns = serde_json::json!({"path": "/run/netns/r1", "cookie": 1, "boot": "b"});
        let injection = serde_json::json!({"drill": "d0000000007", "number": 1});
        let everything = serde_json::json!({"protocol": null, "ports": [], "peers": []});
        let path = serde_json::json!({
            "peer": "r2", "peerNetns": netns, "peerAddress": "10.66.0.2",
            "targetAddress": "10.66.0.1", "arriving": true, "clear": true,
        });
        serde_json::from_value(serde_json::json!({
            "injection": injection, "netns": netns, "paths": [path], "impairment": {
                "id": injection, "direction": "both", "filter": everything, "effect": effect,
            },
        }))
        .unwrap()
    }

    fn effects() -> Vec<serde_json::Value> {
        use serde_json::json;
        vec![
            json!("drop"),
            json!({"delay": {"delay": "5s", "jitter": "0s", "seed": 1}}),
            json!({"delay": {"delay": "20ms", "jitter": "15ms", "seed": 1}}),
            json!({"lose": {"percent": "0.01%", "seed": 1}}),
            json!({"lose": {"percent": "100%", "seed": 1}}),
        ]
    }

    #[test]
    fn an_undo_waits_for_the_last_look_a_moment_and_for_no_look_a_lease() {
        for effect in effects() {
            let undo = undo(effect.clone());
            let takes = |sight| {
                let canary = flight(&undo, &undo.paths[0], sight);
                canary.spacing * canary.count + canary.patience
            };
            let moment = takes(Sight::Lasts);
            assert!(moment < Duration::from_millis(60), "{effect}: {moment:?}");
            let longest = takes(Sight::Gone) + Duration::from_nanos(GONE_WITHIN_NS);
            assert!(longest < Duration::from_secs(2), "{effect}: {longest:?}");
            assert!(takes(Sight::Came) < Duration::from_secs(2), "{effect}");
        }
    }

    #[test]
    fn the_last_look_sees_what_no_fault_would_look_like_and_nothing_else() {
        let lasts = |effect: &serde_json::Value, sent: u32, delays_ms: &[u64]| {
            let undo = undo(effect.clone());
            let delays_ns = delays_ms.iter().map(|ms| ms * 1_000_000).collect();
            judge_lasts(&undo, &undo.paths[0], &CanaryReport { sent, delays_ns }).is_ok()
        };
        let [drop, slow, jittery, seldom, all] = effects().try_into().unwrap();
        assert!(lasts(&drop, 3, &[]) && !lasts(&drop, 3, &[1]));
        assert!(lasts(&slow, 3, &[]) && !lasts(&slow, 3, &[1]) && lasts(&slow, 3, &[5000]));
        assert!(lasts(&jittery, 3, &[5, 19]) && !lasts(&jittery, 3, &[19, 4]));
        assert!(lasts(&seldom, 3, &[0, 0, 0]), "three would have come through in any case");
        assert!(lasts(&all, 5, &[]) && lasts(&all, 5, &[0, 0, 0, 0]));
        assert!(!lasts(&all, 5, &[0, 0, 0, 0, 0]));
    }
}

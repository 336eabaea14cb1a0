//! One step of the method made concrete: when, whom, until when, and what stands behind it.

use crate::model::experiment::{Defence, Peers, Restore, Selector, Step, StepFacts};
use crate::model::plan::PlannedStep;
use crate::model::units::Span;

use super::error::PlanError;
use super::ground::Ground;

/// What an injection gets beyond its hold before the kernel and the guardian end it: as long as a
/// lease, so that a conductor which hangs at the very end of a hold is found out first.
pub const GRACE: Span = Span::secs(3);

/// Roles that one instance has at a time, so that losing it means that another must take it.
const SINGULAR: [&str; 3] = ["primary", "leader", "master"];

/// All steps in the order of their times. Errors: every step that cannot be planned.
pub fn steps(ground: &Ground) -> Result<Vec<PlannedStep>, Vec<PlanError>> {
    let method = &ground.experiment.method;
    let mut wrong = Vec::new();
    for (number, step) in method.iter().enumerate() {
        check_subjects(number, &step.facts, ground, &mut wrong);
        check_peers(number, &step.facts, ground, &mut wrong);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut steps: Vec<PlannedStep> =
        method.iter().enumerate().map(|(number, step)| planned(number, step, ground)).collect();
    steps.sort_by_key(|s| (s.at, s.step));
    Ok(steps)
}

fn check_subjects(step: usize, facts: &StepFacts, ground: &Ground, wrong: &mut Vec<PlanError>) {
    if facts.subjects.is_empty() {
        wrong.push(PlanError::NoSubject { step });
    }
    for target in &facts.subjects {
        if !ground.experiment.targets.contains_key(target) {
            wrong.push(PlanError::UnknownSubject { step, target: target.clone() });
        }
    }
}

/// Tries the far end of every instance that might be hit: an error at injection would be too late.
fn check_peers(step: usize, facts: &StepFacts, ground: &Ground, wrong: &mut Vec<PlanError>) {
    if !matches!(facts.peers, Peers::Some { .. }) {
        return;
    }
    for subject in facts.subjects.iter().flat_map(|target| ground.possible(target)) {
        if let Err(error) = ground.far_end(step, &facts.peers, subject)
            && !wrong.contains(&error)
        {
            wrong.push(error);
        }
    }
}

fn planned(number: usize, step: &Step, ground: &Ground) -> PlannedStep {
    let subjects = &step.facts.subjects;
    PlannedStep {
        step: number,
        at: step.at,
        hold: step.hold,
        deadline: Span(step.hold.0.saturating_add(GRACE.0)),
        kind: step.kind.clone(),
        subjects: subjects.clone(),
        restore: step.facts.restore,
        defence: defence(&step.facts, ground),
        injections: subjects.iter().filter_map(|s| ground.targets.get(s)).map(|t| t.count).sum(),
    }
}

fn defence(facts: &StepFacts, ground: &Ground) -> String {
    let behind = behind(&facts.defence);
    match facts.restore {
        Restore::Kernel => format!("the kernel ends it; {behind}"),
        Restore::Undo => format!("undone by squall; {behind}"),
        Restore::None => {
            let mut reliance = Vec::new();
            for line in facts.subjects.iter().flat_map(|subject| relied_on(subject, ground)) {
                if !reliance.contains(&line) {
                    reliance.push(line);
                }
            }
            // Whoever is held until all of it can be done is let go, whatever dies.
            let held = facts.defence.contains(&Defence::Guardian);
            let behind = if held { format!("; {behind} until it is done") } else { String::new() };
            format!("cannot be undone{behind}; relies on: {}", reliance.join(", "))
        }
    }
}

/// `guardian, journal and read-back stand behind it`.
fn behind(defence: &[Defence]) -> String {
    let words: Vec<&str> = defence
        .iter()
        .filter_map(|line| match line {
            Defence::Kernel => None,
            Defence::Guardian => Some("guardian"),
            Defence::Journal => Some("journal"),
            Defence::ReadBack => Some("read-back"),
        })
        .collect();
    match words.split_last() {
        None => "nothing stands behind it".to_owned(),
        Some((one, [])) => format!("{one} stands behind it"),
        Some((last, others)) => format!("{} and {last} stand behind it", others.join(", ")),
    }
}

/// What has to happen for the service to come back, in words.
fn relied_on(subject: &str, ground: &Ground) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for candidate in ground.reach(subject) {
        if !lines.contains(&candidate.repair) {
            lines.push(candidate.repair.clone());
        }
    }
    let (Some(target), Some(spec)) =
        (ground.targets.get(subject), ground.experiment.targets.get(subject))
    else {
        return lines;
    };
    let Selector::Lab(selector) = &spec.selector else { return lines };
    let of = ground.candidates().filter(|c| c.service == selector.service).count();
    let role = selector.role.as_deref().filter(|role| SINGULAR.contains(role));
    lines.push(match role {
        _ if target.count >= of => {
            format!("nothing of {} is left to take over", selector.service)
        }
        Some(role) => format!("another {} must become {role}", selector.service),
        None if of - target.count == 1 => {
            format!("the other {} must carry on alone", selector.service)
        }
        None => format!("the other {} {} must carry on", of - target.count, selector.service),
    });
    lines
}

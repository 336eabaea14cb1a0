//! What differs between two plans, place by place, like a plan of changes: `+` is new, `-` is
//! gone, `~` was and is.
//!
//! The walk is over the whole JSON of both, so that no field can be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::AnsiColor;
use serde_json::Value;

use crate::model::plan::Plan;

use super::digest::canonical;
use super::style::Style;

/// One place where they differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// `targets.primary.candidates`.
    pub place: String,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Added(Value),
    Removed(Value),
    Changed { old: Value, new: Value },
}

/// Sections in the order in which a person asks about them.
const SECTIONS: [&str; 14] = [
    "source",
    "experiment",
    "lab",
    "clusters",
    "targets",
    "steps",
    "expectations",
    "blastRadius",
    "seed",
    "policies",
    "warnings",
    "version",
    "intentDigest",
    "digest",
];

/// All differences; none for a plan and itself.
pub fn diff(old: &Plan, new: &Plan) -> Result<Vec<Difference>, serde_json::Error> {
    let (old, new) = (serde_json::to_value(old)?, serde_json::to_value(new)?);
    let mut found = Vec::new();
    for section in SECTIONS {
        walk(section, old.get(section), new.get(section), &mut found);
    }
    Ok(found)
}

/// As text, with a last line that counts.
#[must_use]
pub fn text(differences: &[Difference], style: Style) -> String {
    if differences.is_empty() {
        return "no difference: the plans are the same".to_owned();
    }
    let mut counts = [0; 3];
    let mut lines = Vec::new();
    for Difference { place, change } in differences {
        let (sign, colour, shown) = match change {
            Change::Added(new) => ("+", AnsiColor::Green, shown(new)),
            Change::Removed(old) => ("-", AnsiColor::Red, shown(old)),
            Change::Changed { old, new } => {
                ("~", AnsiColor::Yellow, format!("{} -> {}", shown(old), shown(new)))
            }
        };
        counts[["+", "-", "~"].iter().position(|s| *s == sign).unwrap_or(0)] += 1;
        lines.push(format!("{} {place}: {shown}", style.colour(colour, sign)));
    }
    let [added, removed, changed] = counts;
    lines.push(format!("{added} added, {changed} changed, {removed} removed"));
    lines.join("\n")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => canonical(other),
    }
}

fn walk(place: &str, old: Option<&Value>, new: Option<&Value>, found: &mut Vec<Difference>) {
    let mut say = |change| found.push(Difference { place: place.to_owned(), change });
    match (old, new) {
        (None | Some(Value::Null), None | Some(Value::Null)) => {}
        (None | Some(Value::Null), Some(new)) => say(Change::Added(new.clone())),
        (Some(old), None | Some(Value::Null)) => say(Change::Removed(old.clone())),
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                walk(&format!("{place}.{key}"), old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => lists(place, old, new, found),
        (Some(old), Some(new)) => {
            say(Change::Changed { old: old.clone(), new: new.clone() });
        }
    }
}

/// Lists of named things are compared by name, lists of texts as sets, all others by position.
fn lists(place: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
    let mut all = old.iter().chain(new);
    if all.clone().all(Value::is_string) {
        let gone = old.iter().filter(|item| !new.contains(item)).cloned().map(Change::Removed);
        let fresh = new.iter().filter(|item| !old.contains(item)).cloned().map(Change::Added);
        let changes: Vec<Change> = gone.chain(fresh).collect();
        if changes.is_empty() {
            let (old, new) = (Value::from(old.to_vec()), Value::from(new.to_vec()));
            let change = Change::Changed { old, new };
            found.push(Difference { place: place.to_owned(), change });
        }
        let at = |change| Difference { place: place.to_owned(), change };
        found.extend(changes.into_iter().map(at));
        return;
    }
    let (old, new) = if all.all(|item| name(item).is_some()) {
        (by_name(old), by_name(new))
    } else {
        (by_position(old), by_position(new))
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (old, new) = (old.get(key).copied(), new.get(key).copied());
        walk(&format!("{place}[{key}]"), old, new, found);
    }
}

fn name(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str)
}

fn by_name(items: &[Value]) -> BTreeMap<String, &Value> {
    items.iter().filter_map(|item| Some((name(item)?.to_owned(), item))).collect()
}

fn by_position(items: &[Value]) -> BTreeMap<String, &Value> {
    items.iter().enumerate().map(|(number, item)| (format!("{:03}", number + 1), item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::experiment::{Pick, Restore};
    use crate::plan::fixture::{cluster, experiment, planned, primary_loss, step, target};

    fn lines(old: &Plan, new: &Plan) -> String {
        text(&diff(old, new).unwrap(), Style::Plain)
    }

    /// Sections that would be empty are not written.
    fn in_every_section() -> Plan {
        let mut plan = planned(&primary_loss());
        plan.clusters.push(cluster(&[]));
        plan.expectations.push(crate::plan::fixture::not_ready(7, 10));
        plan
    }

    #[test]
    fn no_section_of_a_plan_is_left_out() {
        let value = serde_json::to_value(in_every_section()).unwrap();
        let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let mut sections = SECTIONS.to_vec();
        keys.sort_unstable();
        sections.sort_unstable();
        assert_eq!(keys, sections);
    }

    #[test]
    fn a_plan_and_itself_do_not_differ() {
        let plan = planned(&primary_loss());
        assert_eq!(diff(&plan, &plan).unwrap(), []);
        assert_eq!(lines(&plan, &plan), "no difference: the plans are the same");
    }

    #[test]
    fn each_change_is_named_at_its_place() {
        let old = planned(&primary_loss());
        let mut longer = primary_loss();
        longer.method[0].hold = crate::model::units::Span::secs(9);
        longer.owner = Some("ann".into());
        let said = lines(&old, &planned(&longer));
        assert!(said.contains("~ steps[001].hold: 8s -> 9s\n"), "{said}");
        assert!(said.contains("+ experiment.owner: ann\n"), "{said}");
        assert!(said.contains("~ blastRadius.longestHold: 8s -> 9s\n"), "{said}");
        assert!(said.contains("~ digest: "), "{said}");

        let fewer = lines(&planned(&longer), &old);
        assert!(fewer.contains("- experiment.owner: ann\n"), "{fewer}");
        assert!(fewer.ends_with(" removed"), "{fewer}");
    }

    #[test]
    fn candidates_come_and_go_by_name() {
        let old = planned(&primary_loss());
        let mut new = old.clone();
        let gone = new.targets.get_mut("primary").unwrap().candidates.remove(0);
        new.lab.as_mut().unwrap().candidates.retain(|c| c.name != gone);
        let said = lines(&old, &new);
        assert!(said.contains("- targets.primary.candidates: redis@r1\n"), "{said}");
        assert!(said.contains("- lab.candidates[redis@r1]: {"), "{said}");
        assert!(said.ends_with("0 added, 0 changed, 2 removed"), "{said}");
    }

    #[test]
    fn another_order_of_a_list_is_a_change() {
        let method = vec![step(0, 1, "a", Restore::Undo), step(0, 1, "b", Restore::Undo)];
        let targets =
            [("a", target("redis", None, Pick::One)), ("b", target("nginx", None, Pick::One))];
        let mut old = experiment(&targets, method);
        old.method[0].facts.subjects = vec!["a".into(), "b".into()];
        let mut new = old.clone();
        new.method[0].facts.subjects.reverse();
        let said = lines(&planned(&old), &planned(&new));
        assert!(said.contains(r#"~ steps[001].subjects: ["a","b"] -> ["b","a"]"#), "{said}");
    }
}

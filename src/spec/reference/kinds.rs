//! Pages of the catalogues: every kind with what it is for, how it is written, what it takes and
//! what is known of it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{NOTICE, table};
use crate::model::experiment::{Defence, Restore};
use crate::spec::schema::{Kind, catalogues, reference_in};
use crate::{fault, judge};

const FAULTS: usize = 0;
const PROBES: usize = 1;
const CHECKS: usize = 2;
const RULES: usize = 3;

pub fn pages(schema: &Value) -> Vec<(&'static str, String)> {
    vec![
        (
            "faults.md",
            page(schema, FAULTS, "Faults", FAULTS_INTRO)
                + &capabilities()
                + "\n"
                + &cluster_faults(),
        ),
        ("probes.md", page(schema, PROBES, "Probes", PROBES_INTRO) + &probe_keys(schema)),
        ("checks.md", page(schema, CHECKS, "Checks", CHECKS_INTRO)),
    ]
}

const FAULTS_INTRO: &str = "A fault stands under `inject:` of a step, under its kind. How it ends \
is its *restore class*: `kernel` vanishes with a descriptor or a timeout, `undo` needs squall's \
recipe, `none` cannot be brought back by squall: the system under test has to. Each fault names \
the lines of defence that undo it if those before are gone.";

const PROBES_INTRO: &str = "A probe looks at its own rate, whatever the answers before were, and \
judges nothing. Each stands under its name in `probes:` with exactly one kind.";

const CHECKS_INTRO: &str = "A check judges a finished history. Checks stand in `hypothesis:`; \
those that can stop a drill stand in `stopConditions:` only. No data is never a pass.";

fn page(schema: &Value, catalogue: usize, title: &str, intro: &str) -> String {
    format!("# {title}\n\n{NOTICE}\n{intro}\n\n{}", list(schema, catalogue))
}

/// The rules of policies, for the policy's page.
pub fn rules(schema: &Value) -> String {
    format!("## Rules\n\n{}", list(schema, RULES))
}

fn list(schema: &Value, catalogue: usize) -> String {
    let (holder, kinds) = &catalogues()[catalogue];
    let mut text = "| kind | what it is |\n| --- | --- |\n".to_owned();
    for kind in kinds {
        let link = kind.name.to_lowercase();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| [`{}`](#{link}) | {} |", kind.name, kind.summary);
    }
    text.push('\n');
    for kind in kinds {
        text.push_str(&one(schema, holder, kind));
    }
    text
}

/// One kind of any catalogue.
pub fn section(schema: &Value, name: &str) -> Option<String> {
    let catalogues = catalogues();
    let all = catalogues.iter().flat_map(|(holder, kinds)| kinds.iter().map(move |k| (holder, k)));
    let (holder, kind) = all.into_iter().find(|(_, kind)| kind.name == name)?;
    Some(one(schema, holder, kind))
}

fn one(schema: &Value, holder: &str, kind: &Kind) -> String {
    let definition = definition_of(schema, holder, kind.name);
    let told = schema["$defs"][&definition]["description"].as_str().unwrap_or_default();
    let told = if told.is_empty() { String::new() } else { format!("{told}\n\n") };
    format!(
        "## {}\n\n{}.\n\n{told}```yaml\n{}\n```\n\n{}{}",
        kind.name,
        capital(kind.summary),
        kind.example,
        table::parameters(schema, &definition, 3),
        known_of(kind.name),
    )
}

/// The definition of a kind's parameters.
fn definition_of(schema: &Value, holder: &str, kind: &str) -> String {
    let holder = &schema["$defs"][holder];
    let choices = holder["oneOf"].as_array().into_iter().flatten();
    let found =
        choices.chain([holder]).find_map(|choice| reference_in(choice["properties"].get(kind)?));
    found.unwrap_or_default().to_owned()
}

/// What only the catalogue itself knows.
fn known_of(kind: &str) -> String {
    if let Some(fault) = fault::find(kind) {
        let lines: Vec<&str> = fault.defence().iter().map(|line| defence(*line)).collect();
        let needs: Vec<String> =
            fault.needs().iter().map(|need| format!("`{}`", need.key())).collect();
        return format!(
            "- restore: {}\n- lines of defence: {}\n- needs: {}\n\n",
            restore(fault.restore()),
            lines.join(", "),
            needs.join(", ")
        );
    }
    match judge::find(kind) {
        Some(check) if check.stops() => "It stops a drill: `stopConditions` only.\n\n".to_owned(),
        _ => String::new(),
    }
}

fn restore(restore: Restore) -> &'static str {
    match restore {
        Restore::Kernel => "`kernel`, vanishes with a descriptor or a timeout",
        Restore::Undo => "`undo`, needs squall's recipe",
        Restore::None => "`none`, squall cannot bring it back: the system under test has to",
    }
}

fn defence(line: Defence) -> &'static str {
    match line {
        Defence::Kernel => "kernel",
        Defence::Guardian => "guardian",
        Defence::Journal => "journal",
        Defence::ReadBack => "read-back",
    }
}

/// Which fault needs what of the kernel; `squall doctor` says what there is.
fn capabilities() -> String {
    let all = fault::Capability::ALL;
    let mut text = "## What a fault needs of the kernel\n\n`squall doctor` tries each, and says \
                    which fault works where it runs.\n\n| fault |"
        .to_owned();
    for capability in all {
        let _ = write!(text, " `{}`: {} |", capability.key(), capability.words());
    }
    let _ = write!(text, "\n|{}\n", " --- |".repeat(all.len() + 1));
    for fault in fault::CATALOGUE {
        let _ = write!(text, "| `{}` |", fault.kind());
        for capability in all {
            text += if fault.needs().contains(&capability) { " needed |" } else { " |" };
        }
        text.push('\n');
    }
    text
}

/// Which fault hits which objects of a cluster, and what its user must be allowed to do there.
fn cluster_faults() -> String {
    let mut text = "## What a fault needs of a cluster\n\n`squall plan` asks the API server whether the \
                    user may, for the namespaces of the plan's targets; nodes are of the whole \
                    cluster.\n\n| fault | hits | verbs, for its undo as well |\n| --- | --- | --- |\n"
        .to_owned();
    for fault in fault::CATALOGUE.iter().filter(|fault| !fault.on().is_empty()) {
        let hits: Vec<&str> = fault.on().iter().map(|resource| resource.kind()).collect();
        let ask = |access: &fault::Access| {
            let sub = if access.subresource.is_empty() { "" } else { "/" };
            let only = access.target.map(|t| format!(" of a {}", t.kind())).unwrap_or_default();
            let (verb, plural) = (access.verb, access.resource.plural());
            format!("{verb} `{plural}{sub}{}`{only}", access.subresource)
        };
        let mut asks: Vec<String> = fault.asks().iter().map(ask).collect();
        asks.dedup();
        let (kind, hits, asks) = (fault.kind(), hits.join(", "), asks.join(", "));
        let _ = writeln!(text, "| `{kind}` | {hits} | {asks} |");
    }
    text
}

/// Keys that every probe has beside its kind.
fn probe_keys(schema: &Value) -> String {
    let mut common = schema["$defs"]["ProbeDocument"].clone();
    if let Some(properties) = common["properties"].as_object_mut() {
        for kind in &catalogues()[PROBES].1 {
            properties.remove(kind.name);
        }
    }
    let mut schema = schema.clone();
    schema["$defs"]["common"] = common;
    let rows = table::parameters(&schema, "common", 3);
    format!("## Keys of every probe\n\nThey stand beside the kind.\n\n{rows}")
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

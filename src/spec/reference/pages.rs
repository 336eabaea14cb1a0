//! What stands on each page.

use serde_json::Value;

use crate::spec::schema::{report_schema, schema};

/// Below every page's title.
pub(super) const NOTICE: &str =
    "<!-- Written by `make reference` from the code. Change the code, not this page. -->\n";

/// Every file of `docs/reference/`: its name and its text.
#[must_use]
pub fn pages() -> Vec<(String, String)> {
    let documents = schema();
    let report = report_schema();
    let mut pages = vec![
        ("schema.json", pretty(&documents)),
        ("report.schema.json", pretty(&report)),
        ("experiment.md", experiment(&documents)),
        ("lab.md", lab(&documents)),
        ("policy.md", policy(&documents)),
        ("blast-map.md", blast_map(&documents)),
        ("report.md", report_page(&report)),
    ];
    pages.extend(super::kinds::pages(&documents));
    pages.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// What one kind is and takes, as on its page: for `squall faults KIND` and its like.
#[must_use]
pub fn kind(kind: &str) -> Option<String> {
    super::kinds::section(&schema(), kind)
}

fn pretty(value: &Value) -> String {
    // Plain values always have a JSON form.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn experiment(schema: &Value) -> String {
    format!(
        "# Experiment\n\n{NOTICE}\n\
         What to break, what to watch, and what must hold. An experiment is inert: only \
         `squall run` acts on it. `squall validate FILE` finds every mistake at once; \
         `squall new` writes a first one.\n\n\
         ```yaml\n{}```\n\n\
         The first line lets an editor that knows `yaml-language-server` complete and check as you \
         type.\n\n{}\n{}\n{}",
        include_str!("experiment.yaml"),
        super::table::sections(schema, "Experiment", 2),
        include_str!("templates.md"),
        include_str!("limits.md"),
    )
}

fn lab(schema: &Value) -> String {
    format!(
        "# Lab\n\n{NOTICE}\n\
         A system under test that squall starts itself, as processes in network namespaces that \
         the kernel removes when squall ends. Hosts get addresses from the lab's blocks in the \
         order in which services, by name, list them: `.11` and `::11` first. The host `client` is \
         the prober's.\n\n\
         Texts of `command`, `env` and `files` are Jinja templates, filled for each instance when \
         the lab starts.\n\n{}\n{}",
        super::table::sections(schema, "Lab", 2),
        include_str!("limits.md"),
    )
}

fn policy(schema: &Value) -> String {
    format!(
        "# Policy\n\n{NOTICE}\n\
         What guards a plan. Every rule must admit it; a refusal lists every reason, and a fact \
         that is missing refuses. Without a policy squall touches labs only.\n\n\
         ```yaml\n\
         apiVersion: squall.dev/v1alpha1\n\
         kind: Policy\n\
         metadata: {{name: careful}}\n\
         spec:\n  \
           title: Short holds only\n  \
           rules:\n    \
             - limits: {{maxHold: 30s}}\n\
         ```\n\n\
         `squall plan FILE --policy POLICY` prints every reason for which it would refuse now.\n\n\
         ## An approval\n\n\
         The rule `approval` asks other people than the runner. Each writes a file, in YAML or \
         JSON, and `squall run FILE --policy POLICY --approval APPROVAL` is given all of them:\n\n\
         ```yaml\n\
         by: bob\n\
         intentDigest: 5cfa5c97a09d8cf8a10716e5087fa99dfadaff2b9a302d508b2b05429f6bbb4d\n\
         at: 2026-06-15T09:00:00Z\n\
         until: 2026-06-30T00:00:00Z\n\
         note: announced in CHG-7\n\
         ```\n\n\
         The digest is the `intent` line of `squall plan FILE --policy POLICY`: of the experiment's \
         text and what its templates stand for, of the lab's text, the policies and the ceiling of \
         the blast radius. An edit of a file outdates it, and so does another value of \
         `{{{{env.NAME}}}}`. `note` may be left out. What makes an approval trustworthy is where the file comes from: keep it where a \
         change needs a review.\n\n{}\n{}",
        super::table::sections(schema, "Policy", 2),
        super::kinds::rules(schema),
    )
}

fn blast_map(schema: &Value) -> String {
    format!(
        "# BlastMap\n\n{NOTICE}\n\
         Which services are lost, one at a time, and which journeys of users each loss hurts. \
         `squall blast FILE` writes the map out into one experiment for each service, runs them one \
         after the other as `squall run` would, and draws who was hurt. A journey is hurt by an \
         outage longer than `hurtBy`.\n\n\
         ```yaml\n{}```\n\n{}",
        include_str!("blast-map.yaml"),
        super::table::sections(schema, "BlastMap", 2),
    )
}

fn report_page(schema: &Value) -> String {
    format!(
        "# report.json\n\n{NOTICE}\n\
         What a drill showed. `squall schema report` prints its JSON schema. Seconds count from \
         the first fault effective, so what was before is negative.\n\n{}",
        super::table::root(schema, "Report", 2),
    )
}

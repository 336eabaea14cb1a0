//! The way of an experiment's document through the checks to the model's value.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::Path;

use super::super::document::{Envelope, ExperimentDocument, StepDocument, TargetDocument};
use super::super::finding::{Code, Finding, Findings};
use super::super::name;
use super::super::repair::{Decoded, Repairs, decode};
use super::super::sheet::Sheet;
use super::super::template::{self, LabValues, Values};
use super::super::tree::{Content, Entry, Node};
use super::super::{Loaded, Surroundings, lab_file};
use crate::model::expectation::Impact;
use crate::model::experiment::{Claim, Experiment, ProbeSpec, Step, TargetSpec};
use crate::model::lab::LabSpec;
use crate::model::layout::Layout;
use crate::model::selector::Where;

/// An experiment with the lab that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    pub experiment: Experiment,
    pub lab: Option<Loaded<LabSpec>>,
}

/// What the checks look at.
pub(super) struct Review<'a> {
    /// The key `spec`, for what is missing as a whole.
    pub label: Range<usize>,
    pub spec: &'a Node,
    pub document: &'a ExperimentDocument,
    pub decoded: &'a Decoded<Envelope<ExperimentDocument>>,
    pub lab: LabInView<'a>,
}

/// The lab as the checks see it.
pub(super) enum LabInView<'a> {
    None,
    /// Its file has errors: nothing can be said about what it has.
    Broken,
    Known(&'a LabSpec),
}

/// The lab's file, once looked for.
enum FoundLab {
    None,
    Broken,
    Loaded(Box<Loaded<LabSpec>>, Layout),
}

/// None: the sheet says why.
pub(in crate::spec) fn read(
    mut root: Node,
    surroundings: &Surroundings<'_>,
    sheet: &mut Sheet,
) -> Option<Declared> {
    let found = find_lab(&mut root, surroundings, sheet);
    let values = Values {
        lab: match &found {
            FoundLab::None => LabValues::None,
            FoundLab::Broken => LabValues::Broken,
            FoundLab::Loaded(_, layout) => LabValues::Known(layout),
        },
        env: surroundings.env,
    };
    let broken = match spec_of(&mut root) {
        Some(spec) => template::fill(spec, &values, sheet),
        None => HashSet::new(),
    };
    let decoded: Decoded<Envelope<ExperimentDocument>> =
        decode(&root, Repairs::without(broken), sheet);
    let envelope = decoded.value.as_ref()?;
    let review = Review {
        label: root.entry("spec")?.key.span.clone(),
        spec: root.get("spec")?,
        document: &envelope.spec,
        decoded: &decoded,
        lab: match &found {
            FoundLab::None => LabInView::None,
            FoundLab::Broken => LabInView::Broken,
            FoundLab::Loaded(lab, _) => LabInView::Known(&lab.value),
        },
    };
    review.check(sheet);
    let probes = review.probes(&values, sheet);
    if sheet.has_errors() {
        return None;
    }
    let experiment = build(&review, envelope, (probes, sheet));
    let lab = match found {
        FoundLab::Loaded(lab, _) => Some(*lab),
        FoundLab::None | FoundLab::Broken => None,
    };
    Some(Declared { experiment, lab })
}

fn spec_of(root: &mut Node) -> Option<&mut Node> {
    match &mut root.content {
        Content::Map(entries) => {
            entries.iter_mut().find(|entry| entry.key.text == "spec").map(|entry| &mut entry.value)
        }
        _ => None,
    }
}

/// The lab named by the caller, or by the document relative to its own folder.
fn find_lab(root: &mut Node, surroundings: &Surroundings<'_>, sheet: &mut Sheet) -> FoundLab {
    let written = spec_of(root).and_then(|spec| match &mut spec.content {
        Content::Map(entries) => entries.iter_mut().find(|entry| entry.key.text == "lab"),
        _ => None,
    });
    let (path, span) = match (surroundings.lab, written) {
        (Some(path), written) => (path.to_owned(), written.map(|entry| entry.value.span.clone())),
        (None, None) => return FoundLab::None,
        (None, Some(Entry { value, .. })) => {
            let values = Values { lab: LabValues::None, env: surroundings.env };
            if !template::fill(value, &values, sheet).is_empty() {
                return FoundLab::Broken;
            }
            // Decoding says what is wrong with it.
            let Some(path) = value.text() else { return FoundLab::Broken };
            let folder = sheet.source.path.parent().unwrap_or(Path::new("")).to_owned();
            (folder.join(path), Some(value.span.clone()))
        }
    };
    match lab_file(&path) {
        Ok(lab) => match Layout::of(&lab.value) {
            Ok(layout) => FoundLab::Loaded(Box::new(lab), layout),
            Err(_) => FoundLab::Broken,
        },
        Err(findings) => {
            match surroundings.lab {
                Some(given) => note_given(given, findings, sheet),
                None => note_lab(&path, span, findings, sheet),
            }
            FoundLab::Broken
        }
    }
}

/// The caller named the lab: no line of the experiment is to blame.
fn note_given(path: &Path, findings: Findings, sheet: &mut Sheet) {
    for finding in findings.0 {
        if finding.line > 0 {
            sheet.findings.push(finding);
            continue;
        }
        let why = finding.message.trim_start_matches("failed to read the file: ");
        let message = format!("`--lab {}`: {why}", path.display());
        let help = "check the path; it is relative to the working folder";
        sheet.findings.push(Finding::of_file(Code::Lab, path, message).help(help));
    }
}

/// One finding at the place that names the lab; those of its own file follow.
fn note_lab(path: &Path, span: Option<Range<usize>>, findings: Findings, sheet: &mut Sheet) {
    let shown = path.display();
    let unreadable = findings.0.iter().find(|finding| finding.line == 0);
    let (Some(span), unreadable) = (span, unreadable.map(|finding| finding.message.clone())) else {
        sheet.findings.extend(findings.0);
        return;
    };
    let help = "the path is relative to this file; `--lab FILE` puts another in its place";
    if let Some(why) = unreadable {
        sheet.error(Code::Lab, span, format!("the lab {shown}: {why}")).help(help);
    } else {
        sheet.error(Code::Lab, span, format!("the lab {shown} has errors of its own")).help(help);
        sheet.findings.extend(findings.0);
    }
}

impl Review<'_> {
    fn check(&self, sheet: &mut Sheet) {
        for (key, what) in [("targets", "a target"), ("probes", "a probe")] {
            for entry in self.entries(key) {
                name::check_key(what, &entry.key, sheet);
            }
        }
        self.check_selectors(sheet);
        self.check_steps(sheet);
        self.check_claims(sheet);
        self.check_unused(sheet);
        self.check_timing(sheet);
    }

    /// Is anything that may be hit in a cluster, or one of its nodes?
    fn is_cluster(&self) -> bool {
        let lab = matches!(self.lab, LabInView::Known(lab) if lab.kubernetes.is_some());
        let mut selectors = self.document.targets.values().flat_map(TargetDocument::selectors);
        lab || selectors.any(|selector| selector.place() != Where::Lab)
    }

    pub(super) fn entries(&self, key: &str) -> &[Entry] {
        self.spec.get(key).map_or(&[], Node::entries)
    }

    /// Names as they are written, whether or not what they name could be decoded.
    pub(super) fn names(&self, key: &str) -> Vec<&str> {
        self.entries(key).iter().map(|entry| entry.key.text.as_str()).collect()
    }
}

/// Everything was checked; what is left is copying.
fn build(
    review: &Review<'_>,
    envelope: &Envelope<ExperimentDocument>,
    (probes, sheet): (BTreeMap<String, ProbeSpec>, &Sheet),
) -> Experiment {
    let document = &envelope.spec;
    let is_cluster = review.is_cluster();
    let claims = |key: &str, claims: &[crate::judge::CheckParams]| -> Vec<Claim> {
        let nodes = review.spec.get(key).map_or(&[][..], Node::items);
        let line_of = |node: &Node| sheet.source.place(node.span.start).line as u64;
        claims
            .iter()
            .zip(nodes)
            .map(|(claim, node)| super::claims::model(claim, line_of(node)))
            .collect()
    };
    Experiment {
        name: envelope.metadata.name.clone(),
        title: document.title.clone(),
        labels: envelope.metadata.labels.clone(),
        owner: document.owner.clone(),
        change: document.change.clone(),
        environment: document.environment.clone(),
        lab: document.lab.clone(),
        targets: targets(&document.targets),
        probes,
        steady_for: document.steady_state.good_for,
        steady_within: document.steady_state.within,
        method: document.method.iter().map(|declared| step(declared, is_cluster)).collect(),
        hypothesis: claims("hypothesis", &document.hypothesis),
        stop_conditions: claims("stopConditions", &document.stop_conditions),
        recovery_watch: document.recovery_watch,
    }
}

fn targets(documents: &BTreeMap<String, TargetDocument>) -> BTreeMap<String, TargetSpec> {
    let each = |(name, target): (&String, &TargetDocument)| {
        let selector = target.selectors().pop()?;
        let TargetDocument { pick, bind, follow, .. } = *target;
        Some((name.clone(), TargetSpec { selector, pick: pick.0, bind, follow }))
    };
    documents.iter().filter_map(each).collect()
}

/// Where nothing is a cluster's, nothing counts the seconds that a fault takes.
fn step(step: &StepDocument, is_cluster: bool) -> Step {
    let (kind, params) = step.inject.canonical();
    let (facts, impact) = (step.inject.facts(), step.inject.impact());
    let impact = if is_cluster { impact } else { Impact::Uncounted };
    Step { at: step.at, hold: step.hold, kind: kind.to_owned(), params, facts, impact }
}

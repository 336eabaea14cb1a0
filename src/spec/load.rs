//! The doors of the room: a path or a text in, a value or every finding out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::blast::{self, DeclaredMap};
use super::document::{API_VERSION, Envelope, PolicyDocument};
use super::experiment::{self, Declared};
use super::finding::{Code, Finding, Findings, Severity};
use super::name;
use super::read::read;
use super::repair::{Decoded, Repairs, decode};
use super::sheet::Sheet;
use super::source::Source;
use super::suggest;
use super::tree::Node;
use crate::model::lab::LabSpec;
use crate::model::policy::{Policy, RuleSpec};

/// A document that can be used, with the text that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<T> {
    pub value: T,
    /// The document's name.
    pub name: String,
    /// As it is in the file, without a byte order mark.
    pub text: String,
    /// Of the file's bytes; for a lab with manifests of theirs too.
    pub sha256: String,
    pub warnings: Vec<Finding>,
    pub path: PathBuf,
}

/// What an experiment may ask for beyond its own text.
pub struct Surroundings<'a> {
    /// A lab that takes the place of the one that the experiment names.
    pub lab: Option<&'a Path>,
    /// The value of `{{env.NAME}}`, if it is set.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Any kind of document.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyDocument {
    Experiment(Box<Loaded<Declared>>),
    Lab(Box<Loaded<LabSpec>>),
    Policy(Box<Loaded<Policy>>),
    BlastMap(Box<Loaded<DeclaredMap>>),
}

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Experiment,
    Lab,
    Policy,
    BlastMap,
}

const KINDS: [&str; 4] = ["Experiment", "Lab", "Policy", "BlastMap"];

/// Reads an experiment and the lab that it names.
pub fn experiment(
    path: &Path,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded<Declared>, Findings> {
    experiment_of(&open(path)?, surroundings)
}

/// The same from text at hand; the path is what messages say, and where its lab is looked for from.
pub fn experiment_from_text(
    path: &Path,
    text: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded<Declared>, Findings> {
    experiment_of(&hold(path, text)?, surroundings)
}

pub fn lab(path: &Path) -> Result<Loaded<LabSpec>, Findings> {
    lab_of(&open(path)?)
}

pub fn lab_from_text(path: &Path, text: &str) -> Result<Loaded<LabSpec>, Findings> {
    lab_of(&hold(path, text)?)
}

pub fn policy(path: &Path) -> Result<Loaded<Policy>, Findings> {
    policy_of(&open(path)?)
}

pub fn policy_from_text(path: &Path, text: &str) -> Result<Loaded<Policy>, Findings> {
    policy_of(&hold(path, text)?)
}

/// Reads a blast map and the lab that it names.
pub fn blast_map(
    path: &Path,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded<DeclaredMap>, Findings> {
    blast_map_of(&open(path)?, surroundings)
}

/// The same from text at hand.
pub fn blast_map_from_text(
    path: &Path,
    text: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded<DeclaredMap>, Findings> {
    blast_map_of(&hold(path, text)?, surroundings)
}

/// Reads whatever kind the document says it is.
pub fn any(path: &Path, surroundings: &Surroundings<'_>) -> Result<AnyDocument, Findings> {
    let source = open(path)?;
    let mut sheet = Sheet::new(Arc::clone(&source));
    let root = read(&mut sheet);
    let said = root.as_ref().and_then(|root| root.get("kind")).and_then(Node::text);
    match said {
        Some("Lab") => lab_of(&source).map(|lab| AnyDocument::Lab(Box::new(lab))),
        Some("Policy") => policy_of(&source).map(|policy| AnyDocument::Policy(Box::new(policy))),
        Some("BlastMap") => {
            blast_map_of(&source, surroundings).map(|map| AnyDocument::BlastMap(Box::new(map)))
        }
        _ => experiment_of(&source, surroundings)
            .map(|experiment| AnyDocument::Experiment(Box::new(experiment))),
    }
}

pub(super) fn lab_file(path: &Path) -> Result<Loaded<LabSpec>, Findings> {
    lab(path)
}

impl AnyDocument {
    /// Everything that was warned of, in the file and in the lab that it names.
    pub fn warnings(&self) -> Vec<Finding> {
        match self {
            AnyDocument::Experiment(loaded) => {
                let lab = loaded.value.lab.iter().flat_map(|lab| &lab.warnings);
                loaded.warnings.iter().chain(lab).cloned().collect()
            }
            AnyDocument::Lab(loaded) => loaded.warnings.clone(),
            AnyDocument::Policy(loaded) => loaded.warnings.clone(),
            AnyDocument::BlastMap(loaded) => {
                let lab = loaded.value.lab.iter().flat_map(|lab| &lab.warnings);
                loaded.warnings.iter().chain(lab).cloned().collect()
            }
        }
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Experiment => KINDS[0],
            Kind::Lab => KINDS[1],
            Kind::Policy => KINDS[2],
            Kind::BlastMap => KINDS[3],
        }
    }

    /// What to do with a document of another kind.
    fn remedy(word: &str) -> &'static str {
        match word {
            "Experiment" => "`squall run FILE` runs it",
            "Lab" => "`squall lab up FILE` starts it; an experiment names it as `spec.lab`",
            "Policy" => "`squall run --policy FILE` applies it",
            "BlastMap" => "`squall blast FILE` draws it",
            _ => "write `kind: Experiment`, `kind: Lab`, `kind: Policy` or `kind: BlastMap`",
        }
    }
}

fn open(path: &Path) -> Result<Arc<Source>, Findings> {
    Source::read(path)
}

pub(super) fn hold(path: &Path, text: &str) -> Result<Arc<Source>, Findings> {
    Source::from_bytes(path, text.as_bytes().to_vec())
}

fn experiment_of(
    source: &Arc<Source>,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded<Declared>, Findings> {
    load(source, Kind::Experiment, |root, sheet| {
        let declared = experiment::read(root, surroundings, sheet)?;
        Some((declared.experiment.name.clone(), declared))
    })
}

fn blast_map_of(
    source: &Arc<Source>,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded<DeclaredMap>, Findings> {
    load(source, Kind::BlastMap, |root, sheet| {
        let declared = blast::read(root, surroundings, (source, sheet))?;
        Some((declared.map.name.clone(), declared))
    })
}

fn lab_of(source: &Arc<Source>) -> Result<Loaded<LabSpec>, Findings> {
    let loaded = load(source, Kind::Lab, |root, sheet| {
        let mut decoded: Decoded<Envelope<LabSpec>> = decode(&root, Repairs::default(), sheet);
        if let Some(envelope) = &mut decoded.value {
            super::kubernetes::write_out(&mut envelope.spec, &source.path);
        }
        super::lab::check(&root, &decoded, sheet);
        decoded.value.map(|envelope| (envelope.metadata.name, envelope.spec))
    })?;
    let sha256 = super::kubernetes::digest(&loaded.value, &loaded.sha256);
    Ok(Loaded { sha256, ..loaded })
}

fn policy_of(source: &Arc<Source>) -> Result<Loaded<Policy>, Findings> {
    let sha256 = source.sha256.clone();
    load(source, Kind::Policy, |root, sheet| {
        let decoded: Decoded<Envelope<PolicyDocument>> = decode(&root, Repairs::default(), sheet);
        let envelope = decoded.value.as_ref()?;
        let listed = root.get("spec").and_then(|spec| spec.get("rules"));
        if let Some(rules) =
            listed.filter(|rules| rules.items().is_empty() && decoded.is_whole(rules))
        {
            // Admission refuses it as well: a policy may come from elsewhere.
            sheet
                .error(
                    Code::BadValue,
                    rules.span.clone(),
                    "a policy without a rule admits anything",
                )
                .help("give it one; `docs/reference/policy.md` has them all");
        }
        let nodes = decoded.kept(listed);
        for (rule, node) in envelope.spec.rules.iter().zip(nodes) {
            // What was left out of a rule has its finding already.
            let faults = if decoded.is_whole(node) { rule.faults_of() } else { Vec::new() };
            let entry = node.entries().first();
            let span = entry.map_or(node.span.clone(), |entry| entry.key.span.clone());
            for fault in faults {
                let (message, help) = fault.split_once("; ").unwrap_or((&fault, ""));
                let noted = sheet.error(Code::BadValue, span.clone(), message);
                if !help.is_empty() {
                    noted.help(help);
                }
            }
        }
        let rules = envelope.spec.rules.iter().map(|rule| {
            let (kind, params) = rule.canonical();
            RuleSpec { kind: kind.to_owned(), params }
        });
        let policy = Policy {
            name: envelope.metadata.name.clone(),
            title: envelope.spec.title.clone(),
            rules: rules.collect(),
            sha256,
        };
        Some((envelope.metadata.name.clone(), policy))
    })
}

/// What all kinds have in common: the text is read, the envelope is checked, and nothing comes out
/// as long as one error was found.
fn load<T>(
    source: &Arc<Source>,
    kind: Kind,
    fill: impl FnOnce(Node, &mut Sheet) -> Option<(String, T)>,
) -> Result<Loaded<T>, Findings> {
    let mut sheet = Sheet::new(Arc::clone(source));
    let filled = match read(&mut sheet) {
        Some(root) if check_envelope(&root, kind, &mut sheet) => fill(root, &mut sheet),
        _ => None,
    };
    let clean = !sheet.has_errors();
    let findings = sheet.sorted();
    match filled {
        Some((name, value)) if clean => Ok(Loaded {
            value,
            name,
            text: source.text.clone(),
            sha256: source.sha256.clone(),
            warnings: findings,
            path: source.path.clone(),
        }),
        _ => Err(Findings(findings)),
    }
}

/// False: it is no document of this kind, and nothing more can be said about it.
fn check_envelope(root: &Node, kind: Kind, sheet: &mut Sheet) -> bool {
    if root.entries().is_empty() {
        sheet
            .error(Code::WrongType, root.span.clone(), "a document is a mapping")
            .help("it begins with `apiVersion`, `kind`, `metadata` and `spec`");
        return false;
    }
    if let Some(version) = root.get("apiVersion")
        && let Some(text) = version.text().filter(|text| *text != API_VERSION)
    {
        sheet
            .error(
                Code::ApiVersion,
                version.span.clone(),
                format!("the version `{text}` is not known"),
            )
            .help(format!("this squall knows `{API_VERSION}`"));
    }
    if let Some(name) = root.at(&["metadata", "name"]) {
        name::check_value("a document", name, sheet);
    }
    let Some(said) = root.get("kind") else {
        // Decoding says that it is missing, unless nothing here looks like a document.
        return root.get("spec").is_some() || root.get("metadata").is_some() || {
            sheet
                .error(
                    Code::DocumentKind,
                    root.entries()[0].key.span.clone(),
                    "this is not a squall document",
                )
                .help(format!(
                    "it begins with `apiVersion: {API_VERSION}` and `kind: {}`",
                    kind.word()
                ));
            false
        };
    };
    let Some(text) = said.text().filter(|text| *text != kind.word()) else { return true };
    let span = said.span.clone();
    if KINDS.contains(&text) {
        let wanted = kind.word();
        sheet
            .error(
                Code::DocumentKind,
                span,
                format!("this is a document of kind {text}, not {wanted}"),
            )
            .help(Kind::remedy(text));
    } else {
        let help = match suggest::nearest(text, KINDS) {
            Some(word) => format!("did you mean `{word}`?"),
            None => Kind::remedy(text).to_owned(),
        };
        sheet.error(Code::DocumentKind, span, format!("there is no kind `{text}`")).help(help);
    }
    false
}

impl Severity {
    /// For messages.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

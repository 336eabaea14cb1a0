//! Hypothesis and stop conditions: whom each claim names, and whether it stands where it can be
//! asked.

use super::super::finding::Code;
use super::super::sheet::Sheet;
use super::super::suggest;
use super::super::tree::Node;
use super::Review;
use super::steps::undeclared;
use crate::judge::CheckParams;
use crate::model::experiment::Claim;

impl Review<'_> {
    pub(super) fn check_claims(&self, sheet: &mut Sheet) {
        let hypothesis = self.spec.get("hypothesis");
        // A claim under a misspelled key is a claim: the key has its finding.
        let misspelled = hypothesis.is_none()
            && self.spec.entries().iter().any(|entry| {
                entry.key.text != "hypothesis"
                    && suggest::nearest(&entry.key.text, ["hypothesis"]).is_some()
            });
        let claims_nothing =
            hypothesis.is_none_or(|node| node.items().is_empty() && sheet.is_clean(node));
        if claims_nothing && !misspelled {
            let written = self.spec.entry("hypothesis");
            let span = written.map_or(self.label.clone(), |entry| entry.key.span.clone());
            sheet
                .error(
                    Code::EmptyHypothesis,
                    span,
                    "the experiment claims nothing, so nothing could be learned",
                )
                .help("add a claim: `hypothesis: [{downtime: {probe: NAME, atMost: 5s}}]`");
        }
        self.check_list("hypothesis", &self.document.hypothesis, sheet);
        self.check_list("stopConditions", &self.document.stop_conditions, sheet);
    }

    fn check_list(&self, key: &str, claims: &[CheckParams], sheet: &mut Sheet) {
        let nodes = self.decoded.kept(self.spec.get(key));
        for (claim, node) in claims.iter().zip(nodes) {
            check_place(key, claim, node, sheet);
            if !self.decoded.is_whole(node) {
                continue;
            }
            for (word, section, name) in
                [("probe", "probes", claim.probe()), ("target", "targets", claim.target())]
            {
                let known = self.names(section);
                let Some(name) = name.filter(|name| !known.contains(name)) else { continue };
                let message = format!("the claim names the {word} `{name}`, which is not declared");
                sheet
                    .error(Code::UnknownReference, named(node, word, name).span.clone(), message)
                    .help(undeclared(name, &known, section));
            }
            if claim.in_cluster() {
                self.check_in_cluster(claim, node, sheet);
            }
        }
    }
}

impl Review<'_> {
    /// What a cluster says is known of pods, nodes and workloads only.
    fn check_in_cluster(&self, claim: &CheckParams, node: &Node, sheet: &mut Sheet) {
        let Some(name) = claim.target() else { return };
        let Some(target) = self.document.targets.get(name) else { return };
        let (kind, _) = claim.canonical();
        let led = target.pods.as_ref().is_some_and(|pods| pods.lease_holder.is_some());
        let (why, help) = if target.lab.is_some() {
            ("is in no cluster", POD_TARGET)
        } else if target.object.is_some() {
            ("has no pods", POD_TARGET)
        } else if kind == "leaderMoved" && !led {
            ("is not chosen by the Lease that it holds", "give it `leaseHolder: NAME`")
        } else {
            return;
        };
        let message = format!("`{kind}` is about a cluster, and the target `{name}` {why}");
        sheet.error(Code::BadValue, named(node, "target", name).span.clone(), message).help(help);
    }
}

const POD_TARGET: &str = "name a target with `pods`, `nodes` or `workload`; one that only claims \
                          speak of needs no step";

/// A check that stops is asked while the drill runs; the others need all of it.
fn check_place(key: &str, claim: &CheckParams, node: &Node, sheet: &mut Sheet) {
    let span = node.entries().first().map_or(node.span.clone(), |entry| entry.key.span.clone());
    let (kind, _) = claim.canonical();
    let in_stops = key == "stopConditions";
    if in_stops && !claim.stops() {
        let stopping: Vec<&str> = crate::judge::CATALOGUE
            .iter()
            .filter(|check| check.stops())
            .map(|check| check.kind())
            .collect();
        sheet
            .error(
                Code::MisplacedCheck,
                span,
                format!("`{kind}` cannot stop a drill: it is judged at the end"),
            )
            .help(format!("put it under `hypothesis`; what can stop: {}", stopping.join(", ")));
    } else if !in_stops && claim.stops() {
        sheet
            .error(
                Code::MisplacedCheck,
                span,
                format!("`{kind}` stops a drill and belongs under `stopConditions`"),
            )
            .help("move it there; tripped, it is a deviated claim all the same");
    }
}

/// The value that names a probe or a target.
fn named<'n>(node: &'n Node, word: &str, name: &str) -> &'n Node {
    let by_key = node.entries().first().and_then(|entry| entry.value.get(word));
    by_key.or_else(|| node.scalar(name)).unwrap_or(node)
}

/// As the model keeps it.
pub(super) fn model(claim: &CheckParams, line: u64) -> Claim {
    let (check, params) = claim.canonical();
    Claim {
        check: check.to_owned(),
        params,
        probe: claim.probe().map(str::to_owned),
        target: claim.target().map(str::to_owned),
        line,
    }
}

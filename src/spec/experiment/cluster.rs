//! Targets in clusters: is it said where, and is something said beside the namespace?
//!
//! What is there is known to the API server alone, and asked for when a plan is made.

use std::ops::Range;

use super::super::finding::Code;
use super::super::sheet::Sheet;
use super::super::tree::Entry;
use super::LabInView;
use crate::model::selector::{NodeSelector, PodSelector, Selector, Where};

pub(super) fn check(entry: &Entry, selector: &Selector, lab: &LabInView<'_>, sheet: &mut Sheet) {
    let key = match selector {
        Selector::Lab(_) => "lab",
        Selector::Pods(_) => "pods",
        Selector::Nodes(_) => "nodes",
        Selector::Workload(_) => "workload",
        Selector::Object(_) => "object",
    };
    let at = |inner: &str| -> Range<usize> {
        let node = entry.value.at(&[key, inner]);
        let whole = || entry.value.entry(key).map(|entry| entry.key.span.clone());
        node.map(|node| node.span.clone()).or_else(whole).unwrap_or(entry.key.span.clone())
    };
    if selector.place() == Where::LabCluster {
        check_lab(&entry.key.text, lab, (at(key), sheet));
    }
    match selector {
        Selector::Pods(pods) => check_pods(pods, &at, sheet),
        Selector::Nodes(nodes) if is_empty(nodes) => sheet
            .error(Code::EmptySelector, at(key), "this selects every node of the cluster")
            .help("say which: `names`, `zones` or a label `selector`"),
        _ => {}
    }
}

fn check_lab(target: &str, lab: &LabInView<'_>, (span, sheet): (Range<usize>, &mut Sheet)) {
    let why = match lab {
        LabInView::Broken => return,
        LabInView::Known(lab) if lab.kubernetes.is_some() => return,
        LabInView::Known(_) => "the experiment's lab has none",
        LabInView::None => "no context is named",
    };
    let message = format!("the target `{target}` is in a cluster, and {why}");
    sheet.error(Code::Lab, span, message).help(
        "write `context: NAME`, a context of the kubeconfig (the current one is never meant), or \
         name a lab that has a `kubernetes` section",
    );
}

fn check_pods(pods: &PodSelector, at: &dyn Fn(&str) -> Range<usize>, sheet: &mut Sheet) {
    if pods.namespace.is_empty() {
        sheet
            .error(Code::BadValue, at("namespace"), "the namespace is empty")
            .help("name one; pods of several namespaces are several targets");
    }
    let bare = PodSelector {
        context: pods.context.clone(),
        namespace: pods.namespace.clone(),
        ..PodSelector::default()
    };
    let blank = pods.selector.as_deref().is_some_and(|labels| labels.trim().is_empty());
    if *pods == bare || blank {
        sheet
            .error(Code::EmptySelector, at("namespace"), "this selects every pod of the namespace")
            .help("say which: `selector: app=NAME`, `owner: {kind: deployment, name: NAME}`");
    }
    if let Some(error) = pods.name.as_ref().and_then(|name| regex::Regex::new(name).err()) {
        sheet
            .error(Code::BadValue, at("name"), format!("this is no regular expression: {error}"))
            .help("write the name, or a pattern that the whole name must match: `web-.*`");
    }
}

fn is_empty(nodes: &NodeSelector) -> bool {
    *nodes == NodeSelector { context: nodes.context.clone(), ..NodeSelector::default() }
}

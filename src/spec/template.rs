//! `{{lab.NAME}}` and `{{env.NAME}}`, filled before anything is decoded.
//!
//! A template is a whole value, never a part of one: what stands in a document is then either text
//! or a name, and no value can smuggle itself into another. The one exception is the host and port
//! of a URL, where only a lab's address can stand: `http://{{lab.web}}/health`.

use std::collections::HashSet;

use super::finding::Code;
use super::sheet::Sheet;
use super::suggest;
use super::tree::{Content, Node, NodeId};
use crate::model::layout::Layout;

/// What templates stand for.
pub(super) struct Values<'a> {
    pub lab: LabValues<'a>,
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// What is known of the lab.
pub(super) enum LabValues<'a> {
    /// The experiment names none.
    None,
    /// Its file has errors, which are findings already.
    Broken,
    Known(&'a Layout),
}

/// Fills every template at or below a node. Returns the nodes that could not be filled.
pub(super) fn fill(node: &mut Node, values: &Values<'_>, sheet: &mut Sheet) -> HashSet<NodeId> {
    let mut broken = HashSet::new();
    fill_into(node, values, sheet, &mut broken);
    broken
}

fn fill_into(
    node: &mut Node,
    values: &Values<'_>,
    sheet: &mut Sheet,
    broken: &mut HashSet<NodeId>,
) {
    match &mut node.content {
        Content::List(items) => {
            for item in items {
                fill_into(item, values, sheet, broken);
            }
        }
        Content::Map(entries) => {
            for entry in entries {
                fill_into(&mut entry.value, values, sheet, broken);
            }
        }
        Content::Text(text) if text.contains("{{") => match value_of(text, values) {
            Ok(value) => *text = value,
            Err(wrong) => {
                broken.insert(node.id);
                if let Some((message, help)) = wrong {
                    sheet.error(Code::Template, node.span.clone(), message).help(help);
                }
            }
        },
        _ => {}
    }
}

/// Message and remedy; None where the cause is a finding already.
type Wrong = Option<(String, String)>;

/// What a text with a template stands for.
pub(super) fn value_of(text: &str, values: &Values<'_>) -> Result<String, Wrong> {
    if let Some((scheme, name, path)) = url_parts(text) {
        return named(name, values).map(|address| format!("{scheme}{address}{path}"));
    }
    let whole = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    match whole.map(str::trim).filter(|name| !name.contains(['{', '}'])) {
        Some(name) => named(name, values),
        None => Err(Some((
            "a template must be the whole value, or the host and port of a URL".to_owned(),
            "write \"{{lab.NAME}}\" or \"{{env.NAME}}\" alone, or the text without a template"
                .to_owned(),
        ))),
    }
}

/// `http://{{lab.web}}/health`: scheme, name and path.
fn url_parts(text: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = text.split_once("{{")?;
    let (name, path) = rest.split_once("}}")?;
    let word = scheme.strip_suffix("://")?;
    let plain =
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let ends = (path.is_empty() || path.starts_with(['/', '?'])) && !path.contains("{{");
    let name = name.trim();
    (plain && ends && name.starts_with("lab.")).then_some((scheme, name, path))
}

fn named(name: &str, values: &Values<'_>) -> Result<String, Wrong> {
    if let Some(variable) = name.strip_prefix("env.") {
        return (values.env)(variable).ok_or_else(|| {
            let help = format!("set it: {variable}=... squall ...");
            Some((format!("the environment variable `{variable}` is not set"), help))
        });
    }
    let Some(wanted) = name.strip_prefix("lab.") else {
        return Err(Some((
            format!("`{name}` is not a template"),
            "there are `{{lab.SERVICE}}` and `{{env.NAME}}`".to_owned(),
        )));
    };
    match &values.lab {
        LabValues::None => Err(Some((
            format!("`{{{{{name}}}}}` needs a lab, and the experiment names none"),
            "add `lab: FILE` to the spec, or write the address".to_owned(),
        ))),
        LabValues::Broken => Err(None),
        LabValues::Known(layout) => {
            layout.lookup(wanted).ok_or_else(|| Some(unknown(wanted, layout)))
        }
    }
}

fn unknown(wanted: &str, layout: &Layout) -> (String, String) {
    let service = wanted.split(['@', '.']).next().unwrap_or_default();
    if layout.candidates.iter().any(|c| c.service == service && c.port.is_none()) {
        return (
            format!("`{{{{lab.{wanted}}}}}` stands for nothing: `{service}` has no port"),
            format!("give the service `{service}` a `port` in the lab"),
        );
    }
    let known = names(layout);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    (
        format!("`{{{{lab.{wanted}}}}}` stands for nothing in this lab"),
        suggest::remedy(wanted, &known),
    )
}

/// What can be written after `lab.`, without the forms that follow from these.
fn names(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for candidate in layout.candidates.iter().filter(|c| c.port.is_some()) {
        if !names.contains(&candidate.service) {
            names.push(candidate.service.clone());
            names.push(format!("{}.ipv6", candidate.service));
            names.push(format!("{}.all", candidate.service));
        }
        names.push(candidate.name.0.clone());
    }
    names.extend(layout.hosts.iter().map(|host| format!("host.{}", host.name)));
    names
}

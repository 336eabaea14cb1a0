//! A lab's document: what its types cannot say is checked here, each finding at its place.

use std::collections::BTreeMap;
use std::ops::Range;

use super::document::Envelope;
use super::filling;
use super::finding::Code;
use super::name;
use super::repair::Decoded;
use super::sheet::Sheet;
use super::suggest;
use super::tree::{Content, Entry, Node};
use crate::model::lab::{Check, LabSpec, RoleRule, Service};
use crate::model::layout::Layout;

/// Where a service stands in the tree, and what it was decoded to.
struct Part<'a> {
    name: &'a str,
    service: &'a Service,
    node: &'a Node,
    /// The key that names it.
    label: Range<usize>,
    decoded: &'a Decoded<Envelope<LabSpec>>,
}

/// Checks what was decoded; what was left out has its findings already.
pub(super) fn check(root: &Node, decoded: &Decoded<Envelope<LabSpec>>, sheet: &mut Sheet) {
    let Some(lab) = decoded.value.as_ref().map(|envelope| &envelope.spec) else { return };
    if root.at(&["spec"]).is_none() {
        return;
    }
    super::kubernetes::check(root, lab, sheet);
    let none = Node { id: root.id, span: root.span.clone(), content: Content::Null };
    let services = root.at(&["spec", "services"]).unwrap_or(&none);
    if services.entries().is_empty() && root.at(&["spec", "kubernetes"]).is_none() {
        let span = label_of(root, &["spec"], "services");
        sheet
            .error(Code::MissingKey, span, "the lab has no services")
            .help("add one: `services: {web: {hosts: [w1], command: [...]}}`");
    }
    for entry in services.entries() {
        name::check_key("a service", &entry.key, sheet);
        let Some(service) = lab.services.get(&entry.key.text) else { continue };
        let part = Part {
            name: &entry.key.text,
            service,
            node: &entry.value,
            label: entry.key.span.clone(),
            decoded,
        };
        check_hosts(&part, sheet);
        check_order(&part, services, sheet);
        check_templates(&part, sheet);
        check_looks(&part, sheet);
        check_roles(&part, sheet);
    }
    check_cycles(&lab.services, services, sheet);
    check_layout(root, lab, sheet);
    let placed = |entry: &Entry| {
        let whole = |key| entry.value.get(key).is_none_or(|node| decoded.is_whole(node));
        whole("hosts") && whole("port")
    };
    // What is left out elsewhere has its finding, and would only be missed here again.
    if let (true, Ok(layout)) = (services.entries().iter().all(placed), Layout::of(lab)) {
        filling::check(services, &layout, sheet);
    }
}

/// The place of a key below a path, or of the path's own last key.
fn label_of(root: &Node, path: &[&str], key: &str) -> Range<usize> {
    let holder = root.at(path);
    let found = holder.and_then(|node| node.entry(key)).or_else(|| {
        let (last, above) = path.split_last()?;
        root.at(above)?.entry(last)
    });
    found.map_or(0..0, |entry| entry.key.span.clone())
}

fn check_hosts(part: &Part<'_>, sheet: &mut Sheet) {
    let Some(hosts) = part.node.get("hosts") else { return };
    if hosts.items().is_empty() && part.service.hosts.is_empty() {
        let span = label_of(part.node, &[], "hosts");
        sheet
            .error(Code::MissingKey, span, format!("the service `{}` has no hosts", part.name))
            .help("name at least one: `hosts: [h1]`");
    }
    let mut seen: Vec<&str> = Vec::new();
    for host in hosts.items() {
        name::check_value("a host", host, sheet);
        let text = host.text().unwrap_or_default();
        if seen.contains(&text) {
            sheet
                .error(
                    Code::DuplicateKey,
                    host.span.clone(),
                    format!("the host `{text}` is here twice"),
                )
                .help("a service has one instance on a host");
        }
        seen.push(text);
    }
    if part.service.command.is_empty() && part.node.get("command").is_some() {
        let span = label_of(part.node, &[], "command");
        sheet
            .error(Code::BadValue, span, format!("the service `{}` has no command", part.name))
            .help("write the program and its arguments: `command: [redis-server, redis.conf]`");
    }
}

fn check_order(part: &Part<'_>, services: &Node, sheet: &mut Sheet) {
    let known: Vec<&str> = services.entries().iter().map(|e| e.key.text.as_str()).collect();
    for after in part.node.get("after").map_or(&[][..], Node::items) {
        let Some(text) = after.text().filter(|text| !known.contains(text)) else { continue };
        sheet
            .error(
                Code::UnknownReference,
                after.span.clone(),
                format!("`after` names the service `{text}`, which the lab does not have"),
            )
            .help(suggest::remedy(text, &known));
    }
}

/// Follows `after` from each service; a service that comes back to itself can never start.
fn check_cycles(services: &BTreeMap<String, Service>, nodes: &Node, sheet: &mut Sheet) {
    let mut told: Vec<String> = Vec::new();
    for start in services.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(ring) = ring_from(start, services) else { continue };
        told.extend(ring.iter().cloned());
        let span = nodes
            .at(&[start, "after"])
            .or_else(|| nodes.get(start))
            .map_or(0..0, |node| node.span.clone());
        sheet
            .error(
                Code::Cycle,
                span,
                format!("these services wait for each other: {} -> {start}", ring.join(" -> ")),
            )
            .help("take one of them out of `after`");
    }
}

/// The way from a service through `after` back to it.
fn ring_from(start: &str, services: &BTreeMap<String, Service>) -> Option<Vec<String>> {
    let mut seen: Vec<String> = Vec::new();
    let mut ways = vec![vec![start.to_owned()]];
    while let Some(way) = ways.pop() {
        let last = way.last().map(String::as_str).unwrap_or_default();
        for next in services.get(last).map_or(&[][..], |service| &service.after) {
            if next == start {
                return Some(way);
            }
            if !seen.contains(next) {
                seen.push(next.clone());
                ways.push([way.as_slice(), std::slice::from_ref(next)].concat());
            }
        }
    }
    None
}

/// Jinja that cannot be read is found now, not when the lab starts.
fn check_templates(part: &Part<'_>, sheet: &mut Sheet) {
    for item in part.node.get("command").map_or(&[][..], Node::items) {
        check_template(item, sheet);
    }
    for key in ["env", "files"] {
        for entry in part.node.get(key).map_or(&[][..], Node::entries) {
            check_template(&entry.value, sheet);
            let leaves = |part: &str| part == ".." || part.is_empty();
            if key == "files" && entry.key.text.split('/').any(leaves) {
                let message =
                    format!("the file `{}` is not in the instance's folder", entry.key.text);
                sheet
                    .error(Code::BadValue, entry.key.span.clone(), message)
                    .help("write a relative path without `..`");
            }
        }
    }
}

pub(super) fn check_template(node: &Node, sheet: &mut Sheet) {
    let Some(text) = node.text() else { return };
    let environment = minijinja::Environment::new();
    let Err(error) = environment.template_from_str(text) else { return };
    let said = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let span = line_in_block(node, error.line().unwrap_or(1), sheet);
    sheet.error(Code::Template, span, format!("this template cannot be read: {said}")).help(
        "templates are Jinja: `{{host.ipv4}}`, `{% for peer in instances %} ... {% endfor %}`",
    );
}

/// The line of the file that a line of a block's content is; the whole value for other texts.
pub(super) fn line_in_block(node: &Node, line: usize, sheet: &Sheet) -> Range<usize> {
    let source = &sheet.source;
    let written = source.text.get(node.span.clone()).unwrap_or_default();
    if !written.contains('\n') {
        return node.span.clone();
    }
    let lines = source.line(source.place(node.span.start).line + line - 1);
    let indent = source.text[lines.clone()].chars().take_while(|c| *c == ' ').count();
    lines.start + indent..lines.end
}

/// Readiness and role look at ports by patterns: both must be there and readable.
fn check_looks(part: &Part<'_>, sheet: &mut Sheet) {
    let ready = part.node.get("ready").map_or(&[][..], Node::items);
    let looks = ready.iter().chain(part.node.at(&["role", "ask"]));
    for node in looks.filter(|node| part.decoded.is_whole(node)) {
        check_look(node, part, sheet);
    }
    if part.service.port == Some(0) {
        let span = part.node.get("port").map_or(0..0, |node| node.span.clone());
        sheet.error(Code::BadValue, span, "no service listens on port 0").help("write its port");
    }
}

fn check_look(node: &Node, part: &Part<'_>, sheet: &mut Sheet) {
    for entry in node.entries() {
        if let Some(pattern) = entry.value.get("expect") {
            check_pattern(pattern, sheet);
        }
        if part.service.port.is_none() && entry.value.get("port").is_none() {
            let message = format!("no port to look at: the service `{}` has none", part.name);
            sheet
                .error(Code::MissingKey, entry.key.span.clone(), message)
                .help("give the service a `port`, or this look one of its own");
        }
        let path =
            entry.value.get("path").filter(|path| path.text().is_some_and(|t| !t.starts_with('/')));
        if let Some(path) = path {
            sheet
                .error(Code::BadValue, path.span.clone(), "a path begins with `/`")
                .help("write it like `/health`");
        }
    }
}

fn check_pattern(node: &Node, sheet: &mut Sheet) {
    let Some(Err(error)) = node.text().map(regex::Regex::new) else { return };
    let text = error.to_string();
    let said = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    sheet
        .error(
            Code::BadPattern,
            node.span.clone(),
            format!("this is not a regular expression: {said}"),
        )
        .help(
            "put a backslash before a character that is meant as it is; use single quotes in YAML",
        );
}

fn check_roles(part: &Part<'_>, sheet: &mut Sheet) {
    let Some(reader) = &part.service.role else { return };
    let nodes = part.node.at(&["role", "roles"]).map_or(&[][..], Node::items);
    if reader.roles.is_empty() && nodes.is_empty() {
        let span =
            part.node.get("role").map_or(part.label.clone(), |node| label_of(node, &[], "roles"));
        sheet
            .error(Code::MissingKey, span, format!("the service `{}` can have no role", part.name))
            .help("add a rule: `{role: primary, matches: \"role:master\"}`");
    }
    for node in nodes {
        if let Some(pattern) = node.get("matches") {
            check_pattern(pattern, sheet);
        }
        let pointers = node.get("equal").map_or(&[][..], Node::items);
        for pointer in pointers.iter().filter(|p| p.text().is_some_and(|t| !t.starts_with('/'))) {
            sheet
                .error(Code::BadValue, pointer.span.clone(), "a JSON pointer begins with `/`")
                .help("write it like `/header/member_id`");
        }
    }
    let kept = part.decoded.kept(part.node.at(&["role", "roles"]));
    for (rule, node) in reader.roles.iter().zip(kept) {
        if !part.decoded.is_whole(node) {
            continue;
        }
        if let RoleRule { matches: Some(_), equal: Some(_), .. }
        | RoleRule { matches: None, equal: None, .. } = rule
        {
            let span = node.get("role").map_or(node.span.clone(), |role| role.span.clone());
            sheet
                .error(Code::BadValue, span, format!("the role `{}` needs one rule", rule.role))
                .help("give it either `matches` or `equal`");
        }
    }
    if let (Check::Http(_), true) = (&reader.ask, reader.every.nanos() == 0) {
        let span = part.node.at(&["role", "every"]).map_or(part.label.clone(), |n| n.span.clone());
        sheet
            .error(Code::BadValue, span, "a role is not asked for without pause")
            .help("write `20ms`");
    }
}

/// The layout speaks in words; the part that it speaks of is found by the names in them.
fn check_layout(root: &Node, lab: &LabSpec, sheet: &mut Sheet) {
    let Err(wrong) = Layout::of(lab) else { return };
    for message in wrong {
        let network = |key: &str| root.at(&["spec", "network", key]);
        let about_host = || {
            let services = root.at(&["spec", "services"])?;
            let named = |name: &str| message.contains(&format!("service `{name}`"));
            let entry = services.entries().iter().find(|e| named(&e.key.text))?;
            entry.value.get("hosts")?.scalar("client")
        };
        let quoted = |node: &&Node| node.text().is_some_and(|text| message.contains(text));
        let block = network("ipv4").filter(quoted).or_else(|| network("ipv6").filter(quoted));
        let (found, help) = match (block, about_host()) {
            (None, Some(host)) => (Some(host), "give the host another name"),
            (block, _) => (block, "write blocks such as `10.66.0.0/24` and `fd66::/64`"),
        };
        let span =
            found.map_or_else(|| label_of(root, &["spec"], "network"), |node| node.span.clone());
        sheet.error(Code::Layout, span, message).help(help);
    }
}

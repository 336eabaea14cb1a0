//! One experiment out of a map: the same nodes in another order, so that a mistake in them is found
//! where it stands, and the same as a text that can be run by itself.

use std::ops::Range;
use std::path::Path;

use serde_yaml::{Mapping, Value};

use super::super::document::API_VERSION;
use super::super::tree::{Content, Entry, Key, Node, NodeId, Number};

/// The target of every experiment of a map.
const TARGET: &str = "service";

/// No document is that long; the nodes that we make are counted from here.
const FIRST_ID: NodeId = usize::MAX / 2;

/// An experiment as a tree whose parts stand in the map.
pub(super) struct Expanded {
    pub name: String,
    pub tree: Node,
    service: String,
    map: String,
}

/// None: the map has not even what would be copied, and its own decoding says so.
pub(super) fn experiment(root: &Node, service: &Entry) -> Option<Expanded> {
    let spec = root.get("spec")?;
    let map = root.at(&["metadata", "name"])?.text()?.to_owned();
    let name = format!("{map}-{}", service.key.text);
    let mut maker = Maker { next: FIRST_ID, at: service.key.span.clone() };
    let title = format!("Nobody notices that {} is lost", service.key.text);
    let mut body = vec![maker.entry("title", |m| m.text(&title))];
    for key in ["owner", "change", "environment", "lab", "steadyState"] {
        body.extend(spec.entry(key).cloned());
    }
    let watch = spec.get("recoveryWatch").cloned();
    body.push(maker.entry("recoveryWatch", |m| watch.unwrap_or_else(|| m.text("30s"))));
    body.push(maker.entry("targets", |m| m.map(|m| vec![m.entry(TARGET, |m| lost(service, m))])));
    let journeys = spec.get("journeys")?.clone();
    let names: Vec<String> = journeys.entries().iter().map(|e| e.key.text.clone()).collect();
    body.push(maker.entry("probes", |_| journeys));
    let (hold, fault) = (spec.entry("hold")?.clone(), spec.get("lose")?.clone());
    body.push(maker.entry("method", |m| step(hold, fault, m)));
    let limit = spec.get("hurtBy").map(|node| (node.text().unwrap_or("1s"), node.span.clone()));
    body.push(maker.entry("hypothesis", |m| claims(&names, limit, m)));
    let tree = maker.map(|m| {
        vec![
            m.entry("apiVersion", |m| m.text(API_VERSION)),
            m.entry("kind", |m| m.text("Experiment")),
            m.entry("metadata", |m| m.map(|m| vec![m.entry("name", |m| m.text(&name))])),
            m.entry("spec", |m| m.map(|_| body)),
        ]
    });
    Some(Expanded { name, tree, service: service.key.text.clone(), map })
}

/// The target: all that is found, unless it says how many.
fn lost(service: &Entry, maker: &mut Maker) -> Node {
    let mut target = service.value.clone();
    if let Content::Map(entries) = &mut target.content
        && !entries.iter().any(|entry| entry.key.text == "pick")
    {
        entries.push(maker.entry("pick", |m| m.text("all")));
    }
    target
}

fn step(hold: Entry, fault: Node, maker: &mut Maker) -> Node {
    let step = maker.map(|m| vec![hold, m.entry("inject", |_| fault)]);
    maker.list(vec![step])
}

/// A claim for each journey; a limit that is written is shown where it stands.
fn claims(names: &[String], limit: Option<(&str, Range<usize>)>, maker: &mut Maker) -> Node {
    let claim = |name: &String, maker: &mut Maker| {
        let mut params = vec![maker.entry("probe", |m| m.text(name))];
        let mut most = maker.entry("atMost", |m| m.text(limit.as_ref().map_or("1s", |l| l.0)));
        if let Some((_, span)) = &limit {
            most.value.span = span.clone();
        }
        params.push(most);
        maker.map(|m| vec![m.entry("longestOutage", |m| m.map(|_| params))])
    };
    let claims = names.iter().map(|name| claim(name, maker)).collect();
    maker.list(claims)
}

/// Makes nodes that stand where the service's name stands.
struct Maker {
    next: NodeId,
    at: Range<usize>,
}

impl Maker {
    fn node(&mut self, content: Content) -> Node {
        self.next += 1;
        Node { id: self.next, span: self.at.clone(), content }
    }

    fn text(&mut self, text: &str) -> Node {
        self.node(Content::Text(text.to_owned()))
    }

    fn list(&mut self, items: Vec<Node>) -> Node {
        self.node(Content::List(items))
    }

    fn map(&mut self, entries: impl FnOnce(&mut Maker) -> Vec<Entry>) -> Node {
        let entries = entries(self);
        self.node(Content::Map(entries))
    }

    fn entry(&mut self, key: &str, value: impl FnOnce(&mut Maker) -> Node) -> Entry {
        self.next += 1;
        let key = Key { id: self.next, span: self.at.clone(), text: key.to_owned() };
        Entry { key, value: value(self) }
    }
}

/// As a file that lies anywhere: the lab that the map at `path` names has an absolute path in it.
pub(super) fn text(expanded: &Expanded, path: &Path) -> String {
    let mut value = value(&expanded.tree);
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Some(Value::String(lab)) = value.get_mut("spec").and_then(|spec| spec.get_mut("lab"))
        && !lab.contains("{{")
    {
        let found = folder.join(&*lab);
        *lab = std::fs::canonicalize(&found).unwrap_or(found).display().to_string();
    }
    // A tree of texts, numbers and lists always has a form in YAML.
    let yaml = serde_yaml::to_string(&value).unwrap_or_default();
    let Expanded { service, map, .. } = expanded;
    format!("# {service} is lost: written by `squall blast` out of the map {map}.\n{yaml}")
}

fn value(node: &Node) -> Value {
    match &node.content {
        Content::Null => Value::Null,
        Content::Bool(bool) => Value::Bool(*bool),
        Content::Number(Number::Unsigned(number), _) => Value::Number((*number).into()),
        Content::Number(Number::Signed(number), _) => Value::Number((*number).into()),
        Content::Number(Number::Float(number), _) => Value::Number((*number).into()),
        Content::Text(text) => Value::String(text.clone()),
        Content::List(items) => Value::Sequence(items.iter().map(value).collect()),
        Content::Map(entries) => {
            let pair = |entry: &Entry| (Value::String(entry.key.text.clone()), value(&entry.value));
            Value::Mapping(entries.iter().map(pair).collect::<Mapping>())
        }
    }
}

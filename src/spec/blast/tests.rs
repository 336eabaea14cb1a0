//! What a map is written out into, and where its mistakes are shown.

use std::path::Path;

use super::*;
use crate::spec::{Findings, blast_map_from_text, experiment_from_text};

/// The lab is found from where this would lie.
const PATH: &str = "experiments/kubernetes/map.yaml";

const MAP: &str = r#"apiVersion: squall.dev/v1alpha1
kind: BlastMap
metadata: {name: shop}
spec:
  title: Who notices
  lab: ../labs/shop.yaml
  journeys:
    browse: {http: {url: "http://{{lab.front}}/browse"}, rate: 10/s, deadline: 1s}
    orders: {http: {url: "http://{{lab.front}}/o", status: [200, 204]}, rate: 10/s, deadline: 1s}
  services:
    mail: {pods: {namespace: shop, selector: app=mail}}
    cart: {pods: {namespace: shop, selector: app=cart}, pick: 50%}
  lose: {podDelete: {target: service, force: true}}
  hold: 8s
  hurtBy: 1500ms
  claims:
    - survives: {journey: browse, losing: [mail]}
"#;

fn read(text: &str) -> Result<DeclaredMap, Findings> {
    let env = |_: &str| None;
    let surroundings = Surroundings { lab: None, env: &env };
    blast_map_from_text(Path::new(PATH), text, &surroundings).map(|loaded| loaded.value)
}

#[test]
fn each_service_is_an_experiment_that_can_be_read_by_itself() {
    let declared = read(MAP).unwrap();
    assert_eq!(declared.map.services, ["mail", "cart"], "in the order of the text");
    assert_eq!(declared.map.journeys, ["browse", "orders"]);
    assert!(declared.lab.is_some());
    let env = |_: &str| None;
    let surroundings = Surroundings { lab: None, env: &env };
    let picks = ["all", "50%"];
    for (written, pick) in declared.experiments.iter().zip(picks) {
        let elsewhere = Path::new("/nowhere/experiment.yaml");
        let read = experiment_from_text(elsewhere, &written.text, &surroundings).unwrap();
        assert_eq!(read.name, format!("shop-{}", written.service));
        let experiment = &read.value.experiment;
        assert_eq!(experiment.probes.keys().collect::<Vec<_>>(), ["browse", "orders"]);
        assert!(experiment.probes["orders"].params["status"].is_array());
        assert_eq!(String::from(experiment.targets["service"].pick), pick);
        assert_eq!(experiment.method[0].kind, "podDelete");
        assert_eq!(experiment.method[0].hold, crate::model::units::Span::secs(8));
        let limits = experiment.hypothesis.iter().map(|claim| claim.params["atMost"].clone());
        assert_eq!(limits.collect::<Vec<_>>(), ["1s500ms", "1s500ms"]);
    }
}

#[test]
fn a_mistake_is_shown_once_and_where_it_stands() {
    let cases = [
        ("target: service", "target: servise", 13, "`servise`"),
        ("lab.front}}/browse", "lab.frnt}}/browse", 8, "stands for nothing"),
        ("namespace: shop, selector: app=cart", "namespace: shop", 12, "every pod"),
        ("rate: 10/s", "rate: fast", 8, "fast"),
        ("journey: browse", "journey: brows", 17, "the journey `brows`"),
        ("losing: [mail]", "losing: [male]", 17, "the service `male`"),
        ("losing: [mail]", "losing: []", 17, "always true"),
        ("hold: 8s", "hould: 8s", 14, "unknown key `hould`"),
    ];
    for (right, wrong, line, words) in cases {
        let findings = read(&MAP.replacen(right, wrong, 1)).unwrap_err().0;
        let here: Vec<_> = findings.iter().filter(|f| f.message.contains(words)).collect();
        assert_eq!(here.len(), 1, "{wrong}: {findings:#?}");
        assert_eq!(here[0].line, line, "{wrong}: {findings:#?}");
        assert!(findings.iter().all(|finding| finding.line <= 17), "{wrong}: {findings:#?}");
    }
}

#[test]
fn a_map_without_services_shows_nothing() {
    let without = MAP
        .lines()
        .filter(|line| !line.contains("app=") && !line.contains("survives"))
        .map(|line| if line == "  services:" { "  services: {}" } else { line })
        .map(|line| if line == "  claims:" { "  claims: []" } else { line });
    let without = without.collect::<Vec<_>>().join("\n");
    let findings = read(&without).unwrap_err().0;
    assert!(findings.iter().any(|f| f.message.contains("shows nothing")), "{findings:#?}");
}

#[test]
fn only_some_are_lost_in_the_order_of_the_map() {
    let only = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        read(MAP).unwrap().only(&names)
    };
    assert_eq!(only(&["cart", "mail"]).unwrap().map.services, ["mail", "cart"]);
    let one = only(&["cart"]).unwrap();
    assert_eq!((one.experiments.len(), one.map.claims.len()), (1, 1));
    assert!(only(&["card"]).unwrap_err().contains("no service `card`"));
}

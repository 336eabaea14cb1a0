//! What is committed in `docs/reference/` is what the code says.

use std::path::Path;

/// `make reference` sets it: the pages are written instead of compared.
const WRITE: &str = "SQUALL_WRITE_REFERENCE";

#[test]
fn the_reference_is_what_the_code_says() {
    let folder = Path::new("docs/reference");
    let write = std::env::var_os(WRITE).is_some();
    let pages = squall::spec::pages();
    for (name, text) in &pages {
        let path = folder.join(name);
        if write {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&path, text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == *text,
            "{} is not what the code says: run `make reference`",
            path.display()
        );
    }
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.retain(|name| !pages.iter().any(|(page, _)| page == name));
    assert!(found.is_empty(), "nothing writes {found:?} in docs/reference");
}

#[test]
fn every_kind_of_every_catalogue_has_its_section_and_its_schema() {
    let schema = squall::spec::schema();
    let faults = squall::fault::CATALOGUE.iter().map(|e| (e.kind(), "FaultParams"));
    let probes = squall::probe::CATALOGUE.iter().map(|e| (e.kind(), "ProbeDocument"));
    let checks = squall::judge::CATALOGUE.iter().map(|e| (e.kind(), "CheckParams"));
    for (kind, holder) in faults.chain(probes).chain(checks) {
        let section = squall::spec::kind(kind).unwrap();
        assert!(section.contains(&format!("## {kind}")) && section.contains("```yaml"), "{kind}");
        assert!(section.contains("| key |") || section.contains("no parameters"), "{kind}");
        let holder = schema["$defs"][holder].to_string();
        assert!(holder.contains(&format!("#/$defs/{kind}")), "{kind} is not in {holder}");
    }
}
